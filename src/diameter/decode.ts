// Decodes messages. RFC 6733 3, 4, 7 and 8.8.
//
// Nothing that a peer can send makes it throw. The first failure is kept, as a value that can build
// its own answer, and decoding goes on: what could be understood of the message is in `message`.
// A wrong length ends only the level it is in, because nothing after it can be found.
//
// Tolerant by default, where real peers need it; `strict` goes by the book:
//
//   | what                                              | tolerant            | strict |
//   | the same octets again of an AVP that may be once  | counted once        | 5009   |
//   | Auth-Application-Id missing                       | taken from the header | 5005 |
//   | M flag against the dictionary                     | accepted            | 3009   |
//   | reserved flag in the message header               | ignored             | 5013   |
//   | P flag on CER, DWR, DPR                           | accepted            | 3008   |
//   | known AVP that a closed group does not list       | accepted            | 5008   |
//   | AVP that must not be in an answer                 | left out            | 5008   |
//   | number that a vendor's enumeration does not name  | accepted            | 5004   |
//   | a group whose data is no multiple of 4 octets     | accepted            | 5014   |
//
// Always accepted: any order (3.2, 8.8), the P flag and reserved flags of AVPs (4.1), padding that
// is not zero (4), the V flag with vendor 0 (4.1.1), any octets as Session-Id (8.8).

import { readAddress } from './address.ts';
import type { CommandName, Messages } from './commands.ts';
import { avpBytes, exampleOf, type Failure, failure } from './failure.ts';
import { type Header, headerBytes, headerFlags, readHeader } from './header.ts';
import type { Members } from './members.ts';
import type { Message, Understood } from './message.ts';
import type { ResultCodeName } from './result-codes.ts';
import {
  anyMessage,
  avpFlags,
  type Command,
  commandNamed,
  type Definition,
  definitionOf,
  findCommand,
  findDefinition,
  type Grammar,
} from './schema.ts';
import { readOpaqueText, readText } from './text.ts';

export type DecodeOptions = {
  /** By the book; see the table at the top of this file. Off by default. */
  readonly strict?: boolean;
  /** Groups inside groups; 10 by default. A deeper one is refused with 5012. */
  readonly maxDepth?: number;
  /** AVPs in the whole message; 8,192 by default. What follows them is not read, 5012. */
  readonly maxAvps?: number;
};

/** What an answer repeats octet by octet. Slices of the frame: copy what outlives it. */
export type Raw = {
  /** The data of the first Session-Id. */
  readonly sessionId?: Buffer;
  /** Every Proxy-Info in order, header and data without padding (RFC 6733 6.2). */
  readonly proxyInfo: readonly Buffer[];
};

/** A message of a known command: whole, or with its first failure and what was understood. */
export type DecodedAs<Name extends CommandName> =
  | {
      readonly name: Name;
      readonly header: Header;
      readonly message: Messages[Name];
      readonly failure: undefined;
      readonly raw: Raw;
    }
  | {
      readonly name: Name;
      readonly header: Header;
      readonly message: Understood<Messages[Name]>;
      readonly failure: Failure;
      readonly raw: Raw;
    };

/**
 * `name` is `answer-message` for every answer with the E flag (RFC 6733 7.2), whose command is
 * `header.code`, and undefined for an unknown command, which always has a failure.
 */
export type Decoded =
  | { [Name in CommandName]: DecodedAs<Name> }[CommandName]
  | {
      readonly name: undefined;
      readonly header: Header;
      readonly message: Understood<Message<['*[ AVP ]']>>;
      readonly failure: Failure;
      readonly raw: Raw;
    };

/**
 * Decodes one frame. The application is the caller's to check, before `failure`: a command is told
 * by its code alone, so a message of another application than credit control may fail by the
 * grammar of this one.
 */
export function decode(frame: Buffer, options: DecodeOptions = {}): Decoded {
  const header = readHeader(frame);
  const command =
    header.error && !header.request
      ? commandNamed('answer-message')
      : findCommand(header.code, header.request);
  const decoding = new Decoding(frame, header, command, options);
  const message = decoding.run();
  // One assertion where a table turns into types.
  return {
    name: command?.name,
    header,
    message,
    failure: decoding.failure,
    raw: decoding.raw,
  } as Decoded;
}

