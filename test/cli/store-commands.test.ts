/** The commands that look at a running service's store, and the one that adds money to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { availableField, type Bucket } from '../../src/charging/account.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { type EmbeddedRedis, startEmbedded } from '../../src/embedded/redis.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { definition, NUMBER, open, session, sessionIdOf } from '../http/fixture.ts';

const provisioning = `
tenants:
  - id: blue
    name: Blue
    currency: EUR
    digits: 6
    plans: [{ id: p, version: 1, rules: [{ name: r, unit: octets, free: true, quota: { size: 1 } }] }]
  - id: red
    name: Red
    currency: JPY
    digits: 0
    plans: [{ id: p, version: 1, rules: [{ name: r, unit: octets, free: true, quota: { size: 1 } }] }]
routing: { rules: [{ tenant: blue, match: { e164Prefix: ['49'] } }] }
peers: { anybody: {} }
`;

let folder: string;
let redis: EmbeddedRedis;
let store: RedisStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tk-cli-'));
  writeFileSync(join(folder, 'mvne.yaml'), provisioning);
  redis = await startEmbedded({ dataDir: join(folder, 'data'), durability: 'fsync' });
  const log = { warn() {}, info() {} };
  store = await openRedisStore({ url: redis.url, partitions: 4, durability: 'fsync', log });
  for (const tenant of ['blue', 'red'])
    await store.createAccount(definition(tenant, 'family'), { bundle: 5_000, main: 20_000_000 });
  await open(store, session('blue'));
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

const run = (...argv: string[]) =>
  runIn({ TOLLKEEPER_PROVISIONING_FILE: join(folder, 'mvne.yaml') }, ...argv);

async function runIn(env: Record<string, string>, ...argv: string[]): Promise<Ran> {
  const written = { out: '', err: '' };
  const code = await runCommandLine({
    argv,
    env: { TOLLKEEPER_DATA_DIR: join(folder, 'data'), ...env },
    stdout: (text) => {
      written.out += text;
    },
    stderr: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

const objects = ({ out }: Ran) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const balance = async (tenant: string) =>
  (await store.load({ tenant, account: 'family' })).account!.counters[availableField('main')];

describe('account show', () => {
  test('tells what the buckets hold, in the currency of the tenant', async () => {
    const { code, out, err } = await run('account', 'show', 'family', '--tenant', 'blue');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').slice(0, 6)).toEqual([
      'account      family of blue, active',
      'plan         prepaid',
      'sessions     1 open, 10 at most',
      `subscribers  e164 ${NUMBER}`,
      '',
      'bucket      available      reserved        floor  pays for  state   expires  renewed',
    ]);
    expect(out).toMatch(
      /^bundle +4000 octets +1000 octets +0 octets {2}internet {2}active {2}never +never$/m,
    );
    expect(out).toMatch(
      /^main +19\.999975 EUR +0\.000025 EUR +-0\.0005 EUR {2}anything {2}active {2}never +never$/m,
    );
  });

  test('tells when buckets begin, end and are renewed, and whom they limit', async () => {
    const bucket = { unit: 'octets', floor: 0 } as const;
    const yearly = { every: 'month', timeZone: 'UTC', amount: 500 } as const;
    const from = Date.UTC(2100, 0, 1);
    const buckets = [
      { ...bucket, id: 'cap', priority: 1, limits: ['imsi:1'], paysFor: ['internet'] },
      { ...bucket, id: 'pass', priority: 2, lastsMs: 86_400_000 },
      { ...bucket, id: 'later', priority: 3, startsAt: from, expiresAt: from + 1000 },
      { ...bucket, id: 'old', priority: 4, expiresAt: 1000 },
      ...[0, 70, Number.MAX_SAFE_INTEGER].map((rollover, i) => {
        const renewal = { ...yearly, from, rollover };
        return { ...bucket, id: `r${i}`, priority: 5 + i, startsAt: from, renewal };
      }),
    ];
    const openings = { old: 9, pass: 7 };
    await store.createAccount({ ...definition('green', 'timed'), buckets }, openings);
    const { out } = await run('account', 'show', 'timed', '--tenant', 'green');
    const lines = out.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|'));
    const none = '0 octets|0 octets|0 octets';
    const next =
      'starts 2100-01-01 00:00:00Z|never|every month, next 2100-02-01 00:00:00Z: 500 octets';
    expect(lines.slice(6, 13)).toEqual([
      `cap|${none}|limits imsi 1: internet|active|never|never`,
      'pass|7 octets|0 octets|0 octets|anything|unused|86400 s after first use|never',
      `later|${none}|anything|starts 2100-01-01 00:00:00Z|2100-01-01 00:00:01Z|never`,
      `old|${none}|anything|expired|1970-01-01 00:00:01Z|never`,
      `r0|${none}|anything|${next}`,
      `r1|${none}|anything|${next}, 70 octets kept at most`,
      `r2|${none}|anything|${next}, all is kept`,
    ]);
    const list = await run('account', 'list', '--tenant', 'green');
    expect(list.out).toContain('0  pass 7 octets, later 0 octets, r0 0 octets, r1');
  });

  test('as JSON it is what the HTTP API shows', async () => {
    const ran = await run('account', 'show', 'family', '--tenant', 'red', '--json');
    expect(objects(ran)).toMatchObject([
      {
        tenant: 'red',
        buckets: [{}, { available: { smallest: 20000000, amount: '20000000', currency: 'JPY' } }],
      },
    ]);
  });

  test('one that there is not, and a tenant that is not named', async () => {
    const unknown = await run('account', 'show', 'nobody', '--tenant', 'blue');
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('There is no account nobody');
    const several = await run('account', 'show', 'family');
    expect(several.code).toBe(2);
    expect(several.err).toContain('--tenant is missing: one of blue, red');
  });

  test('where no provisioning file is named, that the sample was looked into is said', async () => {
    const unnamed = await runIn({}, 'account', 'list', '--tenant', 'blue');
    expect(unnamed.code).toBe(0);
    expect(unnamed.err).toBe(
      'blue is not in the sample (no --provisioning-file is named); ' +
        'its money is shown in smallest units.\n',
    );
    const missing = await runIn({}, 'account', 'list');
    expect(missing.code).toBe(2);
    expect(missing.err).toContain(
      '--tenant is missing: one of mvno-blue, mvno-red of the sample ' +
        '(no --provisioning-file is named)',
    );
  });

  test('without the provisioning file money is shown in smallest units, and it says so', async () => {
    const flags = ['--tenant', 'blue', '--provisioning-file', '/nowhere.yaml'];
    const { code, out, err } = await run('account', 'show', 'family', ...flags);
    expect(code).toBe(0);
    expect(err).toContain('/nowhere.yaml cannot be read');
    expect(err).toContain('Money is shown in smallest units.');
    expect(out).toMatch(/^main +19999975 smallest units/m);
  });
});

describe('account topup', () => {
  const topUp = (...argv: string[]) =>
    run('account', 'topup', 'family', '--tenant', 'red', ...argv);

  test('adds once, however often it is sent', async () => {
    const before = (await balance('red'))!;
    const first = await topUp('--amount', '500', '--key', 'voucher-1');
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toBe(
      '500 JPY added to main of family (red)\navailable  20000500 JPY\nreserved   0 JPY\n',
    );
    const again = await topUp('--amount', '500', '--key', 'voucher-1');
    expect(again.code).toBe(0);
    expect(again.out).toMatch(
      /^voucher-1 was booked at \d{4}-\d\d-\d\d [\d:]{8}Z \(500 JPY\); nothing was changed now\n/,
    );
    const [json] = objects(await topUp('--amount', '500', '--key', 'voucher-1', '--json'));
    expect(json).toMatchObject({
      repeated: true,
      amount: { smallest: 500, amount: '500', currency: 'JPY' },
      available: { smallest: before + 500 },
    });
    expect(await balance('red')).toBe(before + 500);
    expect(await balance('blue')).toBe(19_999_975);
  });

  test('five at the same time with one key add once', async () => {
    const before = (await balance('red'))!;
    const all = await Promise.all(
      Array.from({ length: 5 }, () => topUp('--amount', '7', '--key', 'at-once', '--json')),
    );
    expect(all.filter((one) => objects(one)[0]!.repeated === false)).toHaveLength(1);
    expect(await balance('red')).toBe(before + 7);
  });

  test('a bucket that is gone answers the same key as before', async () => {
    const account = { tenant: 'red', account: 'family' };
    const change = async (to: (buckets: readonly Bucket[]) => Bucket[]) => {
      const { definition, version } = (await store.load(account)).account!;
      const next = { ...definition, buckets: to(definition.buckets) };
      expect(await store.changeAccount(next, version)).toBe('changed');
    };
    const past: Bucket = { id: 'past', unit: 'octets', priority: 1, floor: 0 };
    await change((buckets) => [past, ...buckets]);
    const first = ['--bucket', 'past', '--amount', '3 kB', '--key', 'past-1'];
    expect((await topUp(...first)).code).toBe(0);
    const taken = ['--tenant', 'red', '--bucket', 'past', '--amount=-3000', '--key', 'past-2'];
    expect((await run('account', 'adjust', 'family', ...taken)).code).toBe(0);
    await change((buckets) => buckets.filter(({ id }) => id !== 'past'));
    const again = await topUp(...first);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toMatch(/^past-1 was booked at .*; nothing was changed now\n/);
    const other = await topUp('--bucket', 'past', '--amount', '3 kB', '--key', 'past-3');
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(other.err).toContain('BUCKET_UNKNOWN');
  });

  test('a bucket of units takes sizes', async () => {
    const ran = await topUp('--amount', '2 kB', '--bucket', 'bundle', '--key', 'gift', '--json');
    expect(objects(ran)[0]).toMatchObject({
      unit: 'octets',
      amount: { smallest: 2_000 },
      available: { smallest: 7_000 },
    });
  });

  test('smallest units where the currency is not known', async () => {
    const where = ['--provisioning-file', '/nowhere.yaml', '--key', 'small'];
    const refused = await topUp('--amount', '5', ...where);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('--smallest');
    const booked = await topUp('--amount', '5', '--smallest', ...where);
    expect(booked.out).toContain('5 smallest units added');
  });

  test.each<[string, string[], number, string]>([
    ['no amount and no key', [], 2, '--amount is missing; --key is missing'],
    ['a key used for another amount', ['--amount', '501', '--key', 'taken'], 2, 'KEY_REUSED'],
    [
      'more decimal places than the currency has',
      ['--amount', '1.5', '--key', 'k'],
      2,
      'no decimal places',
    ],
    ['a key that is too long', ['--amount', '1', '--key', 'k'.repeat(201)], 2, 'at most 200'],
    ['nothing', ['--amount', '0', '--key', 'k'], 2, 'AMOUNT_INVALID'],
    ['less than nothing', ['--amount=-5', '--key', 'k'], 2, 'AMOUNT_INVALID'],
    ['beyond 2^53 - 1', ['--amount', '9007199254740991', '--key', 'k'], 2, 'AMOUNT_INVALID'],
    [
      'a bucket that there is not',
      ['--amount', '1', '--bucket', 'x', '--key', 'k'],
      1,
      'BUCKET_UNKNOWN',
    ],
  ])('refused: %s', async (_name, argv, code, text) => {
    await topUp('--amount', '500', '--key', 'taken');
    const before = await balance('red');
    const ran = await topUp(...argv);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toContain(text);
    expect(await balance('red')).toBe(before);
  });
});

describe('account adjust', () => {
  const adjust = (...argv: string[]) =>
    run('account', 'adjust', 'family', '--tenant', 'red', ...argv);

  test('takes and adds once a key, and says so', async () => {
    const before = (await balance('red'))!;
    const taken = await adjust('--amount=-500', '--key', 'complaint-1');
    expect(taken).toMatchObject({ code: 0, err: '' });
    expect(taken.out).toBe(
      `500 JPY taken from main of family (red)\navailable  ${before - 500} JPY\nreserved   0 JPY\n`,
    );
    const again = await adjust('--amount', '-500', '--key', 'complaint-1');
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toMatch(
      /^complaint-1 was booked at .* \(-500 JPY\); nothing was changed now\n/,
    );
    expect(await balance('red')).toBe(before - 500);
    const [json] = objects(await adjust('--amount', '200', '--key', 'goodwill-1', '--json'));
    expect(json).toMatchObject({
      ...{ tenant: 'red', account: 'family', bucket: 'main', key: 'goodwill-1', repeated: false },
      amount: { smallest: 200, amount: '200', currency: 'JPY' },
      available: { smallest: before - 300 },
    });
    expect(json).not.toHaveProperty('sessionsAsked');
    expect(await balance('red')).toBe(before - 300);
  });

  test('of a bucket of units, and of smallest units', async () => {
    const bundle = ['--bucket', 'bundle'];
    const sized = await adjust('--amount', '-1 kB', ...bundle, '--key', 'size', '--json');
    expect(objects(sized)[0]).toMatchObject({ unit: 'octets', amount: { smallest: -1_000 } });
    const where = ['--provisioning-file', '/nowhere.yaml', '--smallest'];
    const small = await adjust('--amount', '-5', '--key', 'small-5', ...where);
    expect(small.out).toContain('5 smallest units taken from main');
  });

  test.each<[string, string[], number, string]>([
    ['no amount and no key', [], 2, '--amount is missing; --key is missing'],
    ['more than there is', ['--amount', '-99999999999', '--key', 'k'], 2, 'not so much'],
    ['nothing', ['--amount', '0', '--key', 'k'], 2, 'an adjustment is not 0'],
    ['two signs', ['--amount=--5', '--key', 'k'], 2, 'AMOUNT_INVALID'],
    ['a key of a top-up', ['--amount', '500', '--key', 'of-a-top-up'], 2, 'KEY_REUSED'],
    ['no such bucket', ['--amount', '1', '--bucket', 'x', '--key', 'k'], 1, 'BUCKET_UNKNOWN'],
  ])('refused: %s', async (_name, argv, code, text) => {
    await run(
      'account',
      'topup',
      'family',
      '--tenant',
      'red',
      '--amount',
      '500',
      '--key',
      'of-a-top-up',
    );
    const before = await balance('red');
    const ran = await adjust(...argv);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toContain(text);
    expect(await balance('red')).toBe(before);
  });
});

describe('lists', () => {
  test('accounts', async () => {
    const { code, out } = await run('account', 'list', '--tenant', 'blue');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^account {2}plan +status {2}sessions {2}available\nfamily +prepaid {2}active +1 {2}bundle 4000 octets, main 19\.999975 EUR\n$/,
    );
  });

  test('sessions, and none', async () => {
    const { out } = await run('session', 'list', '--tenant', 'blue');
    const [head, row, ...rest] = out.trimEnd().split('\n');
    expect(head).toMatch(/^session +account +subscriber +client +services {2}opened +changed$/);
    expect(row).toContain(sessionIdOf('blue'));
    expect(rest).toEqual([]);
    expect((await run('session', 'list', '--tenant', 'red')).out).toBe(
      'There are no open sessions of red.\n',
    );
  });

  test('as JSON one object a line, over pages, up to the limit', async () => {
    for (let i = 0; i < 130; i++)
      await store.createAccount({ ...definition('red', `many-${i}`), subscribers: [] }, {});
    const all = objects(await run('account', 'list', '--tenant', 'red', '--json'));
    expect(new Set(all.map(({ account }) => account)).size).toBe(131);
    const some = await run('account', 'list', '--tenant', 'red', '--json', '--limit', '120');
    expect(objects(some)).toHaveLength(120);
    expect(some.err).toBe('There are more; --limit is 120.\n');
    expect((await run('session', 'list', '--tenant', 'red', '--json')).out).toBe('');
  });
});

describe('session show', () => {
  test('tells its services and what holds their grants', async () => {
    const { code, out } = await run('session', 'show', sessionIdOf('blue'));
    expect(code).toBe(0);
    expect(out).toContain(`session     ${sessionIdOf('blue')}\nin the log  s:`);
    expect(out).toContain('opened      2026-01-02 03:04:05Z\n');
    expect(out).toMatch(
      /1 {2}7 +internet \(plan version 3\) +2048 octets +1\.234567 EUR {2}1500 octets, final until 2026-01-02 04:04:05Z {2}bundle 1000, main 0\.000025 EUR/,
    );
  });

  test('tells the plan, and whom of a message’s recipients a service is for', async () => {
    const [internet, free] = session('red').services;
    const share = { called: '491701', count: 2, of: 3, units: 2 };
    const services = [
      { ...internet!, plan: 'prepaid', share },
      { ...free!, plan: 'prepaid', share: { ...share, called: '', count: 1 } },
    ];
    await open(store, session('red', { sessionId: 'message;1', services }));
    const { out } = await run('session', 'show', 'message;1');
    expect(out).toMatch(/7 +2 of 3 \(491701 \.\.\.\) {2}internet \(plan prepaid version 3\) {2}/);
    expect(out).toMatch(/- +1 of 3 +free \(plan prepaid version 3\) {2}/);
    expect((await run('session', 'show', sessionIdOf('blue'))).out).not.toContain('recipients');
  });

  test('as JSON; one that there is not', async () => {
    const ran = await run('session', 'show', sessionIdOf('blue'), '--json');
    expect(objects(ran)).toMatchObject([{ state: 'open', tenant: 'blue' }]);
    const unknown = await run(
      'session',
      'show',
      sessionIdOf('blue'),
      '--sub-session',
      '7',
      '--json',
    );
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse(unknown.err)).toMatchObject({ code: 'SESSION_UNKNOWN' });
  });
});

describe('audit', () => {
  test('a clean store: sums of each tenant and the verdict; then one that is not', async () => {
    const clean = await run('audit');
    expect(clean.err).toBe('');
    expect(clean.out).toMatch(/\nClean: every amount is accounted for \(\d+ accounts, /);
    expect(clean.out).toMatch(/^blue +EUR +20\.000000 +0\.000000 .* 19\.999975 +0\.000025$/m);
    expect(clean.code).toBe(0);
    const [report] = objects(await run('audit', '--json'));
    expect(report).toMatchObject({ clean: true, sessions: 2, findings: [] });

    const key = (await store.connection.redis.keys('tk:{*}:a:blue/family'))[0]!;
    await store.connection.redis.hincrby(key, availableField('main'), -3);
    const broken = await run('audit');
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/^conservation +\d+ +blue +family +main +20000000 +19999997$/m);
    expect(broken.out).toMatch(/\nNOT clean: \d+ findings? \(/);
    await store.connection.redis.hincrby(key, availableField('main'), 3);
    expect((await run('audit')).code).toBe(0);
  });
});

describe('the store', () => {
  test('nothing runs in the data folder', async () => {
    const elsewhere = join(folder, 'empty');
    const ran = await run('audit', '--data-dir', elsewhere);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain(`no Tollkeeper runs in ${elsewhere}`);
  });

  test('a Redis that is not there', async () => {
    const ran = await run('session', 'list', '--tenant', 'red', '--redis-url', '/nowhere.sock');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('STORE_UNAVAILABLE');
  });

  test('one that is not durable is refused', async () => {
    await store.connection.redis.config('SET', 'appendfsync', 'everysec');
    const ran = await run('audit');
    await store.connection.redis.config('SET', 'appendfsync', 'always');
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('appendfsync is everysec, must be always');
  });
});

test.each([
  'account adjust',
  'account show',
  'account list',
  'account topup',
  'session show',
  'session list',
  'audit',
])('help of %s has an example', async (name) => {
  const { code, out } = await run(...name.split(' '), '--help');
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`Examples?\n {2}tollkeeper ${name}`));
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});
