/** RFC 6733 2.1 and 3: messages out of a stream of bytes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../../src/diameter/decode.ts';
import { Framer, type FramerOptions, type Violation } from '../../src/diameter/framer.ts';
import { avp, ccr, cerAvps, hex, message } from './bytes.ts';

function frames(chunks: Buffer[], options?: FramerOptions) {
  const got: Buffer[] = [];
  // A chunk's memory is its reader's again as soon as push returns.
  const framer = new Framer((frame) => got.push(Buffer.from(frame)), options);
  let violation: Violation | undefined;
  for (const chunk of chunks) {
    const once = Buffer.from(chunk);
    violation = framer.push(once);
    once.fill(0xee);
  }
  return { got, violation, held: framer.heldBytes };
}

const cer = message(cerAvps, { code: 257, flags: 0x80, applicationId: 0 });
const dwr = message([avp(264, 'gw'), avp(296, 'r')], { code: 280, flags: 0x80 });
const messages = { cer, dwr, ccr: ccr(), empty: message([]) };

test.each(Object.entries(messages))('B-020 %s split at every octet', (_, whole) => {
  for (let at = 0; at <= whole.length; at += 1) {
    const { got, violation, held } = frames([whole.subarray(0, at), whole.subarray(at)]);
    expect(got).toEqual([whole]);
    expect(violation).toBeUndefined();
    expect(held).toBe(0);
  }
});

test('B-020 one octet at a time', () => {
  const stream = Buffer.concat(Object.values(messages));
  const { got } = frames(Array.from(stream, (octet) => Buffer.of(octet)));
  expect(got).toEqual(Object.values(messages));
});

test('B-020 two hundred messages in one chunk, uncopied', () => {
  const stream = Buffer.concat(new Array<Buffer>(200).fill(ccr()));
  const got: Buffer[] = [];
  new Framer((frame) => got.push(frame)).push(stream);
  expect(got).toHaveLength(200);
  expect(got.every((frame) => frame.buffer === stream.buffer)).toBe(true);
  expect(Buffer.concat(got)).toEqual(stream);
});

test('B-020 any cutting of a stream gives the same messages', () => {
  const stream = Buffer.concat([cer, ccr(), dwr, ccr(), message([]), ccr()]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
      const { got } = frames(at.slice(1).map((end, i) => stream.subarray(at[i], end)));
      expect(got).toEqual([cer, ccr(), dwr, ccr(), message([]), ccr()]);
    }),
  );
});

test.each([0, 4, 16, 19])('B-002 B-012 a length of %d cannot be delimited', (length) => {
  const { got, violation } = frames([cer, message([], { length }), cer]);
  expect(got).toEqual([cer]);
  expect(violation).toMatchObject({ kind: 'too-short' });
  expect(violation).not.toHaveProperty('frame');
});

test.each([21, 22, 23])('B-002 a length of %d ends the stream with a frame to answer', (length) => {
  const odd = Buffer.concat([message([], { length }), Buffer.alloc(length - 20)]);
  const { got, violation } = frames([cer, odd, cer]);
  expect(got).toEqual([cer]);
  expect(violation).toMatchObject({ kind: 'unaligned', frame: odd });
  expect(decode(violation!.frame!).failure).toMatchObject({ resultCode: 5015 });
});

test.each([
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: ocs\r\n\r\n'), 1],
  ['an SSH client', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 1],
  ['a TLS hello', hex('16030100c8010000c40303'), 1],
  ['version 0 and zeros', Buffer.alloc(32), 4],
  ['another version with reserved flags', hex('02000014 ff000110'), 5],
  ['another version, unaligned', hex('03000015 80000110'), 5],
])('B-012 %s is refused at its first telling octet', (_, bytes, telling) => {
  expect(frames([bytes.subarray(0, telling - 1)]).violation).toBeUndefined();
  expect(frames([bytes.subarray(0, telling)]).violation).toBeDefined();
  expect(frames([bytes]).got).toEqual([]);
  expect(frames(Array.from(bytes, (octet) => Buffer.of(octet))).got).toEqual([]);
});

test('B-001 a plausible message of another version is delivered', () => {
  const next = ccr({}, { version: 2 });
  for (let at = 0; at <= next.length; at += 1) {
    const { got } = frames([next.subarray(0, at), next.subarray(at), cer]);
    expect(got).toEqual([next, cer]);
  }
});

test('B-019 more than the cap is refused before it is held', () => {
  const announced = message([], { length: 0xfffffc });
  const { got, violation, held } = frames([announced.subarray(0, 4)]);
  expect({ got, held }).toEqual({ got: [], held: 0 });
  expect(violation).toMatchObject({ kind: 'too-long' });
});

test('B-019 the cap is a setting, and what just fits it is delivered', () => {
  const exact = message([avp(264, Buffer.alloc(100))]);
  expect(frames([exact], { maxFrameBytes: exact.length }).got).toEqual([exact]);
  expect(frames([exact], { maxFrameBytes: exact.length - 4 }).violation).toBeDefined();
});

test('B-019 a peer that announces much and sends little holds little', () => {
  const framer = new Framer(() => undefined);
  framer.push(message([], { length: 262_144 }));
  expect(framer.heldBytes).toBe(20);
});

test('after a violation or a stop nothing more is delivered', () => {
  const got: Buffer[] = [];
  const framer = new Framer((frame) => {
    got.push(frame);
    framer.stop();
  });
  expect(framer.push(Buffer.concat([cer, cer]))).toBeUndefined();
  framer.push(cer);
  expect(got).toEqual([cer]);
});

test('any bytes at all are frames, patience or a violation', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      const { got, held } = frames(chunks.map((chunk) => Buffer.from(chunk)));
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      expect(got.reduce((sum, frame) => sum + frame.length, held)).toBeLessThanOrEqual(bytes);
    }),
  );
});
