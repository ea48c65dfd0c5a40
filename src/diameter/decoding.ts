// The one pass over a frame that decoding is: see decode.ts for what it accepts and refuses.

import type { DecodeOptions } from './decode.ts';
import { exampleOfLength, firstOf, inItsGroups, padded, startOfLevel } from './evidence.ts';
import { avpBytes, exampleOf, type Failure, failure } from './failure.ts';
import { type Header, headerBytes, headerFlags } from './header.ts';
import type { Members } from './members.ts';
import type { ResultCodeName } from './result-codes.ts';
import {
  anyMessage,
  avpFlags,
  type Command,
  type Definition,
  definitionOf,
  findDefinition,
  type Grammar,
} from './schema.ts';
import { readValue, wrongLength } from './value.ts';

/** What was found so far of one message or group. */
type Level = {
  /** By the grammar's slots. */
  readonly slots: unknown[];
  /** By name. */
  unlisted: Record<string, unknown[]> | undefined;
  /** The first of each AVP that came again, so that a flood of repetitions costs one search. */
  firsts: Map<Definition, Buffer | undefined> | undefined;
};

/** The decoding of one frame: it goes through it once, and keeps what it met. */
export class Decoding {
  failure: Failure | undefined = undefined;
  raw: { sessionId?: Buffer; proxyInfo: Buffer[]; serviceInformation?: Buffer } = {
    proxyInfo: [],
  };
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
    const slots = grammar.takeSlots();
    const level: Level = { slots, unlisted: undefined, firsts: undefined };
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
    const members = new grammar.accessors.Gathered(slots);
    grammar.giveSlots(slots);
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
    else if (definition === serviceInformation)
      this.raw.serviceInformation ??= this.#frame.subarray(data, stop);
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
    if (definition.group !== undefined) return this.#group(definition, at, data, stop);
    const value = readValue(this.#frame, this.#view, definition, data, stop);
    if (value === wrongLength) {
      this.#fail('DIAMETER_INVALID_AVP_LENGTH', `${stop - data} octets in ${definition.name}`, () =>
        avpBytes({ ...definition, flags }, Buffer.alloc(definition.exampleBytes)),
      );
      return undefined;
    }
    if (value === undefined) this.#failValue(definition, at, stop);
    else if (definition.values !== undefined)
      return this.#enumerated(definition, flags, required, at, stop, value as number);
    return value;
  }

  #enumerated(
    definition: Definition,
    flags: number,
    required: boolean,
    at: number,
    stop: number,
    value: number,
  ): number | undefined {
    const { values } = definition;
    if (values === undefined || values.has(value)) return value;
    // Vendors add numbers from release to release.
    if (definition.vendor !== 0 && !this.#strict) return value;
    // RFC 6733 4.1: without M a value that is not supported may be ignored.
    if (!required && (flags & avpFlags.mandatory) === 0) return undefined;
    this.#failValue(definition, at, stop);
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
      () => Buffer.concat(both.map((one) => padded(firstOf(this.#frame, one, start, end)!))),
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
      first = firstOf(this.#frame, definition, startOfLevel(this.#frame, this.#path), at);
      level.firsts.set(definition, first);
    }
    return first?.equals(this.#frame.subarray(at, stop)) ?? false;
  }

  #failNotAllowed(grammar: Grammar, { name }: Definition, at: number, stop: number): void {
    this.#fail('DIAMETER_AVP_NOT_ALLOWED', `${name} in ${grammar.name}`, at, stop);
  }

  #failValue(definition: Definition, at: number, stop: number): void {
    this.#fail('DIAMETER_INVALID_AVP_VALUE', `value of ${definition.name}`, at, stop);
  }

  #failLength(at: number, end: number): void {
    this.#fail('DIAMETER_INVALID_AVP_LENGTH', 'length of an AVP', () =>
      exampleOfLength(this.#frame, at, end),
    );
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
      this.failure = failure(code, text, [inItsGroups(this.#frame, this.#path, offending)]);
    }
  }
}

const capabilitiesExchange = 257;
const sessionId = definitionOf('Session-Id');
const proxyInfo = definitionOf('Proxy-Info');
const serviceInformation = definitionOf('Service-Information');
const authApplicationId = definitionOf('Auth-Application-Id');
const acctApplicationId = definitionOf('Acct-Application-Id');
const vendorSpecificApplicationId = definitionOf('Vendor-Specific-Application-Id');
