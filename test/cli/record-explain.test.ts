/** `record explain`: records of the past by the plan that rated them, as far as it is known. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChargingRecord, RecordedService } from '../../src/charging/record.ts';
import type { ExplainedRecord } from '../../src/cli/past-records.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { readableGroup } from '../../src/diameter/readable.ts';
import { type EmbeddedRedis, startEmbedded } from '../../src/embedded/redis.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { recordLine } from '../../src/store/records/line.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { objectsOf, run } from './ran.ts';

const provisioning = `
tenants:
  - id: blue
    name: Blue
    currency: EUR
    digits: 4
    plans:
      - id: voice
        version: 2
        rules:
          - name: mobile
            match: { context: [32260@3gpp.org], called: ['4917'] }
            unit: seconds
            price: { amount: '0.20', per: 1 min, increment: 1 min }
            quota: { size: 1 h }
          - name: calls
            match: { context: [32260@3gpp.org] }
            unit: seconds
            price: { amount: '0.06', per: 1 min, increment: 1 s }
            quota: { size: 1 h }
          - name: portal
            match: { context: [32251@3gpp.org] }
            unit: octets
            free: true
            quota: { size: 1 MB }
      - id: other
        rules: [{ name: mobile, unit: seconds, price: { amount: '1.00', per: 1 }, quota: { size: 1 } }]
    accounts:
      - id: anna
        plan: voice
        subscribers: [{ e164: '491700000001', limits: [{ id: cap, unit: money, amount: '9.00' }] }]
        buckets:
          - { id: talk, unit: seconds, opening: 1 h }
          - { id: main, unit: money, opening: '9.00' }
routing: { rules: [{ tenant: blue, match: { e164Prefix: ['49'] } }] }
peers: { anybody: {} }
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tk-record-explain-'));
  writeFileSync(join(folder, 'mvne.yaml'), provisioning);
  mkdirSync(join(folder, 'data', 'records'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a call server says of who is called, as a record keeps it. */
const called = (number: string): Uint8Array => {
  const ids = { applicationId: 4, hopByHop: 1, endToEnd: 1, proxiable: true };
  const bytes = encode('CCR', ids, {
    'Session-Id': 's',
    'Origin-Host': 'ims.example',
    'Origin-Realm': 'example',
    'Destination-Realm': 'example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': '32260@3gpp.org',
    'CC-Request-Type': 1,
    'CC-Request-Number': 0,
    'Service-Information': {
      'IMS-Information': {
        'Node-Functionality': 0,
        'Role-Of-Node': 0,
        'Called-Party-Address': `tel:+${number}`,
        'Access-Network-Information': [Buffer.from('3GPP-E-UTRAN;utran-cell-id-3gpp=262010001a')],
      },
    },
  });
  const information = decode(bytes).raw.serviceInformation;
  if (information === undefined) throw new Error('there is none');
  return information;
};

const at = Date.parse('2026-06-10T12:00:00Z');

function record(
  kind: ChargingRecord['kind'],
  number: number,
  services: Partial<RecordedService>[],
  more: Partial<ChargingRecord> = {},
): ChargingRecord {
  return {
    kind,
    at: at + number * 60_000,
    account: { tenant: 'blue', account: 'anna' },
    sessionId: 'ims;1',
    requestNumber: number,
    context: '32260@3gpp.org',
    outcome: 'success',
    services: services.map((service) => ({
      ...{ serviceIds: [], outcome: 'success', plan: 'voice' },
      ...service,
    })),
    changes: [],
    ...more,
  };
}

/** A service as versions of this program recorded it that did not name the plan. */
const unnamed = ({ plan: _, ...service }: RecordedService): RecordedService => service;

const use = (used: number, cost: number, more: Partial<RecordedService> = {}) => ({
  rule: 'mobile',
  planVersion: 2,
  unit: 'seconds' as const,
  used,
  cost,
  ...more,
});

