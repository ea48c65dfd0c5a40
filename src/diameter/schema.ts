// The dictionary and the grammars in the form that the decoder and the encoder work with, made once
// at start from the tables. Definitions are numbered; a grammar knows each of its members by that
// number, so that finding an AVP's place is two array reads.

import type { Avp, Format } from './avp.ts';
import { answerMessage, type CommandName, commands } from './commands.ts';
import { avps } from './dictionary.ts';
import { type Accessors, accessorsFor } from './members.ts';

/** The flags octet of an AVP. RFC 6733 4.1. */
export const avpFlags = { vendor: 0x80, mandatory: 0x40, protected: 0x20 } as const;

export type Definition = {
  readonly name: string;
  readonly index: number;
  readonly code: number;
  /** 0 in the IETF space. */
  readonly vendor: number;
  readonly format: Format;
  readonly mandatory: 'must' | 'may' | 'mustnot';
  /** The flags octet that is sent. */
  readonly flags: number;
  /** Octets of the header that is sent: 8, or 12 with a vendor. */
  readonly headerBytes: number;
  /** Octets of the shortest payload, as an example AVP has them (RFC 6733 7.5). */
  readonly exampleBytes: number;
  /** The numbers of an enumeration; undefined where any is good. */
  readonly values: ReadonlySet<number> | undefined;
  /** The grammar of a group. */
  readonly group: Grammar | undefined;
};

export type Slot = {
  readonly definition: Definition;
  readonly required: boolean;
  readonly repeated: boolean;
  readonly forbidden: boolean;
};

export type Grammar = {
  readonly name: string;
  readonly slots: readonly Slot[];
  readonly required: readonly number[];
  /** By a definition's index: its slot, or -1 where the grammar does not list it. */
  readonly slotOf: Int16Array;
  readonly slotNamed: ReadonlyMap<string, number>;
  /** Made when it is first needed: most groups never are. */
  readonly accessors: Accessors;
  /**
   * An empty place for each slot, to be given back empty: some grammars have sixty slots of which a
   * message fills five.
   */
  readonly takeSlots: () => unknown[];
  readonly giveSlots: (slots: unknown[]) => void;
  /** Whether AVPs that it does not list may be present. */
  readonly open: boolean;
  /** Whether its members are evidence of an error elsewhere: nothing in them is wrong or missing. */
  readonly evidence: boolean;
};

export type Command = Grammar & {
  readonly name: CommandName;
  readonly code: number;
  readonly request: boolean;
  readonly proxiable: boolean;
};

const exampleBytes: Record<Format, number> = {
  OctetString: 0,
  Integer32: 4,
  Integer64: 8,
  Unsigned32: 4,
  Unsigned64: 8,
  Float32: 4,
  Float64: 8,
  // The RFC gives no number: an address family and an IPv4 address.
  Address: 6,
  Time: 4,
  UTF8String: 0,
  DiameterIdentity: 0,
  DiameterURI: 0,
  Enumerated: 4,
  IPFilterRule: 0,
  QoSFilterRule: 0,
  Grouped: 0,
};

type Draft = { -readonly [Key in keyof Definition]: Definition[Key] };

const drafts = new Map<string, Draft>();
for (const [name, avp] of Object.entries<Avp>(avps)) {
  const vendor = avp.vendor ?? 0;
  drafts.set(name, {
    name,
    index: drafts.size,
    code: avp.code,
    vendor,
    format: avp.format,
    mandatory: avp.flags === 'M' ? 'must' : avp.flags === '' ? 'mustnot' : 'may',
    flags: (vendor === 0 ? 0 : avpFlags.vendor) | (avp.flags === 'M' ? avpFlags.mandatory : 0),
    headerBytes: vendor === 0 ? 8 : 12,
    exampleBytes: exampleBytes[avp.format],
    values:
      avp.format === 'Enumerated' && avp.values !== undefined
        ? new Set(Object.values(avp.values))
        : undefined,
    group: undefined,
  });
}
for (const [name, avp] of Object.entries<Avp>(avps)) {
  if (avp.members !== undefined) drafts.get(name)!.group = compile(name, avp.members);
}

/** Every definition, by name. */
export const definitions: ReadonlyMap<string, Definition> = drafts;

