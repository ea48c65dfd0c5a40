/** Whatever arrives: nothing throws, and every refusal can be read by a strict peer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { decode } from '../../src/diameter/decode.ts';
import { failure } from '../../src/diameter/failure.ts';
import { skim } from '../../src/diameter/skim.ts';
import { walkAvps } from '../../src/diameter/walk.ts';
import { avp, ccr, cerAvps, group, hex, message, u64 } from './bytes.ts';
import { strictErrorAnswer } from './strict-parser.ts';

const origin = { host: 'ocs.example', realm: 'example', stateId: 7 };

const valid = [
  ccr(),
  ccr({
    more: [
      avp(55, 0xeeac0640),
      group(443, [avp(450, 0), avp(444, '491700000042')]),
      group(456, [
        group(437, []),
        group(446, [avp(421, u64(1_048_576n)), avp(452, 0)]),
        avp(432, 1),
        avp(872, 3, { vendor: 10415 }),
      ]),
      group(284, [avp(280, 'agent'), avp(33, hex('00ff00'))]),
      group(
        873,
        [
          group(
            874,
            [
              avp(1227, hex('0001 0a2d002a'), { vendor: 10415 }),
              avp(30, 'internet'),
              avp(21, hex('06'), { vendor: 10415 }),
            ],
            { vendor: 10415 },
          ),
        ],
        { vendor: 10415 },
      ),
    ],
  }),
  message([...cerAvps, group(260, [avp(266, 10415), avp(258, 4)])], {
    code: 257,
    flags: 0x80,
    applicationId: 0,
  }),
  message([avp(264, 'gw'), avp(296, 'r'), avp(273, 0)], {
    code: 282,
    flags: 0x80,
    applicationId: 0,
  }),
  message([avp(263, 's'), avp(264, 'gw'), avp(296, 'r'), avp(283, 'r'), avp(258, 4), avp(295, 1)], {
    code: 275,
  }),
];

function survives(frame: Buffer): void {
  for (const strict of [false, true]) {
    const decoded = decode(frame, { strict });
    const refused = decoded.failure ?? failure('DIAMETER_UNABLE_TO_COMPLY', 'defect');
    const answers = [
      answerFailure(decoded, origin, refused),
      answerFailure(skim(frame), origin, failure('DIAMETER_TOO_BUSY', 'busy')),
    ];
    for (const answer of answers) {
      expect(answer === undefined).toBe(!decoded.header.request);
      // A frame cut inside its header has nothing to compare the answer with.
      if (answer !== undefined && frame.length >= 20) strictErrorAnswer(answer, frame);
    }
  }
  expect([...walkAvps(frame)].length).toBeLessThanOrEqual(frame.length / 8);
}

test('the messages that are damaged below are good', () => {
  for (const frame of valid) expect(decode(frame, { strict: true }).failure).toBeUndefined();
});

test('random octets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => survives(Buffer.from(octets))),
    { numRuns: 500 },
  );
});

test('random octets after a good header', () => {
  const body = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets));
  const code = fc.constantFrom(257, 258, 272, 274, 275, 280, 282, 999);
  fc.assert(
    fc.property(
      body,
      code,
      fc.constantFrom(0, 0x40, 0x80, 0xc0, 0xd0, 0x20),
      (octets, of, flags) => {
        survives(message([octets], { code: of, flags }));
      },
    ),
    { numRuns: 500 },
  );
});

test('good messages with a few octets changed', () => {
  const change = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(
      fc.constantFrom(...valid),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (frame, changes) => {
        const damaged = Buffer.from(frame);
        for (const [at, octet] of changes) damaged[at % damaged.length] = octet;
        survives(damaged);
      },
    ),
    { numRuns: 3000 },
  );
});

test('good messages with every single octet set to 0, to 255 and to one more', () => {
  for (const frame of valid) {
    for (let at = 0; at < frame.length; at += 1) {
      for (const octet of [0, 255, (frame[at]! + 1) & 255]) {
        const damaged = Buffer.from(frame);
        damaged[at] = octet;
        survives(damaged);
      }
    }
  }
});

test('good messages cut short, with and without a length that says so', () => {
  for (const frame of valid) {
    for (let at = 0; at < frame.length; at += 1) {
      survives(frame.subarray(0, at));
      const honest = Buffer.from(frame.subarray(0, at));
      if (at >= 4) honest.writeUIntBE(at, 1, 3);
      survives(honest);
    }
  }
});

test('AVPs of any code, flags, vendor and length', () => {
  const one = fc
    .record({
      code: fc.oneof(fc.constantFrom(263, 264, 279, 284, 415, 416, 443, 456, 446), fc.nat(1000)),
      data: fc.uint8Array({ maxLength: 24 }),
      flags: fc.nat(255),
      vendor: fc.constantFrom(0, 10415, 4711),
      length: fc.option(fc.oneof(fc.nat(40), fc.constant(0xffffff)), { nil: undefined }),
    })
    .map(({ code, data, flags, vendor, length }) =>
      avp(code, Buffer.from(data), {
        flags,
        vendor,
        ...(length === undefined ? {} : { length }),
      }),
    );
  const level = fc.array(one, { maxLength: 4 });
  const nested = fc.tuple(fc.constantFrom(456, 446, 443, 284, 279, 260), level);
  fc.assert(
    fc.property(level, fc.array(nested, { maxLength: 3 }), (more, groups) => {
      survives(ccr({ more: [...more, ...groups.map(([code, avps]) => group(code, avps))] }));
    }),
    { numRuns: 1500 },
  );
});