function fileOf(
  name: string,
  records: readonly (ChargingRecord | { partition: number; id: string; record: ChargingRecord })[],
  readInformation = (octets: Uint8Array): unknown => readableGroup('Service-Information', octets),
): string {
  const file = join(folder, 'data', 'records', name);
  const lines = records.map((one, index) =>
    'record' in one
      ? recordLine(one.partition, one.id, one.record, readInformation)
      : recordLine(3, `1-${index}`, one, readInformation),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const explain = (...argv: string[]) =>
  run(
    {
      TOLLKEEPER_PROVISIONING_FILE: join(folder, 'mvne.yaml'),
      TOLLKEEPER_DATA_DIR: join(folder, 'data'),
    },
    ...['record', 'explain', ...argv],
  );

/** What is said where a file stands in for the store. */
const byFile = (): string =>
  `explained by ${join(folder, 'mvne.yaml')}, because the store cannot say what rated the records\n`;

async function explained(...argv: string[]): Promise<ExplainedRecord[]> {
  const ran = await explain(...argv, '--json');
  expect(ran).toMatchObject({ code: 0, err: byFile() });
  return objectsOf<ExplainedRecord>(ran);
}

describe('the records of a session', () => {
  test('are explained by what was said of the use, and what was charged before', async () => {
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{ granted: 3_600 }], { information: called('4917055') }),
      record('update', 1, [use(50, 2_000, { granted: 3_600 })]),
      record('termination', 2, [use(15, 2_000)]),
    ]);
    const { code, out, err } = await explain(file);
    expect({ code, err }).toEqual({ code: 0, err: byFile() });
    expect(out).toBe(`\
2026-06-10 12:00:00Z  ims;1  initial 0: success
  record 1-0 of partition 3, account anna of blue, plan voice
  service, granted 3600
    rule mobile: it has the longer prefix of the called number, '4917'; calls has none
      portal does not match: the context is 32260@3gpp.org, not 32251@3gpp.org
    but the record names no version of the plan; this is by 2
2026-06-10 12:01:00Z  ims;1  update 1: success
  record 1-1 of partition 3, account anna of blue, plan voice
  service, used 50 seconds, cost 0.20 EUR, granted 3600 seconds
    rule mobile: it has the longer prefix of the called number, '4917'; calls has none
      portal does not match: the context is 32260@3gpp.org, not 32251@3gpp.org
    50 seconds by rule mobile: 0.20 EUR
      50 seconds, counted as 1 x 60 seconds at 0.20 EUR per 60 seconds: 0.20 EUR
2026-06-10 12:02:00Z  ims;1  termination 2: success
  record 1-2 of partition 3, account anna of blue, plan voice
  service, used 15 seconds, cost 0.20 EUR
    rule mobile: it has the longer prefix of the called number, '4917'; calls has none
      portal does not match: the context is 32260@3gpp.org, not 32251@3gpp.org
    15 seconds by rule mobile: 0.20 EUR
      65 seconds in all; 50 were paid for before
      65 seconds, counted as 2 x 60 seconds at 0.20 EUR per 60 seconds: 0.40 EUR, less 0.20 EUR for 50 before: 0.20 EUR
`);
  });

  test('say what was used from octets too, where nobody could read them', async () => {
    const asHexadecimal = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
    const records = [record('initial', 0, [use(0, 0)], { information: called('4917055') })];
    const [first] = await explained(fileOf('records-a.jsonl', records, asHexadecimal));
    expect(first?.services[0]?.choice?.chosen?.rule).toBe('mobile');
  });

  test('have both sides of a tariff change', async () => {
    const after = { rule: 'calls', used: 20, cost: 200 };
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{}]),
      record('update', 1, [use(80, 2_200, { after })]),
      record('update', 2, [use(10, 100, { rule: 'calls' })]),
    ]);
    const [, first, second] = await explained(file);
    expect(first?.services[0]?.amounts).toMatchObject([
      { rule: 'mobile', units: 60, cost: 2_000, how: { before: { units: 0 } } },
      { rule: 'calls', units: 20, cost: 200, how: { before: { units: 0 } } },
    ]);
    expect(second?.services[0]?.amounts).toMatchObject([
      { rule: 'calls', units: 10, cost: 100, how: { before: { units: 20 } } },
    ]);
  });

  test('have what came after it by another plan, where the record says so', async () => {
    const after = { rule: 'mobile', plan: 'other', planVersion: 1, used: 2, cost: 20_000 };
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{}]),
      record('update', 1, [use(8, 20_060, { rule: 'calls', after })]),
      record('update', 2, [use(8, 20_060, { rule: 'calls', after: { ...after, planVersion: 7 } })]),
    ]);
    const [, first, second] = await explained(file);
    expect(first?.services[0]?.amounts).toMatchObject([
      { rule: 'calls', units: 6, cost: 60, paidBy: 'money' },
      { rule: 'mobile', units: 2, cost: 20_000, paidBy: 'money' },
    ]);
    expect(second?.services[0]?.amounts[1]).toMatchObject({ cost: 20_000, paidBy: 'unknown' });
  });

  /** What buckets were charged. */
  const charged = (amounts: Record<string, number>): Partial<ChargingRecord> => ({
    changes: Object.entries(amounts).flatMap(([bucket, amount]) => [
      { bucket, cause: 'reserve', available: -9_000, reserved: 9_000 },
      { bucket, cause: 'debit', available: 0, reserved: 100 - amount },
      { bucket, cause: 'overrun', available: -100, reserved: 0 },
    ]),
  });

  test('tell units that a bundle paid for from those that cost money', async () => {
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{}]),
      record('update', 1, [use(300, 0, { rule: 'calls' })], charged({ talk: 300 })),
      record('update', 2, [use(100, 400, { rule: 'calls' })], charged({ talk: 60, main: 400 })),
      record('update', 3, [use(30, 300, { rule: 'calls' })], charged({ cap: 300, main: 300 })),
    ]);
    const [, ...rest] = await explained(file);
    expect(rest.map(({ services }) => services[0]?.amounts[0])).toMatchObject([
      { paidBy: 'units', paidFor: 0, cost: 0 },
      { paidBy: 'both', paidFor: 40, cost: 400, how: { after: { units: 40 } } },
      { paidBy: 'money', paidFor: 30, how: { before: { units: 40 }, after: { units: 70 } } },
    ]);
    expect(rest[2]?.paid).toEqual([
      { bucket: 'cap', unit: 'money', amount: 300, isLimit: true },
      { bucket: 'main', unit: 'money', amount: 300 },
    ]);
    const { out } = await explain(file);
    expect(out).toContain('300 seconds by rule calls: paid by a bucket of their unit');
    expect(out).toContain('      60 seconds paid by a bucket of their unit');
    expect(out).toContain('  paid: 60 seconds by talk, 0.04 EUR by main\n');
    expect(out).toContain('  paid: 0.03 EUR by main\n  counted: 0.03 EUR by cap\n');
  });

  test('follow the buckets where the amount alone would be told otherwise', async () => {
    // 50 seconds are a minute begun, however many of them a bundle pays for.
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{ planVersion: 2 }], { information: called('4917') }),
      record('update', 1, [use(50, 2_000)], charged({ talk: 20, main: 2_000 })),
      record('update', 2, [use(30, 0)], charged({ main: 0 })),
      record('termination', 3, [use(10, 2_000)], charged({ talk: 9, main: 2_000 })),
    ]);
    const [, ...rest] = await explained(file);
    expect(rest.map(({ services }) => services[0])).toMatchObject([
      { amounts: [{ paidBy: 'both', paidFor: 30, how: { cost: 2_000 } }], remarks: [] },
      { amounts: [{ paidBy: 'money', paidFor: 30, how: { cost: 0 } }], remarks: [] },
      {
        amounts: [{ paidBy: 'both', paidFor: 1, how: { before: { units: 60 } } }],
        remarks: [],
      },
    ]);
  });

  test('say who paid which service, or that it cannot be told', async () => {
    const two = (first: number, second: number) => [
      { ratingGroup: 1, ...use(100, first, { rule: 'calls' }) },
      { ratingGroup: 2, ...use(100, second, { rule: 'mobile' }) },
    ];
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{ ratingGroup: 1 }, { ratingGroup: 2 }]),
      record('update', 1, two(400, 4_000), charged({ talk: 60, main: 4_400 })),
      record('update', 2, two(400, 2_000), charged({ talk: 120, main: 2_400 })),
      record('update', 3, two(1, 1), charged({ gone: 60, main: 2 })),
    ]);
    const [, ...rest] = await explained(file);
    expect(rest.map(({ services }) => services.map(({ amounts }) => amounts[0]))).toMatchObject([
      [
        { paidBy: 'both', paidFor: 40 },
        { paidBy: 'money', paidFor: 100, how: { cost: 4_000 } },
      ],
      [
        { paidBy: 'both', paidFor: 40 },
        { paidBy: 'both', paidFor: 40, how: { before: { units: 100 } } },
      ],
      [{ paidBy: 'unknown' }, { paidBy: 'unknown' }],
    ]);
    expect(rest[2]?.services[0]?.remarks).toEqual([
      'the record does not say which units money paid for, and which a bucket of units',
    ]);
    expect((await explain(file)).out).toContain('60 of what gone counted, 0.0002 EUR by main');
  });

  test('of services that are free, and of a group that others report for', async () => {
    const data = { context: '32251@3gpp.org' };
    const free = { rule: 'portal', unit: 'octets' as const };
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{ ratingGroup: 1 }], data),
      record('update', 1, [use(9, 0, { ...free, ratingGroup: 1 })], data),
      record('update', 2, [use(9, 0, { ...free, ratingGroup: 1, serviceIds: [5] })], data),
    ]);
    const [, first, second] = await explained(file);
    expect(first?.services[0]?.amounts[0]).toMatchObject({ paidBy: 'nobody' });
    expect(second?.services[0]).toMatchObject({ serviceIds: [5], amounts: [{ paidBy: 'nobody' }] });
    expect((await explain(file)).out).toContain('9 octets by rule portal: free of charge');
  });

  test('of a message to several recipients, by the rule for those of each entry', async () => {
    const to = (number: string) => ({ recipients: { count: 1, of: 2, called: [number] } });
    const mobile = { ...use(30, 2_000), ...to('4917055') };
    const other = { ...use(30, 300, { rule: 'calls' }), ...to('44') };
    const file = fileOf('records-a.jsonl', [
      record('debit', 0, [other, mobile], { information: called('44') }),
      record('initial', 0, [to('44'), to('4917055')], { information: called('44') }),
      record('update', 1, [other, mobile]),
      record('termination', 2, [{ ...mobile, cost: 0 }, other]),
    ]);
    const [debit, , ...rest] = await explained(file);
    for (const { services } of [debit!, ...rest])
      for (const { rule, choice, remarks } of services)
        expect([choice?.chosen?.rule, remarks]).toEqual([rule, []]);
    expect(rest[1]?.services.map(({ amounts }) => amounts[0])).toMatchObject([
      { paidBy: 'money', how: { before: { units: 30 } } },
      { paidBy: 'money', how: { before: { units: 30 } } },
    ]);
    expect((await explain(file)).out).toContain('service, 1 of 2 recipients (4917055), used');
  });

  test('and of events, which begin at nothing', async () => {
    const file = fileOf('records-a.jsonl', [
      record('debit', 0, [use(60, 2_000)], { information: called('4917') }),
      record('debit', 0, [use(60, 2_000)], { information: called('4917') }),
      record('refund', 0, [{ rule: 'mobile', unit: 'seconds', granted: 60, cost: -2_000 }]),
      record('topup', 0, []),
    ]);
    const events = await explained(file);
    expect(events.map(({ kind }) => kind)).toEqual(['debit', 'debit', 'refund']);
    for (const { services } of events.slice(0, 2))
      expect(services[0]?.amounts).toMatchObject([{ paidBy: 'money', cost: 2_000 }]);
  });
});