// One table a vendor, by code: the largest code of any vendor is in the thousands.
const byCode = new Map<number, Map<number, Definition>>();
for (const definition of drafts.values()) {
  const codes = byCode.get(definition.vendor) ?? new Map<number, Definition>();
  codes.set(definition.code, definition);
  byCode.set(definition.vendor, codes);
}
const vendors = [...byCode.keys()];
const tables = vendors.map((vendor) => {
  const codes = byCode.get(vendor)!;
  const table = new Array<Definition | undefined>(Math.max(...codes.keys()) + 1).fill(undefined);
  for (const [code, definition] of codes) table[code] = definition;
  return table;
});
const ietf = tables[vendors.indexOf(0)]!;

/** The definition of (vendor, code), or undefined where the dictionary has none. */
export function findDefinition(vendor: number, code: number): Definition | undefined {
  if (vendor === 0) return code < ietf.length ? ietf[code] : undefined;
  for (let i = 0; i < vendors.length; i += 1) {
    if (vendors[i] === vendor) {
      const table = tables[i]!;
      return code < table.length ? table[code] : undefined;
    }
  }
  return undefined;
}

/** The definition of a name that the dictionary is known to have. */
export function definitionOf(name: string): Definition {
  const definition = definitions.get(name);
  if (definition === undefined) throw new Error(`the dictionary has no AVP ${name}`);
  return definition;
}

function compile(name: string, lines: readonly string[]): Grammar {
  const slots: Slot[] = [];
  let open = false;
  for (const line of lines) {
    const parts = /^(\d*\*?\d*)([<{[]) (.+) [>}\]]$/.exec(line);
    if (parts === null) throw new Error(`${name}: not a grammar line: ${line}`);
    const [, quantity = '', bracket, member = ''] = parts;
    if (member.startsWith('Diameter Header:')) continue;
    if (member === 'AVP') {
      open = true;
      continue;
    }
    const definition = drafts.get(member);
    if (definition === undefined) throw new Error(`${name}: the dictionary has no AVP ${member}`);
    slots.push({
      definition,
      required: bracket !== '[' && !quantity.startsWith('0'),
      repeated: quantity.endsWith('*'),
      forbidden: quantity === '*0',
    });
  }
  const slotOf = new Int16Array(drafts.size).fill(-1);
  slots.forEach((slot, at) => {
    slotOf[slot.definition.index] = at;
  });
  let accessors: Accessors | undefined;
  let spare: unknown[] | undefined;
  return {
    name,
    slots,
    get accessors() {
      accessors ??= accessorsFor(slots.map(({ definition }) => definition.name));
      return accessors;
    },
    takeSlots() {
      const taken = spare ?? new Array<unknown>(slots.length).fill(undefined);
      // A group may hold groups of its own kind.
      spare = undefined;
      return taken;
    },
    giveSlots(taken) {
      spare = taken;
    },
    required: [...slots.keys()].filter((at) => slots[at]!.required),
    slotOf,
    slotNamed: new Map(slots.map((slot, at) => [slot.definition.name, at])),
    open,
    evidence: name === 'Failed-AVP',
  };
}

const compiledCommands = new Map<CommandName, Command>();
const requests = new Map<number, Command>();
const answers = new Map<number, Command>();
for (const [name, lines] of Object.entries(commands) as [CommandName, readonly string[]][]) {
  const header = /^< Diameter Header: (\d+|code)((?:, \w+)*) >$/.exec(lines[0]!);
  if (header === null) throw new Error(`${name}: not a header line: ${lines[0]}`);
  const flags = header[2]!;
  const command: Command = {
    ...compile(name, lines),
    name,
    code: Number.parseInt(header[1]!, 10) || 0,
    request: flags.includes('REQ'),
    proxiable: flags.includes('PXY'),
  };
  compiledCommands.set(name, command);
  if (lines === answerMessage) continue;
  (command.request ? requests : answers).set(command.code, command);
}

export function commandNamed(name: CommandName): Command {
  return compiledCommands.get(name)!;
}

/** The command of a header's code and R flag, or undefined where it is unknown. */
export function findCommand(code: number, request: boolean): Command | undefined {
  return (request ? requests : answers).get(code);
}

/** The grammar of a message of which only the header is known: anything may be in it. */
export const anyMessage: Grammar = compile('any', ['*[ AVP ]']);
