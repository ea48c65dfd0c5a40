/** The commands that want something of a session, and what a top-up wants of its clients. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';
import { type EmbeddedRedis, startEmbedded } from '../../src/embedded/redis.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { definition, open, session } from '../http/fixture.ts';

const provisioning = `
tenants:
  - id: blue
    name: Blue
    currency: EUR
    digits: 6
    plans: [{ id: p, version: 1, rules: [{ name: r, unit: octets, free: true, quota: { size: 1 } }] }]
routing: { default: blue }
peers: { anybody: {} }
`;

const account = { tenant: 'blue', account: 'family' };
let folder: string;
let redis: EmbeddedRedis;
let store: RedisStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tk-cli-'));
  writeFileSync(join(folder, 'mvne.yaml'), provisioning);
  redis = await startEmbedded({ dataDir: join(folder, 'data'), durability: 'memory' });
  const log = { warn() {}, info() {} };
  store = await openRedisStore({
    ...{ url: redis.url, partitions: 4, durability: 'memory', lab: true, log },
  });
  const opening = { bundle: 50_000, main: 20_000_000 };
  await store.createAccount(definition('blue', 'family'), opening);
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCommandLine({
    argv,
    env: {
      ...{ TOLLKEEPER_DATA_DIR: join(folder, 'data'), TOLLKEEPER_DURABILITY: 'memory' },
      ...{ TOLLKEEPER_PROVISIONING_FILE: join(folder, 'mvne.yaml'), TOLLKEEPER_LAB: 'true' },
    },
    stdout: (text) => {
      written.out += text;
    },
    stderr: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

const stored = async (key: string) => (await store.load(account, key)).session?.session;
const opened = async (sessionId: string, more: Parameters<typeof session>[1] = {}) => {
  await open(store, session('blue', { sessionId, ...more }));
  return sessionId;
};

test('session reauthorise: what is wanted is pending in the session, once', async () => {
  const id = await opened('gw.example;1');
  const ran = await run('session', 'reauthorise', id, '--rating-group', '1', '--service=7');
  expect(ran).toMatchObject({ code: 0, out: 'The client will be asked to re-authorise.\n' });
  expect((await stored(id))?.pending).toMatchObject({
    ...{ kind: 'reauthorise', reason: 'operator', scope: { ratingGroup: 1, serviceId: 7 } },
  });
  expect((await run('session', 'show', id)).out).toContain(
    'asking      to re-authorise rating group 1 service 7 (operator), tried 0 times\n',
  );
  const again = await run(
    'session',
    'reauthorise',
    id,
    '--rating-group',
    '1',
    '--service=7',
    '--json',
  );
  expect(JSON.parse(again.out)).toEqual({ sessionId: id, outcome: 'pending' });
});

test('session reauthorise: a sub-session is one of its own', async () => {
  const id = await opened('gw.example;2', { subSessionId: '5' });
  await opened(id, { subSessionId: '6' });
  expect((await run('session', 'reauthorise', id, '--sub-session=7')).code).toBe(1);
  expect(await run('session', 'reauthorise', id, '--sub-session=5', '--pool=3')).toMatchObject({
    code: 0,
  });
  expect((await stored(`${id}\n5`))?.pending?.scope).toEqual({ pool: 3 });
  expect((await stored(`${id}\n6`))?.pending).toBeUndefined();
});

test('session list, show, reauthorise and abort find the sub-sessions of a Session-Id', async () => {
  const id = 'gw.example;20';
  for (const subSessionId of ['1', '2']) await opened(id, { subSessionId });
  const listed = await run('session', 'list', '--tenant=blue');
  for (const sub of ['1', '2'])
    expect(listed.out).toMatch(new RegExp(`^${id} +${sub}  family`, 'm'));
  const shown = await run('session', 'show', id);
  expect(shown.code).toBe(0);
  for (const sub of ['1', '2']) expect(shown.out).toContain(`${id}, sub-session ${sub}\n`);
  const objects = (await run('session', 'show', id, '--json')).out.trim().split('\n');
  expect(objects.map((line) => JSON.parse(line).subSessionId).sort()).toEqual(['1', '2']);
  const one = await run('session', 'show', id, '--sub-session=2', '--json');
  expect(JSON.parse(one.out)).toMatchObject({ sessionId: id, subSessionId: '2' });

  expect((await run('session', 'reauthorise', id)).code).toBe(0);
  const states = async () => {
    const found = [await stored(`${id}\n1`), await stored(`${id}\n2`)];
    return found.map((session) => session?.pending?.kind ?? session?.state);
  };
  expect(await states()).toEqual(['reauthorise', 'reauthorise']);
  expect((await run('session', 'abort', id, '--now', '--sub-session=1')).code).toBe(0);
  expect(await states()).toEqual(['abandoned', 'reauthorise']);
  // One of them is over, so what is left is asked.
  expect(JSON.parse((await run('session', 'abort', id, '--json')).out).outcome).toBe('asked');
  expect(await states()).toEqual(['abandoned', 'abort']);
  expect((await run('session', 'abort', id, '--now')).code).toBe(0);
  expect(await states()).toEqual(['abandoned', 'abandoned']);
});

test.each(['reauthorise', 'abort'])('session %s: a session that is not there', async (word) => {
  const ran = await run('session', word, 'gw.example;none', '--json');
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.err)).toMatchObject({ code: 'SESSION_UNKNOWN' });
});

test('session reauthorise: a pool names its services itself', async () => {
  const ran = await run('session', 'reauthorise', 'x', '--pool=1', '--rating-group=2');
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('--pool names its services itself');
});

test('session abort: the client is asked, and the session goes on until it has ended it', async () => {
  const id = await opened('gw.example;3');
  const ran = await run('session', 'abort', id);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/^The client will be asked to end the session/);
  expect(await stored(id)).toMatchObject({ state: 'open', pending: { kind: 'abort' } });
  expect(JSON.parse((await run('session', 'abort', id, '--json')).out)).toEqual({
    ...{ sessionId: id, outcome: 'pending' },
  });
});

test('session abort --now: the session is over, and what it held is free', async () => {
  const id = await opened('gw.example;4');
  const before = (await store.load(account)).account!.counters;
  const ran = await run('session', 'abort', id, '--now');
  expect(ran).toMatchObject({
    code: 0,
    out: 'The session is ended; what it held is free again.\n',
  });
  expect((await stored(id))?.state).toBe('abandoned');
  const after = (await store.load(account)).account!.counters;
  expect(after['a:bundle']).toBe(before['a:bundle']! + 1_000);
  expect((await run('session', 'abort', id, '--now')).code).toBe(0);
  expect((await run('session', 'abort', id)).code).toBe(1);
});

test('account topup: clients of sessions without credit are asked, also when it is repeated', async () => {
  const [service] = session('blue').services;
  const id = await opened('gw.example;5', { services: [{ ...service!, exhausted: 'restricted' }] });
  const topUp = ['account', 'topup', 'family', '--amount', '5.00', '--key', 'v1', '--json'];
  expect(JSON.parse((await run(...topUp)).out)).toMatchObject({
    repeated: false,
    sessionsAsked: 1,
  });
  expect((await stored(id))?.pending).toMatchObject({ kind: 'reauthorise', reason: 'top-up' });
  expect(JSON.parse((await run(...topUp)).out)).toMatchObject({ repeated: true, sessionsAsked: 0 });
});

test.each(['reauthorise', 'abort'])('help of session %s has an example', async (name) => {
  const { code, out } = await run('session', name, '--help');
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`Examples?\n {2}tollkeeper session ${name}`));
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});