describe('what cannot be explained is said', () => {
  const remarks = async (file: string) =>
    (await explained(file)).flatMap(({ services }) => services.flatMap((one) => one.remarks));

  test('a session whose beginning is not in the records', async () => {
    const file = fileOf('records-a.jsonl', [
      record('update', 4, [use(50, 2_000)], { information: called('4917') }),
    ]);
    expect(await remarks(file)).toEqual([
      'what the session was charged for before is not known from these records',
    ]);
    expect((await explain(file)).out).toContain('0.20 EUR, it cannot be told how');
  });

  test('a version of the plan that is not known, another rule, another amount', async () => {
    const old = { planVersion: 1 };
    const file = fileOf('records-a.jsonl', [
      record('initial', 0, [{}]),
      record('update', 1, [use(50, 1_234, old)]),
      record('update', 2, [use(50, 777, { rule: 'mobile' })]),
      record('update', 3, [use(50, 777, { rule: 'gone' })]),
    ]);
    expect(await remarks(file)).toEqual([
      'the record names no version of the plan; this is by 2',
      'version 1 of plan voice, which rated it, is not known',
      expect.stringContaining('it was rated by rule mobile'),
      'what the session was charged for before is not known from these records',
      expect.stringContaining('it was rated by rule gone'),
      'the plan has no rule gone',
    ]);
    const [, second] = await explained(file);
    expect(second?.services[0]).toMatchObject({ used: 50, cost: 1_234, amounts: [] });
    expect(second?.services[0]).not.toHaveProperty('choice');
  });
});

