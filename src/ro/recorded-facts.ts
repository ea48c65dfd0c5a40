/**
 * What a record's Service-Information says that rules match on: the inverse of how record files
 * show it (`diameter/readable.ts`), as far as facts are read from it.
 */
import type { Facts } from '../charging/request.ts';
import type { Avp } from '../diameter/avp.ts';
import type { CCR } from '../diameter/commands.ts';
import { type AvpName, avps } from '../diameter/dictionary.ts';
import type { Understood } from '../diameter/message.ts';
import { readableGroup } from '../diameter/readable.ts';
import { type Definition, definitionOf } from '../diameter/schema.ts';
import { factsOf } from './facts.ts';

/**
 * `information` as a record file has it: by the names of the dictionary, or as hexadecimal.
 * Undefined: it says nothing. Never throws: what makes no sense is no fact.
 */
export function recordedFacts(information: unknown): Facts | undefined {
  const shown =
    typeof information === 'string'
      ? readableGroup('Service-Information', Buffer.from(information, 'hex'))
      : information;
  const group = groupOf(definitionOf('Service-Information'), shown);
  // The members are as the grammar has them, each of its format.
  return factsOf({ 'Service-Information': group } as Understood<CCR>);
}

function groupOf({ group: grammar }: Definition, shown: unknown): object | undefined {
  if (typeof shown !== 'object' || shown === null || grammar === undefined) return undefined;
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(shown)) {
    const slot = grammar.slots[grammar.slotNamed.get(name) ?? -1];
    if (slot === undefined) continue;
    const values = (Array.isArray(value) ? value : [value])
      .map((one: unknown) => decodedOf(slot.definition, one))
      .filter((one) => one !== undefined);
    if (slot.repeated) members[name] = values;
    else if (values.length > 0) members[name] = values[0];
  }
  return members;
}

/** A value as the decoder would have it; undefined: no fact is read from what is shown. */
function decodedOf(definition: Definition, shown: unknown): unknown {
  switch (definition.format) {
    case 'Grouped':
      return groupOf(definition, shown);
    case 'OctetString':
      return typeof shown === 'string' ? octetsOf(shown) : undefined;
    case 'Enumerated':
      return typeof shown === 'string' ? numberOf(definition.name, shown) : wholeOf(shown);
    case 'Unsigned32':
      return wholeOf(shown);
    case 'UTF8String':
      return typeof shown === 'string' ? shown : undefined;
    default:
      return undefined;
  }
}

function numberOf(name: string, shown: string): number | undefined {
  const { values = {} }: Avp = avps[name as AvpName];
  return Object.hasOwn(values, shown) ? values[shown] : undefined;
}

function wholeOf(shown: unknown): number | undefined {
  return typeof shown === 'number' && Number.isSafeInteger(shown) ? shown : undefined;
}

function octetsOf(shown: string): Buffer {
  return shown.startsWith('0x') ? Buffer.from(shown.slice(2), 'hex') : Buffer.from(shown, 'latin1');
}
