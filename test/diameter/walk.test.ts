/** RFC 6733 4.1: AVPs as they lie on the wire. */
import { expect, test } from 'vitest';
import { walkAvps, walkMembers } from '../../src/diameter/walk.ts';
import { avp, ccr, ccrAvps, group, hex } from './bytes.ts';

test('B-040 every AVP in order, known or not, with code, vendor, flags and data', () => {
  const more = [
    avp(99999, 'abcde', { flags: 0 }),
    avp(7, hex('01'), { vendor: 4711, flags: 0xe1 }),
    group(456, [avp(432, 1)]),
  ];
  const walked = [...walkAvps(ccr({ more }))];
  expect(walked.map(({ code }) => code).slice(0, 8)).toEqual(
    Object.values(ccrAvps).map((one) => one.readUInt32BE(0)),
  );
  expect(walked.slice(8)).toEqual([
    {
      code: 99999,
      vendor: 0,
      flags: 0,
      data: Buffer.from('abcde'),
      bytes: more[0]!.subarray(0, 13),
    },
    { code: 7, vendor: 4711, flags: 0xe1, data: hex('01'), bytes: more[1]!.subarray(0, 13) },
    { code: 456, vendor: 0, flags: 0x40, data: avp(432, 1), bytes: more[2] },
  ]);
  expect([...walkMembers(walked.at(-1)!.data)]).toMatchObject([
    { code: 432, data: hex('00000001') },
  ]);
});

test('data are slices of the frame, so that they can be rewritten in place', () => {
  const frame = ccr();
  for (const { code, data } of walkAvps(frame)) if (code === 263) data.write('XX');
  expect(frame).toEqual(ccr({ replace: { sessionId: avp(263, 'XX.example;1;2') } }));
});

test.each([0, 7, 11, 100])('B-043 B-044 it stops before a length of %d', (length) => {
  const wrong = avp(7, hex('01020304'), { vendor: 4711, length });
  const walked = [...walkAvps(ccr({ more: [wrong, avp(1, 'x')] }))];
  expect(walked).toHaveLength(8);
});

test('what is too short for a header is no AVP', () => {
  expect([...walkAvps(Buffer.alloc(7))]).toEqual([]);
  expect([...walkMembers(hex('00000001 400000'))]).toEqual([]);
});