describe('a record by its id', () => {
  beforeAll(() => {
    const begin = record('initial', 0, [{}], { information: called('4917') });
    rmSync(join(folder, 'data', 'records'), { recursive: true });
    mkdirSync(join(folder, 'data', 'records'));
    // The session went on with another writer, whose file comes first.
    fileOf('records-a.jsonl', [
      { partition: 3, id: '1-12', record: record('termination', 2, [use(15, 2_000)]) },
      { partition: 4, id: '1-9', record: record('update', 1, [use(1, 1)], { sessionId: 'x' }) },
    ]);
    fileOf('records-b.jsonl', [
      { partition: 3, id: '1-5', record: begin },
      { partition: 3, id: '1-9', record: record('update', 1, [use(50, 2_000)]) },
      { partition: 3, id: '1-10', record: record('topup', 0, [], {}) },
    ]);
  });

  test('is found in the folder, with the session before it', async () => {
    const [last, ...others] = await explained('1-12');
    expect(others).toEqual([]);
    expect(last?.services[0]?.amounts).toMatchObject([
      { units: 15, paidBy: 'money', how: { before: { units: 50 } } },
    ]);
  });

  test('needs its partition where there are several', async () => {
    const { code, err } = await explain('1-9');
    expect(code).toBe(2);
    expect(err).toContain('--partition is missing: one of 4, 3');
    const [found] = await explained('1-9', '--partition', '3');
    expect(found).toMatchObject({ id: '1-9', partition: 3, session: 'ims;1', plan: 'voice' });
  });

  test('may be unknown, or about no service', async () => {
    const unknown = await explain('7-7');
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('There is no record 7-7');
    expect(await explain('1-10')).toMatchObject({
      code: 1,
      err: `${byFile()}record 1-10 is not about the use of a service\n`,
    });
  });
});

