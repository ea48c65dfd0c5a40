// Encodes messages. RFC 6733 3, 4 and 6.2.
//
// Members go out in the order of the grammar, `< >` first, then what `*[ AVP ]` admits; flags are
// the dictionary's. What cannot be represented (a missing member, a number out of range) is a
// defect of the caller and throws.

import { addressBytes } from './address.ts';
import type { Address } from './avp.ts';
import type { AnswerMessage, CommandName, Messages } from './commands.ts';
import type { AvpName } from './dictionary.ts';
import { headerBytes, headerFlags, type OutgoingHeader } from './header.ts';
import type { Members } from './members.ts';
import type { Value } from './message.ts';
import { isProtocolError } from './result-codes.ts';
import {
  commandNamed,
  type Definition,
  definitionOf,
  definitions,
  type Grammar,
} from './schema.ts';
import { opaqueTextBytes } from './text.ts';

/** Octets that go out as they are, in place of members of the same name. */
export type RawMembers = {
  /** The data of Session-Id. */
  readonly sessionId?: Buffer;
  /** Whole Proxy-Info AVPs, header and data. */
  readonly proxyInfo?: readonly Buffer[];
  /** Whole AVPs, to be put into one Failed-AVP. */
  readonly failedAvp?: readonly Buffer[];
};

/** Throws a TypeError or RangeError for a message that its grammar or a format does not admit. */
export function encode<Name extends Exclude<CommandName, 'answer-message'>>(
  name: Name,
  header: OutgoingHeader,
  message: Messages[Name],
  raw: RawMembers = {},
): Buffer {
  const command = commandNamed(name);
  // RFC 6733 7.1.3: a 3xxx goes out with the E flag, so by encodeAnswerMessage.
  if ('Result-Code' in message && isProtocolError(message['Result-Code'] as number)) {
    throw new TypeError(`${message['Result-Code']} in ${name}`);
  }
  let flags = command.request ? headerFlags.request : 0;
  if (header.proxiable ?? false) flags |= headerFlags.proxiable;
  if (command.request && (header.retransmitted ?? false)) flags |= headerFlags.retransmitted;
  return writeMessage(command, { ...header, flags, code: command.code }, message, raw);
}

/** An answer with the E flag to a request of any command. RFC 6733 7.2. */
export function encodeAnswerMessage(
  code: number,
  header: OutgoingHeader,
  message: AnswerMessage,
  raw: RawMembers = {},
): Buffer {
  const flags = headerFlags.error | ((header.proxiable ?? false) ? headerFlags.proxiable : 0);
  return writeMessage(commandNamed('answer-message'), { ...header, flags, code }, message, raw);
}

/** One AVP with its padding, as for Failed-AVP. */
export function encodeAvp<Name extends AvpName>(name: Name, value: Value<Name>): Buffer {
  writer.at = 0;
  writeAvp(definitionOf(name), value);
  return writer.taken();
}

/** A buffer that grows to the longest message and is used again for every one. */
class Writer {
  bytes = Buffer.allocUnsafeSlow(4096);
  view = new DataView(this.bytes.buffer);
  at = 0;

  /** Makes room for `count` more octets. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + count));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** Fills up to a multiple of 4 with zeros. */
  pad(): void {
    while (this.at % 4 !== 0) {
      this.bytes[this.at] = 0;
      this.at += 1;
    }
  }

  octets(data: Buffer): void {
    this.reserve(data.length + 3);
    data.copy(this.bytes, this.at);
    this.at += data.length;
  }

  text(text: string): void {
    this.reserve(3 * text.length + 3);
    this.at += this.bytes.write(text, this.at, 'utf8');
  }

  taken(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }
}

const writer = new Writer();

function writeMessage(
  grammar: Grammar,
  header: OutgoingHeader & { flags: number; code: number },
  message: object,
  raw: RawMembers,
): Buffer {
  writer.at = headerBytes;
  writeMembers(grammar, message as Members, raw);
  if (writer.at > 0xffffff) throw new RangeError(`a message of ${writer.at} octets`);
  const { view } = writer;
  view.setUint32(0, 0x01000000 | writer.at);
  view.setUint32(4, header.flags * 0x1000000 + header.code);
  view.setUint32(8, header.applicationId);
  view.setUint32(12, header.hopByHop);
  view.setUint32(16, header.endToEnd);
  return writer.taken();
}

const noRaw: RawMembers = {};

function writeMembers(grammar: Grammar, members: Readonly<Members>, raw: RawMembers): void {
  const slots: unknown[] = new Array(grammar.slots.length);
  let unlisted = -grammar.accessors.spread(members, slots);
  for (let at = 0; at < slots.length; at += 1) {
    const { definition, required, repeated, forbidden } = grammar.slots[at]!;
    if (raw !== noRaw && writeRaw(definition, raw)) continue;
    const value = slots[at];
    if (value === undefined || (repeated && (value as unknown[]).length === 0)) {
      if (required) throw new TypeError(`${definition.name} is missing in ${grammar.name}`);
    } else if (forbidden) {
      throw new TypeError(`${definition.name} must not be in ${grammar.name}`);
    } else if (repeated) {
      for (const one of value as unknown[]) writeAvp(definition, one);
    } else {
      writeAvp(definition, value);
    }
  }
  for (const _ in members) unlisted += 1;
  if (unlisted > 0) writeUnlisted(grammar, members);
}

