// Text in AVPs. RFC 6733 4.3.1: UTF8String is valid UTF-8. A Session-Id is taken as the bytes that
// they are (8.8), so one that is not valid UTF-8 still needs a string: every octet that is no part
// of a valid sequence becomes the lone surrogate U+DC80 + (octet - 0x80). Valid UTF-8 never decodes
// to a lone surrogate, so different octets give different strings and the octets can be had back.

import { isUtf8 } from 'node:buffer';

/** The text of some octets, or undefined where they are not valid UTF-8. */
export function readText(bytes: Buffer, start: number, end: number): string | undefined {
  let at = start;
  while (at < end && bytes[at]! < 0x80) at += 1;
  if (at === end) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

/** The text of any octets; see the top of this file. */
export function readOpaqueText(bytes: Buffer): string {
  const text = readText(bytes, 0, bytes.length);
  if (text !== undefined) return text;
  let escaped = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) escaped += String.fromCharCode(0xdc00 + bytes[at]!);
    else escaped += bytes.toString('utf8', at, at + length);
    at += Math.max(length, 1);
  }
  return escaped;
}

/** The octets of a text that `readOpaqueText` made. */
export function opaqueTextBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    parts.push(
      point >= 0xdc80 && point <= 0xdcff
        ? Buffer.of(point - 0xdc00)
        : Buffer.from(character, 'utf8'),
    );
  }
  return Buffer.concat(parts);
}

/** How many octets the valid sequence at `at` has; 0 where none starts there. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