describe('which records and which plan', () => {
  test('of one session only', async () => {
    const file = fileOf('records-c.jsonl', [
      record('initial', 0, [{}]),
      record('initial', 0, [{}], { sessionId: 'other' }),
    ]);
    expect(await explained(file)).toHaveLength(2);
    const [one, ...others] = await explained(file, '--session', 'other');
    expect([one?.session, others.length]).toEqual(['other', 0]);
    expect(await explain(file, '--session', 'none')).toMatchObject({ code: 1, out: '' });
  });

  test('by the plan that the record names, whatever the account has by now', async () => {
    const file = fileOf('records-c.jsonl', [
      record('debit', 0, [use(2, 20_000, { plan: 'other', planVersion: 1 })]),
      record('update', 1, [
        { ratingGroup: 1, ...use(0, 0) },
        { ratingGroup: 2, ...use(0, 0), plan: 'other', planVersion: 1 },
      ]),
    ]);
    const [debit, update] = await explained(file, '--plan', 'voice');
    expect(debit?.plan).toBe('other');
    expect(debit?.services).toMatchObject([
      { plan: 'other', amounts: [{ paidBy: 'money', cost: 20_000 }], remarks: [] },
    ]);
    expect(update).not.toHaveProperty('plan');
    expect(update?.services.map(({ plan }) => plan)).toEqual(['voice', 'other']);
    expect((await explain(file)).out).toContain('account anna of blue, plan voice and other');
  });

  test('by the plan of the account, or one that is named, where the record names none', async () => {
    const old = record('debit', 0, [use(60, 2_000)], { information: called('4917') });
    const file = fileOf('records-c.jsonl', [{ ...old, services: old.services.map(unnamed) }]);
    const [byAccount] = await explained(file);
    expect(byAccount?.services).toMatchObject([
      { plan: 'voice', remarks: ['the record does not name its plan; this is by voice'] },
    ]);
    const [byName] = await explained(file, '--plan', 'other');
    expect(byName?.services).toMatchObject([
      { plan: 'other', remarks: ['version 2 of plan other, which rated it, is not known'] },
    ]);
    expect((await explain(file)).out).toContain('but the record does not name its plan');
  });

  test('tenants, accounts and plans that the provisioning lacks are named', async () => {
    const of = async (tenant: string, account: string, ...argv: string[]) => {
      const { services, ...rest } = record('initial', 0, [{}], { account: { tenant, account } });
      const file = fileOf('records-c.jsonl', [{ ...rest, services: services.map(unnamed) }]);
      return (await explain(file, ...argv)).err;
    };
    expect(await of('green', 'anna')).toContain('There is no tenant green');
    expect(await of('blue', 'bert')).toContain(
      'does not have account bert; name the plan with --plan',
    );
    expect(await of('blue', 'anna', '--plan', 'x')).toContain('tenant blue has no plan x');
  });

  test('a file that is none, or has other lines', async () => {
    const file = join(folder, 'data', 'records', 'records-c.jsonl');
    writeFileSync(file, '{"id":"1-1"}\nnonsense\n');
    expect(await explain(file)).toMatchObject({
      code: 1,
      err: `${byFile()}2 lines of ${file} are no records\nno such record\n`,
    });
    const missing = await explain(join(folder, 'missing'));
    expect(missing.code).toBe(2);
    expect(missing.err).toContain('cannot be read');
    expect(missing.err).toContain('(FILE_UNREADABLE)');
  });
});

