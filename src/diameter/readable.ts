// AVPs for people and other programs: as JSON, by the names of the dictionary. Reads what the
// decoder would refuse too, as far as it can be told where one AVP ends; never throws.
//
//   | format              | becomes                                                            |
//   | groups              | objects; a member that the grammar has once is no array            |
//   | numbers             | numbers, beyond 2^53 - 1 strings of digits                         |
//   | enumerations        | their names, or the number where it has none                       |
//   | Time                | ISO 8601, UTC                                                      |
//   | Address             | its text; `<family>:<hexadecimal>` for unusual families            |
//   | text                | text                                                               |
//   | OctetString         | its text if that is printable ASCII, else `0x` and hexadecimal     |
//   | what fits no format | `0x` and hexadecimal                                               |
//
// An AVP that the dictionary lacks is named `<vendor>/<code>`; octets that are no AVP any more stand
// under `undecoded`.

import { addressFamilies } from './address.ts';
import type { Address, Avp } from './avp.ts';
import type { AvpName } from './dictionary.ts';
import { avps } from './dictionary.ts';
import { type Definition, definitionOf, findDefinition, type Grammar } from './schema.ts';
import { readValue } from './value.ts';
import { walkMembers } from './walk.ts';

export type Readable = string | number | ReadableGroup | Readable[];
export interface ReadableGroup {
  [name: string]: Readable;
}

/** Deeper groups stand as octets. The deepest that any specification has is 6. */
const MAX_DEPTH = 10;

/** The members of the group `name`, from its data. */
export function readableGroup(name: AvpName, data: Uint8Array): ReadableGroup {
  const octets = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return membersOf(definitionOf(name).group, octets, MAX_DEPTH);
}

function membersOf(grammar: Grammar | undefined, data: Buffer, depth: number): ReadableGroup {
  const members: ReadableGroup = {};
  let end = 0;
  for (const { vendor, code, bytes, data: value } of walkMembers(data)) {
    end += (bytes.length + 3) & ~3;
    const definition = findDefinition(vendor, code);
    const name = definition?.name ?? `${vendor}/${code}`;
    const slot = definition && grammar?.slots[grammar.slotOf[definition.index] ?? -1];
    const shown =
      definition === undefined ? octetsOf(value) : readableValue(definition, value, depth);
    const before = members[name];
    if (before === undefined) members[name] = slot?.repeated === false ? shown : [shown];
    else if (Array.isArray(before)) before.push(shown);
    else members[name] = [before, shown];
  }
  if (end < data.length) members.undecoded = hexOf(data.subarray(end));
  return members;
}

function readableValue(definition: Definition, data: Buffer, depth: number): Readable {
  const { format, group, name } = definition;
  if (format === 'Grouped')
    return depth === 0 || group === undefined ? hexOf(data) : membersOf(group, data, depth - 1);
  if (format === 'OctetString') return octetsOf(data);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const value = readValue(data, view, definition, 0, data.length);
  switch (typeof value) {
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'number':
      if (format === 'Time') return new Date(value * 1000).toISOString();
      return Number.isFinite(value) ? (namesOf(name).get(value) ?? value) : String(value);
    case 'string':
      return value;
    case 'object':
      return addressOf(value as Address);
    default:
      return hexOf(data);
  }
}

function addressOf({ family, address }: Address): string {
  const usual = Object.values(addressFamilies).some((known) => known === family);
  return usual ? address : `${family}:${address}`;
}

const names = new Map<string, ReadonlyMap<number, string>>();

/** What the numbers of an AVP are called. */
function namesOf(name: string): ReadonlyMap<number, string> {
  const known = names.get(name);
  if (known !== undefined) return known;
  const { values = {} } = avps[name as AvpName] as Avp;
  const made = new Map(Object.entries(values).map(([text, number]) => [number, text]));
  names.set(name, made);
  return made;
}

function octetsOf(data: Buffer): string {
  const text = data.toString('latin1');
  return /^(?!0x)[\x20-\x7e]+$/.test(text) ? text : hexOf(data);
}

function hexOf(data: Buffer): string {
  return `0x${data.toString('hex')}`;
}