/** What was found so far of one message or group. */
type Level = {
  /** By the grammar's slots. */
  readonly slots: unknown[];
  /** By name. */
  unlisted: Record<string, unknown[]> | undefined;
  /** The first of each AVP that came again, so that a flood of repetitions costs one search. */
  firsts: Map<Definition, Buffer | undefined> | undefined;
};

class Decoding {
  failure: Failure | undefined = undefined;
  raw: { sessionId?: Buffer; proxyInfo: Buffer[] } = { proxyInfo: [] };
  readonly #frame: Buffer;
  readonly #view: DataView;
  readonly #header: Header;
  readonly #command: Command | undefined;
  readonly #strict: boolean;
  readonly #maxDepth: number;
  #avpsLeft: number;
  /** Inside a Failed-AVP nothing is a failure. */
  #evidence = 0;
  /** Where the headers of the groups around the AVP in hand start. */
  readonly #path: number[] = [];

  constructor(frame: Buffer, header: Header, command: Command | undefined, options: DecodeOptions) {
    this.#frame = frame;
    this.#view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    this.#header = header;
    this.#command = command;
    this.#strict = options.strict ?? false;
    this.#maxDepth = options.maxDepth ?? 10;
    this.#avpsLeft = options.maxAvps ?? 8192;
  }

  run(): Members {
    this.#checkHeader();
    // RFC 6733 7.1.5: of another version nothing but the header's place is known.
    if (this.#header.version !== 1) return {};
    return this.#members(this.#command ?? anyMessage, headerBytes, this.#frame.length);
  }

  #checkHeader(): void {
    const { version, length, flags, request, error, proxiable } = this.#header;
    if (version !== 1) {
      this.#fail('DIAMETER_UNSUPPORTED_VERSION', `version ${version}`);
    } else if (length !== this.#frame.length || length < headerBytes || length % 4 !== 0) {
      this.#fail('DIAMETER_INVALID_MESSAGE_LENGTH', `message length ${length}`);
    } else if (request && error) {
      this.#fail('DIAMETER_INVALID_HDR_BITS', 'E flag in a request');
    } else if (this.#strict && (flags & headerFlags.reserved) !== 0) {
      this.#fail('DIAMETER_INVALID_BIT_IN_HEADER', 'reserved flag in the header');
    } else if (this.#command === undefined) {
      this.#fail('DIAMETER_COMMAND_UNSUPPORTED', `command ${this.#header.code}`);
    } else if (this.#strict && request && proxiable && !this.#command.proxiable) {
      this.#fail('DIAMETER_INVALID_HDR_BITS', `P flag in ${this.#command.name}`);
    }
  }