describe('by the store, which keeps the versions of a plan', () => {
  let redis: EmbeddedRedis;
  let store: RedisStore;
  let data: string;

  beforeAll(async () => {
    data = join(folder, 'live');
    redis = await startEmbedded({ dataDir: data, durability: 'fsync' });
    const log = { warn() {}, info() {} };
    store = await openRedisStore({ url: redis.url, partitions: 4, durability: 'fsync', log });
    const apply = async (price: string) => {
      const text = provisioning.replace(
        "amount: '0.20', per: 1 min",
        `amount: '${price}', per: 1 min`,
      );
      const loaded = loadProvisioning(text, 'mvne.yaml');
      if (!loaded.ok) throw new Error('the file does not fit');
      await applyFile(store, loaded, { all: true });
    };
    await apply('0.20');
    await apply('0.40');
  });
  afterAll(async () => {
    await store?.close();
    await redis?.stop();
  });

  const byStore = async (file: string, ...argv: string[]) =>
    run({ TOLLKEEPER_DATA_DIR: data }, 'record', 'explain', file, ...argv);

  test('a record is explained by the price of its time, not by that of today', async () => {
    const file = fileOf('records-d.jsonl', [
      record('initial', 0, [{}], { information: called('4917') }),
      record('update', 1, [use(50, 2_000)]),
      record('update', 2, [use(50, 2_000)]),
      record('termination', 3, [use(50, 4_000, { planVersion: 3 })]),
    ]);
    const ran = await byStore(file, '--json');
    expect(ran).toMatchObject({ code: 0, err: '' });
    const [, ...rest] = objectsOf<ExplainedRecord>(ran).map(({ services }) => services[0]!);
    expect(rest.map(({ remarks }) => remarks)).toEqual([[], [], []]);
    // Another price under the same name: counting begins anew.
    expect(rest.map(({ amounts }) => amounts[0])).toMatchObject([
      { paidBy: 'money', how: { before: { units: 0 }, bands: [{ amount: 2_000 }] } },
      { paidBy: 'money', how: { before: { units: 50 }, bands: [{ amount: 2_000 }] } },
      { paidBy: 'money', how: { before: { units: 0 }, bands: [{ amount: 4_000 }] } },
    ]);
  });

  test('a record is explained by its plan, although the account has another by now', async () => {
    const { account } = await store.load({ tenant: 'blue', account: 'anna' });
    if (account === undefined) throw new Error('there is no account');
    const moved = { ...account.definition, plan: 'other' };
    expect(await store.changeAccount(moved, account.version)).toBe('changed');
    const file = fileOf('records-d.jsonl', [
      record('debit', 0, [use(60, 2_000)], { information: called('4917') }),
    ]);
    const ran = await byStore(file, '--json');
    expect(objectsOf<ExplainedRecord>(ran)).toMatchObject([
      { plan: 'voice', services: [{ amounts: [{ paidBy: 'money', cost: 2_000 }], remarks: [] }] },
    ]);
  });

  test('what was rated by a version that it does not keep is not explained', async () => {
    const file = fileOf('records-d.jsonl', [
      record('debit', 0, [use(60, 2_000, { planVersion: 1 })]),
    ]);
    const { code, out, err } = await byStore(file);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('but version 1 of plan voice, which rated it, is not known');
    expect(out).not.toContain('rule mobile');
  });

  test('tenants, accounts and plans that it lacks are named', async () => {
    const of = async (tenant: string, account: string, ...argv: string[]) => {
      const { services, ...rest } = record('initial', 0, [{}], { account: { tenant, account } });
      const file = fileOf('records-d.jsonl', [{ ...rest, services: services.map(unnamed) }]);
      return (await byStore(file, ...argv)).err;
    };
    expect(await of('green', 'anna')).toContain('There is no tenant green');
    expect(await of('blue', 'bert')).toContain('no account bert any more; name the plan with');
    expect(await of('blue', 'anna', '--plan', 'x')).toContain('tenant blue has no plan x');
    expect(await of('blue', 'bert', '--plan', 'voice')).toBe('');
  });

  test('without a store and without a file nothing is explained', async () => {
    const ran = await run({ TOLLKEEPER_DATA_DIR: join(folder, 'none') }, 'record', 'explain', 'x');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('(STORE_UNAVAILABLE)');
  });
});