/** What `*[ AVP ]` admits. */
function writeUnlisted(grammar: Grammar, members: Readonly<Members>): void {
  for (const name in members) {
    if (grammar.slotNamed.has(name) || members[name] === undefined) continue;
    const definition = definitions.get(name);
    if (definition === undefined || !grammar.open) {
      throw new TypeError(`${name} cannot be in ${grammar.name}`);
    }
    for (const one of members[name] as unknown[]) writeAvp(definition, one);
  }
}

/** Writes the octets that replace a member, if there are any. */
function writeRaw(definition: Definition, raw: RawMembers): boolean {
  if (definition === sessionId && raw.sessionId !== undefined) {
    const start = writeHeader(definition);
    writer.octets(raw.sessionId);
    writeLength(start);
    return true;
  }
  if (definition === proxyInfo && raw.proxyInfo !== undefined) {
    for (const one of raw.proxyInfo) {
      writer.octets(one);
      writer.pad();
    }
    return true;
  }
  if (definition === failedAvp && raw.failedAvp !== undefined && raw.failedAvp.length > 0) {
    const start = writeHeader(definition);
    for (const one of raw.failedAvp) {
      writer.octets(one);
      writer.pad();
    }
    writeLength(start);
    return true;
  }
  return false;
}

const sessionId = definitionOf('Session-Id');
const proxyInfo = definitionOf('Proxy-Info');
const failedAvp = definitionOf('Failed-AVP');

/** Leaves the length open; returns where the AVP starts. */
function writeHeader(definition: Definition): number {
  writer.reserve(24);
  const start = writer.at;
  writer.view.setUint32(start, definition.code);
  if (definition.vendor !== 0) writer.view.setUint32(start + 8, definition.vendor);
  writer.bytes[start + 4] = definition.flags;
  writer.at = start + definition.headerBytes;
  return start;
}

function writeLength(start: number): void {
  const length = writer.at - start;
  if (length > 0xffffff) throw new RangeError('an AVP of more than 16,777,215 octets');
  writer.bytes[start + 5] = length >>> 16;
  writer.bytes[start + 6] = (length >>> 8) & 0xff;
  writer.bytes[start + 7] = length & 0xff;
  writer.pad();
}

function writeAvp(definition: Definition, value: unknown): void {
  const start = writeHeader(definition);
  writeValue(definition, value);
  writeLength(start);
}

function writeValue(definition: Definition, value: unknown): void {
  const { view, at } = writer;
  switch (definition.format) {
    case 'Unsigned32':
      view.setUint32(at, whole(definition, value as number, 0, 0xffffffff));
      writer.at = at + 4;
      break;
    case 'Integer32':
    case 'Enumerated':
      view.setInt32(at, whole(definition, value as number, -0x80000000, 0x7fffffff));
      writer.at = at + 4;
      break;
    case 'Unsigned64':
      view.setBigUint64(at, within(definition, value as bigint, 0n, 0xffffffffffffffffn));
      writer.at = at + 8;
      break;
    case 'Integer64':
      view.setBigInt64(at, within(definition, value as bigint, -(2n ** 63n), 2n ** 63n - 1n));
      writer.at = at + 8;
      break;
    case 'Float32':
      view.setFloat32(at, value as number);
      writer.at = at + 4;
      break;
    case 'Float64':
      view.setFloat64(at, value as number);
      writer.at = at + 8;
      break;
    case 'Time':
      view.setUint32(at, diameterTime(definition, value as number));
      writer.at = at + 4;
      break;
    case 'OctetString':
      writer.octets(value as Buffer);
      break;
    case 'Address':
      writer.octets(addressBytes(value as Address));
      break;
    case 'Grouped':
      writeMembers(definition.group!, value as Members, noRaw);
      break;
    default:
      if (definition === sessionId) writer.octets(opaqueTextBytes(value as string));
      else writer.text(value as string);
  }
}

function whole(definition: Definition, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${definition.name} cannot be ${value}`);
}

function within(definition: Definition, value: bigint, least: bigint, most: bigint): bigint {
  if (value >= least && value <= most) return value;
  throw new RangeError(`${definition.name} cannot be ${value}`);
}

/** 1900-01-01 to 1970-01-01 in seconds. */
const ntpEpoch = 2_208_988_800;

/** RFC 6733 4.3.1: two eras, 1968-01-20 to 2036-02-07 and from there to 2104-02-26. */
function diameterTime(definition: Definition, unixSeconds: number): number {
  const time = whole(definition, unixSeconds + ntpEpoch, 0x80000000, 0x17fffffff);
  return time % 0x100000000;
}