  #members(grammar: Grammar, start: number, end: number): Members {
    const view = this.#view;
    const level: Level = {
      slots: new Array(grammar.slots.length),
      unlisted: undefined,
      firsts: undefined,
    };
    let at = start;
    while (at < end) {
      if (this.#avpsLeft === 0) {
        this.#fail('DIAMETER_UNABLE_TO_COMPLY', 'too many AVPs');
        break;
      }
      this.#avpsLeft -= 1;
      if (end - at < 8) {
        this.#failLength(at, end);
        break;
      }
      const word = view.getUint32(at + 4);
      const length = word & 0xffffff;
      const flags = word >>> 24;
      const vendorSpecific = (flags & avpFlags.vendor) !== 0;
      const data = at + (vendorSpecific ? 12 : 8);
      const stop = at + length;
      if (stop < data || stop > end) {
        this.#failLength(at, end);
        break;
      }
      const code = view.getUint32(at);
      const definition = findDefinition(vendorSpecific ? view.getUint32(at + 8) : 0, code);
      if (definition !== undefined) {
        this.#member(grammar, level, definition, flags, at, data, stop);
      } else if ((flags & avpFlags.mandatory) !== 0) {
        this.#fail('DIAMETER_AVP_UNSUPPORTED', `unknown AVP ${code}`, at, stop);
      }
      at += (length + 3) & ~3;
    }
    this.#checkMissing(grammar, level);
    const members = grammar.accessors.gather(level.slots);
    return level.unlisted === undefined ? members : Object.assign(members, level.unlisted);
  }

  /** One known AVP at `at`, its payload in `data..stop`. */
  #member(
    grammar: Grammar,
    level: Level,
    definition: Definition,
    flags: number,
    at: number,
    data: number,
    stop: number,
  ): void {
    const top = this.#path.length === 0;
    if (top) this.#keepRaw(definition, at, data, stop);
    if (this.#strict && !this.#flagsFit(definition, flags)) {
      this.#fail('DIAMETER_INVALID_AVP_BITS', `M flag of ${definition.name}`, at, stop);
    }
    const slotAt = grammar.slotOf[definition.index]!;
    if (slotAt < 0) {
      this.#unlisted(grammar, level, definition, flags, at, data, stop);
      return;
    }
    const { forbidden, repeated, required } = grammar.slots[slotAt]!;
    if (forbidden) {
      // What an answer should not have had, its reader can do without.
      if (this.#strict || this.#header.request) this.#failNotAllowed(grammar, definition, at, stop);
      return;
    }
    const before = level.slots[slotAt];
    if (!repeated && before !== undefined) {
      if (this.#strict || !this.#isRepetition(level, definition, at, stop)) {
        const text = `${definition.name} more than once`;
        this.#fail('DIAMETER_AVP_OCCURS_TOO_MANY_TIMES', text, at, stop);
      }
      return;
    }
    const value = this.#value(definition, flags, required, at, data, stop);
    if (value === undefined) return;
    if (top) this.#checkApplication(definition, value, at, stop);
    if (!repeated) level.slots[slotAt] = value;
    else if (before === undefined) level.slots[slotAt] = [value];
    else (before as unknown[]).push(value);
  }

  /** A known AVP that the grammar does not list. */
  #unlisted(
    grammar: Grammar,
    level: Level,
    definition: Definition,
    flags: number,
    at: number,
    data: number,
    stop: number,
  ): void {
    if (this.#strict && !grammar.open) {
      this.#failNotAllowed(grammar, definition, at, stop);
      return;
    }
    const value = this.#value(definition, flags, false, at, data, stop);
    if (value === undefined) return;
    if (this.#path.length === 0) this.#checkApplication(definition, value, at, stop);
    level.unlisted ??= {};
    const before = level.unlisted[definition.name];
    if (before === undefined) level.unlisted[definition.name] = [value];
    else before.push(value);
  }

  #keepRaw(definition: Definition, at: number, data: number, stop: number): void {
    if (definition === sessionId) this.raw.sessionId ??= this.#frame.subarray(data, stop);
    else if (definition === proxyInfo) this.raw.proxyInfo.push(this.#frame.subarray(at, stop));
  }

  /** The value, or undefined where it is none, which is then noted. */
  #value(
    definition: Definition,
    flags: number,
    required: boolean,
    at: number,
    data: number,
    stop: number,
  ): unknown {
    const view = this.#view;
    const bytes = stop - data;
    switch (definition.format) {
      case 'Unsigned32':
        if (bytes === 4) return view.getUint32(data);
        break;
      case 'Integer32':
        if (bytes === 4) return view.getInt32(data);
        break;
      case 'Enumerated':
        if (bytes === 4) {
          return this.#enumerated(definition, flags, required, at, view.getInt32(data));
        }
        break;
      case 'Unsigned64':
        if (bytes === 8) return view.getBigUint64(data);
        break;
      case 'Integer64':
        if (bytes === 8) return view.getBigInt64(data);
        break;
      case 'Float32':
        if (bytes === 4) return view.getFloat32(data);
        break;
      case 'Float64':
        if (bytes === 8) return view.getFloat64(data);
        break;
      case 'Time':
        if (bytes === 4) return unixSeconds(view.getUint32(data));
        break;
      case 'OctetString':
        return this.#frame.subarray(data, stop);
      case 'Address': {
        if (bytes < 2) break;
        const address = readAddress(this.#frame, data, stop);
        if (address === undefined) this.#failValue(definition, at, stop);
        return address;
      }
      case 'Grouped':
        return this.#group(definition, at, data, stop);
      default: {
        const text =
          definition === sessionId
            ? readOpaqueText(this.#frame.subarray(data, stop))
            : readText(this.#frame, data, stop);
        if (text === undefined) this.#failValue(definition, at, stop);
        return text;
      }
    }
    this.#fail('DIAMETER_INVALID_AVP_LENGTH', `${bytes} octets in ${definition.name}`, () =>
      avpBytes({ ...definition, flags }, Buffer.alloc(definition.exampleBytes)),
    );
    return undefined;
  }

  #enumerated(
    definition: Definition,
    flags: number,
    required: boolean,
    at: number,
    value: number,
  ): number | undefined {
    const { values } = definition;
    if (values === undefined || values.has(value)) return value;
    // Vendors add numbers from release to release.
    if (definition.vendor !== 0 && !this.#strict) return value;
    // RFC 6733 4.1: without M a value that is not supported may be ignored.
    if (!required && (flags & avpFlags.mandatory) === 0) return undefined;
    this.#failValue(definition, at, at + definition.headerBytes + 4);
    return undefined;
  }

  #group(definition: Definition, at: number, data: number, stop: number): Members | undefined {
    const grammar = definition.group!;
    if (this.#path.length >= this.#maxDepth) {
      this.#fail('DIAMETER_UNABLE_TO_COMPLY', `${definition.name} nested too deep`);
      return undefined;
    }
    if (this.#strict && (stop - data) % 4 !== 0) {
      this.#fail('DIAMETER_INVALID_AVP_LENGTH', `${stop - data} octets in ${definition.name}`, () =>
        exampleOf(definition),
      );
      return undefined;
    }
    this.#path.push(at);
    if (grammar.evidence) this.#evidence += 1;
    const members = this.#members(grammar, data, stop);
    if (grammar.evidence) this.#evidence -= 1;
    if (definition === vendorSpecificApplicationId) this.#checkOneApplication(members, data, stop);
    this.#path.pop();
    return members;
  }

  #checkMissing(grammar: Grammar, { slots }: Level): void {
    for (const slotAt of grammar.required) {
      if (slots[slotAt] !== undefined) continue;
      const { definition } = grammar.slots[slotAt]!;
      if (definition === authApplicationId && this.#path.length === 0 && !this.#strict) {
        slots[slotAt] = this.#header.applicationId;
        continue;
      }
      this.#fail('DIAMETER_MISSING_AVP', `${definition.name} missing in ${grammar.name}`, () =>
        exampleOf(definition),
      );
    }
  }

  /** RFC 6733 6.8 and 6.9: outside of CER and CEA these say what the header says. */
  #checkApplication(definition: Definition, value: unknown, at: number, stop: number): void {
    if (definition !== authApplicationId && definition !== acctApplicationId) return;
    if (this.#header.code === capabilitiesExchange) return;
    if (value === this.#header.applicationId) return;
    const text = `${definition.name} is not the application of the header`;
    this.#fail('DIAMETER_INVALID_AVP_VALUE', text, at, stop);
  }

  /** RFC 6733 6.11: exactly one of the two. */
  #checkOneApplication(members: Members, start: number, end: number): void {
    const both = [authApplicationId, acctApplicationId];
    const present = both.filter(({ name }) => members[name] !== undefined);
    if (present.length === 1) return;
    if (present.length === 0) {
      this.#fail('DIAMETER_MISSING_AVP', 'no application in Vendor-Specific-Application-Id', () =>
        Buffer.concat(both.map(exampleOf)),
      );
      return;
    }
    this.#fail(
      'DIAMETER_AVP_OCCURS_TOO_MANY_TIMES',
      'two applications in Vendor-Specific-Application-Id',
      () => Buffer.concat(both.map((one) => padded(this.#firstOf(one, start, end)!))),
    );
  }

  #flagsFit(definition: Definition, flags: number): boolean {
    const mandatory = (flags & avpFlags.mandatory) !== 0;
    return definition.mandatory === 'may' || mandatory === (definition.mandatory === 'must');
  }

  /** Whether the AVP at `at` is, octet for octet, the first of its kind in its level. */
  #isRepetition(level: Level, definition: Definition, at: number, stop: number): boolean {
    level.firsts ??= new Map();
    let first = level.firsts.get(definition);
    if (first === undefined) {
      first = this.#firstOf(definition, this.#levelStart(), at);
      level.firsts.set(definition, first);
    }
    return first?.equals(this.#frame.subarray(at, stop)) ?? false;
  }

  #levelStart(): number {
    const around = this.#path.at(-1);
    if (around === undefined) return headerBytes;
    return around + ((this.#frame[around + 4]! & avpFlags.vendor) === 0 ? 8 : 12);
  }

  /** The first AVP of a kind in a level that is known to be well-formed, without padding. */
  #firstOf(definition: Definition, start: number, end: number): Buffer | undefined {
    for (let at = start; at + 8 <= end; ) {
      const word = this.#view.getUint32(at + 4);
      const length = word & 0xffffff;
      const vendor = word >>> 31 === 0 ? 0 : this.#view.getUint32(at + 8);
      if (vendor === definition.vendor && this.#view.getUint32(at) === definition.code) {
        return this.#frame.subarray(at, at + length);
      }
      at += Math.max((length + 3) & ~3, 8);
    }
    return undefined;
  }

  #failNotAllowed(grammar: Grammar, { name }: Definition, at: number, stop: number): void {
    this.#fail('DIAMETER_AVP_NOT_ALLOWED', `${name} in ${grammar.name}`, at, stop);
  }

  #failValue(definition: Definition, at: number, stop: number): void {
    this.#fail('DIAMETER_INVALID_AVP_VALUE', `value of ${definition.name}`, at, stop);
  }

  /**
   * RFC 6733 7.1.5: the header of an AVP whose length cannot be, with a zero-filled payload of the
   * shortest length. What is missing of the header is filled with zeros.
   */
  #failLength(at: number, end: number): void {
    this.#fail('DIAMETER_INVALID_AVP_LENGTH', 'length of an AVP', () => {
      const header = Buffer.alloc(12);
      this.#frame.copy(header, 0, at, Math.min(end, at + 12));
      const code = header.readUInt32BE(0);
      const flags = header[4]!;
      const vendor = (flags & avpFlags.vendor) === 0 ? 0 : header.readUInt32BE(8);
      const bytes = findDefinition(vendor, code)?.exampleBytes ?? 0;
      return avpBytes({ code, flags, vendor }, Buffer.alloc(bytes));
    });
  }

  /** Keeps the first failure; its AVP is copied out of the frame, or made, only for that one. */
  #fail(code: ResultCodeName, text: string): void;
  #fail(code: ResultCodeName, text: string, make: () => Buffer): void;
  #fail(code: ResultCodeName, text: string, at: number, stop: number): void;
  #fail(code: ResultCodeName, text: string, from?: number | (() => Buffer), stop = 0): void {
    if (this.failure !== undefined || this.#evidence > 0) return;
    if (from === undefined) this.failure = failure(code, text);
    else {
      const offending =
        typeof from === 'function' ? from() : padded(this.#frame.subarray(from, stop));
      this.failure = failure(code, text, [this.#inItsGroups(offending)]);
    }
  }

  /** RFC 6733 7.5: the groups around an AVP, with nothing else in them. */
  #inItsGroups(offending: Buffer): Buffer {
    let inner = offending;
    for (const at of this.#path.toReversed()) {
      const flags = this.#frame[at + 4]!;
      const vendor = (flags & avpFlags.vendor) === 0 ? 0 : this.#view.getUint32(at + 8);
      inner = avpBytes({ code: this.#view.getUint32(at), flags, vendor }, inner);
    }
    return inner;
  }
}

const capabilitiesExchange = 257;
const sessionId = definitionOf('Session-Id');
const proxyInfo = definitionOf('Proxy-Info');
const authApplicationId = definitionOf('Auth-Application-Id');
const acctApplicationId = definitionOf('Acct-Application-Id');
const vendorSpecificApplicationId = definitionOf('Vendor-Specific-Application-Id');

function padded(avp: Buffer): Buffer {
  return avp.length % 4 === 0 ? avp : Buffer.concat([avp], (avp.length + 3) & ~3);
}

/** 1900-01-01 to 1970-01-01 in seconds. */
const ntpEpoch = 2_208_988_800;

/** RFC 6733 4.3.1: with the high bit clear, seconds since 2036-02-07 06:28:16 UTC. */
function unixSeconds(time: number): number {
  return time - ntpEpoch + (time < 0x80000000 ? 0x100000000 : 0);
}
