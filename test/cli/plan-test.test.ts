/** `plan test`: what it rates, from which files, and how it says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rated } from '../../src/cli/dry-run.ts';
import type { CCR } from '../../src/diameter/commands.ts';
import { encode } from '../../src/diameter/encode.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { objectsOf, run } from './ran.ts';

const provisioning = `
tenants:
  - id: blue
    name: Blue
    currency: EUR
    digits: 4
    plans:
      - id: voice
        version: 3
        timeZone: Europe/Berlin
        rules:
          - name: night
            match: { context: [32260@3gpp.org], when: [{ from: '22:00', until: '06:00' }] }
            unit: seconds
            price: { amount: '0.06', per: 1 min, increment: 1 s }
            quota: { size: 1 h }
          - name: mobile
            match: { context: [32260@3gpp.org], called: ['4915', '4917'] }
            unit: seconds
            price: { amount: '0.20', per: 1 min, increment: 30 s, minimum: 1 min, fee: '0.05' }
            quota: { size: 1 h }
          - name: calls
            match: { context: [32260@3gpp.org] }
            unit: seconds
            price: { amount: '0.09', per: 1 min, increment: 1 s }
            quota: { size: 1 h }
          - name: text
            match: { context: [32274@3gpp.org] }
            unit: units
            price: { amount: '0.07', per: 1 }
            quota: { size: 1 }
          - name: portal
            match: { context: [32251@3gpp.org], ratingGroup: [7] }
            unit: octets
            free: true
            quota: { size: 1 MB }
          - name: data
            match: { context: [32251@3gpp.org] }
            unit: octets
            price:
              amount: '0.01'
              per: 1 kB
              increment: 1 kB
              tiers: [{ from: 10 kB, amount: '0.005' }]
            quota: { size: 1 MB }
      - id: closed
        rules: [{ name: nothing, denied: true }]
  - id: red
    name: Red
    currency: SEK
    plans: [{ id: only, rules: [{ name: r, unit: octets, free: true, quota: { size: 1 } }] }]
routing: { rules: [{ tenant: blue, match: { e164Prefix: ['49'] } }] }
peers: { anybody: {} }
`;

let folder: string;
let plan: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tk-plan-test-'));
  plan = join(folder, 'mvne.yaml');
  writeFileSync(plan, provisioning);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(requests: string): string {
  const file = join(folder, 'requests.yaml');
  writeFileSync(file, requests);
  return file;
}

const voice = ['--tenant', 'blue', '--plan', 'voice'];
const rate = (file: string, ...more: string[]) =>
  run({}, 'plan', 'test', plan, file, ...voice, ...more);

interface Total {
  requests: number;
  sessions: number;
  cost: number;
}

async function ratedOf(file: string, ...more: string[]): Promise<[Rated[], Total]> {
  const ran = await rate(file, '--json', ...more);
  expect(ran).toMatchObject({ code: 0, err: '' });
  const objects = objectsOf<Rated | Total>(ran);
  return [objects.slice(0, -1) as Rated[], objects.at(-1) as Total];
}

describe('requests in a file', () => {
  test('are rated in their order, each amount explained line by line', async () => {
    const file = written(`
requests:
  - { at: 2026-06-10T14:00:00+02:00, context: 32260@3gpp.org, called: '4917012345' }
  - { at: 2026-06-10T14:00:40+02:00, used: { seconds: 40 s } }
  - { at: 2026-06-10T14:01:20+02:00, kind: termination, used: { seconds: 40 s } }
`);
    const { code, out, err } = await rate(file);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`\
2026-06-10 12:00:00Z  session-1  initial 0: success
  service, granted 3600 seconds
    rule mobile: it has the longer prefix of the called number, '4917'; calls has none
      night does not match: the time is Wednesday 2026-06-10 14:00 in Europe/Berlin, not 22:00-06:00
      text does not match: the context is 32260@3gpp.org, not 32274@3gpp.org
      portal does not match: the context is 32260@3gpp.org, not 32251@3gpp.org
      data does not match: the context is 32260@3gpp.org, not 32251@3gpp.org
2026-06-10 12:00:40Z  session-1  update 1: success, 0.25 EUR
  service, used 40 seconds, cost 0.25 EUR, granted 3600 seconds
    rule mobile: as before
    40 seconds by rule mobile: 0.25 EUR
      60 seconds count as used: the minimum
      fee with the first unit: 0.05 EUR
      60 seconds, counted as 2 x 30 seconds at 0.20 EUR per 60 seconds: 0.20 EUR
2026-06-10 12:01:20Z  session-1  termination 2: success, 0.10 EUR
  service, used 40 seconds, cost 0.10 EUR
    rule mobile: as before
    40 seconds by rule mobile: 0.10 EUR
      80 seconds in all; 40 were paid for before
      80 seconds, counted as 3 x 30 seconds at 0.20 EUR per 60 seconds: 0.30 EUR, less 0.20 EUR for 60 before: 0.10 EUR

3 requests of 1 session: 0.35 EUR
`);
  });

  test('are split where the tariff changes within the use', async () => {
    const [rated, total] = await ratedOf(
      written(`
requests:
  - { at: 2026-06-10T21:50:00+02:00, context: 32260@3gpp.org }
  - { at: 2026-06-10T22:10:00+02:00, kind: termination, used: { seconds: 20 min } }
`),
    );
    const amounts = rated[1]?.services[0]?.amounts;
    expect(amounts).toMatchObject([
      { rule: 'calls', units: 600, cost: 9_000 },
      { rule: 'night', units: 600, cost: 6_000 },
    ]);
    expect(total).toMatchObject({ requests: 2, sessions: 1, cost: 15_000 });
  });

  test('that come when the validity has long passed are rated by the time of use', async () => {
    const file = written(`
requests:
  - { at: 2026-06-10T21:55:00+02:00, context: 32260@3gpp.org }
  - { at: 2026-06-11T06:05:00+02:00, kind: termination, used: { seconds: 490 min } }
`);
    const [rated, total] = await ratedOf(file);
    // Two changes, of which a grant has the first only: it ends with the second.
    expect(rated[0]?.services[0]?.validitySeconds).toBe(29_100);
    expect(rated[1]?.services[0]).toMatchObject({ lapsed: true, used: 29_400 });
    expect(rated[1]?.services[0]?.amounts).toMatchObject([
      { rule: 'calls', units: 300, cost: 4_500 },
      { rule: 'night', units: 28_800, cost: 288_000 },
      { rule: 'calls', units: 300, cost: 4_500 },
    ]);
    expect(total.cost).toBe(297_000);
    const { out } = await rate(file);
    expect(out).toContain('granted 3600 seconds, valid for 29100 seconds');
    expect(out).toContain('cost 29.70 EUR, after the validity of its grant');
  });

  test('of volume end with the change, or are told it where their client divides its use', async () => {
    const file = written(`
requests:
  - { at: 2026-06-10T21:50:00+02:00, session: a, context: 32251@3gpp.org }
  - { at: 2026-06-10T21:50:00+02:00, session: b, context: 32251@3gpp.org, tariffChange: single }
`);
    const volume = join(folder, 'volume.yaml');
    writeFileSync(
      volume,
      `
tenants:
  - id: t
    currency: EUR
    plans:
      - id: p
        timeZone: Europe/Berlin
        rules:
          - name: night
            match: { when: [{ from: '22:00', until: '06:00' }] }
            unit: octets
            price: { amount: '0.01', per: 1 MB }
            quota: { size: 1 MB }
          - name: day
            unit: octets
            price: { amount: '0.02', per: 1 MB }
            quota: { size: 1 MB }
peers: { anybody: {} }
`,
    );
    const { out } = await run({}, 'plan', 'test', volume, file);
    expect(out.match(/granted .+/g)).toEqual([
      'granted 1000000 octets, valid for 600 seconds',
      'granted 1000000 octets, valid for 29400 seconds, tariff change at 2026-06-10 20:00:00Z',
    ]);
  });

  test('reach a price in bands, and free services beside it', async () => {
    const [rated, total] = await ratedOf(
      written(`
requests:
  - at: 2026-06-10T14:00:00Z
    context: 32251@3gpp.org
    services: [{ ratingGroup: 1 }, { ratingGroup: 7 }]
  - kind: termination
    services: [{ ratingGroup: 1, used: { octets: 12500 } }, { ratingGroup: 7, used: { octets: 9 } }]
`),
    );
    const [data, portal] = rated[1]?.services ?? [];
    expect(data).toMatchObject({
      ratingGroup: 1,
      used: 12_500,
      cost: 1_150,
      amounts: [
        { rule: 'data', how: { bands: [{ charged: 1_000 }, { from: 10_000, charged: 150 }] } },
      ],
    });
    expect(portal).toMatchObject({
      used: 9,
      cost: 0,
      choice: { chosen: { rule: 'portal', by: 'order', over: 'data' } },
      amounts: [{ rule: 'portal', units: 9, cost: 0 }],
    });
    expect(portal?.amounts[0]).not.toHaveProperty('how');
    expect(total.cost).toBe(1_150);
  });

  test('may be one-time events, each of a session of its own', async () => {
    const [rated, total] = await ratedOf(
      written(`
requests:
  - { at: 2026-06-10T14:00:00Z, kind: debit, context: 32274@3gpp.org, asks: { units: 3 } }
  - { kind: price-enquiry, context: 32274@3gpp.org, asks: { units: 2 } }
`),
    );
    expect(rated).toMatchObject([
      { session: 'event-1', kind: 'debit', outcome: 'success', cost: 2_100 },
      { session: 'event-2', kind: 'price-enquiry', outcome: 'success', cost: 1_400 },
    ]);
    expect(rated[0]?.services[0]?.amounts).toMatchObject([{ rule: 'text', units: 3, cost: 2_100 }]);
    expect(total.sessions).toBe(0);
  });

  test('after midnight are in the night of the day before', async () => {
    const nights = join(folder, 'nights.yaml');
    writeFileSync(
      nights,
      `
tenants:
  - id: t
    currency: EUR
    plans:
      - id: p
        holidays: ['2026-12-24']
        rules:
          - name: night
            match: { when: [{ days: [workday], from: '22:00', until: '06:00' }] }
            unit: seconds
            free: true
            quota: { size: 1 h }
          - { name: day, unit: seconds, free: true, quota: { size: 1 h } }
peers: { anybody: {} }
`,
    );
    const requests = written(`
requests:
  - { at: 2026-12-24T05:00:00Z, session: before, context: 32260@3gpp.org }
  - { at: 2026-12-25T05:00:00Z, session: after, context: 32260@3gpp.org }
  - { at: 2026-12-25T12:00:00Z, session: noon, context: 32260@3gpp.org }
`);
    const { out } = await run({}, 'plan', 'test', nights, requests);
    const days = 'Monday/Tuesday/Wednesday/Thursday/Friday 22:00-06:00';
    expect(out.match(/rule .+|night does not .+/g)).toEqual([
      'rule night: day matches too, and stands after it',
      'rule day: no other matches',
      'night does not match: the time is Friday 2026-12-25 05:00 in UTC, ' +
        `on the day after a holiday, not ${days}`,
      'rule day: no other matches',
      `night does not match: the time is Friday 2026-12-25 12:00 in UTC, not ${days}`,
    ]);
  });

  test('that no rule is for are not rated, and it is said why not', async () => {
    const file = written(`
requests: [{ at: 2026-06-10T14:00:00Z, context: other@example.org }]
`);
    const { out, code } = await rate(file);
    expect(code).toBe(0);
    expect(out).toContain('initial 0: rating-failed');
    expect(out).toContain('    no rule matches\n      night does not match: the context is other@');
  });

  test('what is explained is what is charged, however it is used', async () => {
    const uses = [1, 999, 1_000, 0, 7_999, 1, 12_345, 40_000, 3];
    const requests = uses.map((octets) => `  - { used: { octets: ${octets} } }`);
    const [rated, total] = await ratedOf(
      written(
        [
          'requests:',
          '  - { at: 2026-06-10T14:00:00Z, context: 32251@3gpp.org }',
          ...requests,
        ].join('\n'),
      ),
    );
    let sum = 0;
    for (const { services } of rated)
      for (const { amounts, cost } of services) {
        expect(amounts.reduce((sum, amount) => sum + Number(amount.how?.cost), 0)).toBe(cost);
        sum += cost;
      }
    expect(total.cost).toBe(sum);
    const used = uses.reduce((sum, octets) => sum + octets, 0);
    expect(sum).toBe(1_000 + Math.ceil((used - 10_000) / 1_000) * 50);
  });

  test('are refused as a whole, with everything that is wrong with them', async () => {
    const file = written(`requests:
  - { context: 32260@3gpp.org, used: { seconds: 1.5 s } }
  - { at: 2026-06-10T14:00:00Z, session: other }
  - { at: 2026-06-09T14:00:00Z, services: [{}], ratingGroup: 1 }
`);
    const { code, out, err } = await rate(file);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('requests.yaml:2:5: requests[0].at: found nothing, expected a time');
    expect(err).toContain("requests[0].used.seconds: found '1.5 s', expected a duration");
    expect(err).toContain('requests[1].context: found nothing, expected the context of a new');
    expect(err).toContain('requests[2].at: found');
    expect(err).toContain('requests[2].ratingGroup: found ratingGroup beside services');
    expect(err).toContain('(REQUESTS_INVALID)');
  });

  test.each([
    ['requests: []', 'requests: found an empty list, expected a list of requests'],
    ['requests: [{ at: yesterday }]', "requests[0].at: found 'yesterday', expected a time with"],
    [
      'requests: [{ ratinggroup: 1 }]',
      "requests[0].ratinggroup: found unknown member 'ratinggroup'",
    ],
    [
      'requests: [{ asks: much }]',
      "requests[0].asks: found 'much', expected any, nothing, or amounts",
    ],
    [
      'requests: [{ used: { octets: -1 } }]',
      'requests[0].used.octets: found -1, expected an amount',
    ],
    ['requests: [', 'expected well-formed YAML'],
  ])('%s', async (requests, expected) => {
    const { code, err } = await rate(written(requests));
    expect(code).toBe(2);
    expect(err).toContain(expected);
  });
});

describe('a capture or trace', () => {
  const ids = { applicationId: 4, hopByHop: 1, endToEnd: 1, proxiable: true };
  const ccr = (type: number, number: number, more: Partial<CCR> = {}): Buffer =>
    encode('CCR', ids, {
      'Session-Id': 'ims;1;2',
      'Origin-Host': 'ims.example',
      'Origin-Realm': 'example',
      'Destination-Realm': 'ocs.example',
      'Auth-Application-Id': 4,
      'Service-Context-Id': '32260@3gpp.org',
      'CC-Request-Type': type,
      'CC-Request-Number': number,
      'Multiple-Services-Credit-Control': [
        {
          'Requested-Service-Unit': {},
          'Used-Service-Unit': [{ 'CC-Time': 60 }],
        },
      ],
      'Service-Information': {
        'IMS-Information': {
          'Node-Functionality': 0,
          'Role-Of-Node': 0,
          'Called-Party-Address': 'tel:+4915123',
        },
      },
      ...more,
    });
  const at = Date.parse('2026-06-10T12:00:00Z');
  const traceOf = async (...requests: Buffer[]): Promise<string> => {
    const file = join(folder, 'ims.tktrace');
    const entries = requests.map((request, index) => ({
      atUs: (at + index * 60_000) * 1000,
      connection: 0,
      session: 'ims;1;2',
      afterAnswer: true,
      request,
    }));
    await writeTrace(file, 'test', entries);
    return file;
  };

  test('is rated by what its requests say, at the time they were sent', async () => {
    const [rated, total] = await ratedOf(await traceOf(ccr(1, 0), ccr(2, 1), ccr(3, 2)));
    expect(rated.map(({ at, kind, number, cost }) => [at, kind, number, cost])).toEqual([
      ['2026-06-10T12:00:00.000Z', 'initial', 0, 2_500],
      ['2026-06-10T12:01:00.000Z', 'update', 1, 2_000],
      ['2026-06-10T12:02:00.000Z', 'termination', 2, 2_000],
    ]);
    expect(rated[0]?.services[0]?.choice.chosen).toEqual({
      rule: 'mobile',
      by: 'called',
      over: 'calls',
    });
    expect(total).toMatchObject({ requests: 3, sessions: 1, cost: 6_500 });
  });

  test('may begin in the middle of a session, and have a request twice', async () => {
    const [rated, total] = await ratedOf(await traceOf(ccr(2, 7), ccr(2, 7), ccr(3, 8)));
    expect(rated.map(({ outcome, cost }) => [outcome, cost])).toEqual([
      ['success', 2_500],
      ['duplicate', 0],
      ['success', 2_000],
    ]);
    expect(total.cost).toBe(4_500);
  });

  test('has events too', async () => {
    const event = ccr(4, 0, {
      'Service-Context-Id': '32274@3gpp.org',
      'Requested-Action': 0,
      'Multiple-Services-Credit-Control': [
        { 'Requested-Service-Unit': { 'CC-Service-Specific-Units': 2n } },
      ],
    });
    const [rated] = await ratedOf(await traceOf(event));
    expect(rated).toMatchObject([{ kind: 'debit', outcome: 'success', cost: 1_400 }]);
  });

  test('has messages to several recipients, each by the rule for its number', async () => {
    const texts = join(folder, 'texts.yaml');
    writeFileSync(
      texts,
      `
tenants:
  - id: t
    currency: EUR
    plans:
      - id: p
        rules:
          - { name: dear, match: { called: ['4990'] }, unit: units, price: { amount: '2.00', per: 1 }, quota: { size: 9 } }
          - { name: text, unit: units, price: { amount: '0.07', per: 1 }, quota: { size: 9 } }
peers: { anybody: {} }
`,
    );
    const numbers = ['491701', '49901', '491702'];
    const told = {
      'Service-Context-Id': '32274@3gpp.org',
      'Service-Information': {
        'SMS-Information': {
          'Recipient-Info': numbers.map((number) => ({
            'Recipient-Address': [{ 'Address-Type': 1, 'Address-Data': number }],
          })),
        },
      },
    };
    const asking = { 'Multiple-Services-Credit-Control': [{ 'Requested-Service-Unit': {} }] };
    const used = { 'Used-Service-Unit': [{ 'CC-Service-Specific-Units': 3n }] };
    const file = await traceOf(
      ccr(1, 0, { ...told, ...asking }),
      ccr(3, 1, { ...told, 'Multiple-Services-Credit-Control': [used] }),
    );
    const ran = await run({}, 'plan', 'test', texts, file, '--json');
    expect(objectsOf<Rated | Total>(ran)).toMatchObject([
      { services: [{ outcome: 'success', granted: 3 }], cost: 0 },
      {
        services: [
          {
            ...{ used: 3, cost: 214 },
            amounts: [
              { rule: 'text', units: 2, cost: 14 },
              { rule: 'dear', units: 1, cost: 200 },
            ],
          },
        ],
      },
      { cost: 214 },
    ]);
  });

  test('what is no request is passed over, and said', async () => {
    const garbage = Buffer.from(ccr(1, 0));
    garbage.writeUIntBE(280, 5, 3); // a Device-Watchdog-Request
    const { code, out, err } = await rate(await traceOf(garbage), '--json');
    expect(code).toBe(1);
    expect(err).toBe('ims;1;2: not a Credit-Control-Request\n');
    expect(objectsOf({ code, out, err })).toMatchObject([{ requests: 0, cost: 0 }]);
  });
});

describe('the tenant and the plan', () => {
  const requests = () => written('requests: [{ at: 2026-06-10T14:00:00Z, context: c }]');
  test('are those that are named, or the only ones there are', async () => {
    const test = (...more: string[]) => run({}, 'plan', 'test', plan, requests(), ...more);
    expect(await test('--tenant', 'red')).toMatchObject({ code: 0 });
    expect((await test()).err).toContain('--tenant is missing: one of blue, red');
    expect((await test('--tenant', 'green')).err).toContain('There is no tenant green');
    expect((await test('--tenant', 'blue')).err).toContain(
      '--plan is missing: one of voice, closed',
    );
    expect((await test('--tenant', 'blue', '--plan', 'x')).err).toContain(
      'there is no plan x: one of',
    );
    const closed = await test('--tenant', 'blue', '--plan', 'closed');
    expect(closed.out).toContain('service, service-denied\n    rule nothing: no other matches');
  });

  test('files that cannot be read are named', async () => {
    const missing = join(folder, 'missing');
    const noPlan = await run({}, 'plan', 'test', missing, requests());
    const noRequests = await rate(missing);
    for (const { code, err } of [noPlan, noRequests]) {
      expect(code).toBe(2);
      expect(err).toContain(`${missing} cannot be read`);
    }
  });
});
