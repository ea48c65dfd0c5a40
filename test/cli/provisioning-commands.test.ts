/** The commands that change what is provisioned, as typed, on a service's Redis. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionKey } from '../../src/charging/request.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { type EmbeddedRedis, startEmbedded } from '../../src/embedded/redis.ts';
import { removePart } from '../../src/provisioning/edit-configuration.ts';
import type { Script } from '../../src/store/redis/script.ts';
import { scripts } from '../../src/store/redis/scripts.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { startProxy } from '../attack/proxy.ts';
import { open, session } from '../http/fixture.ts';
import { file, plan, tenant } from '../provisioning/configurations.ts';
import { until } from '../store/redis-rig.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let folder: string;
let redis: EmbeddedRedis;
let store: RedisStore;

const inFolder = (name: string) => join(folder, name);
const write = (name: string, value: unknown): string => {
  writeFileSync(inFolder(name), typeof value === 'string' ? value : JSON.stringify(value));
  return inFolder(name);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tk-provisioning-'));
  redis = await startEmbedded({ dataDir: inFolder('data'), durability: 'memory' });
  const log = { warn() {}, info() {} };
  store = await openRedisStore({ url: redis.url, partitions: 4, durability: 'memory', log });
  const accounts = [{ id: 'a', plan: 'p', subscribers: [{ e164: '491' }] }];
  const tenants = [tenant('blue', { accounts }), tenant('red')];
  const applied = await run('provisioning', 'apply', write('mvne.yaml', file(tenants)));
  expect(applied).toMatchObject({ code: 0, err: '' });
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
    env: { TOLLKEEPER_DATA_DIR: inFolder('data'), TOLLKEEPER_DURABILITY: 'memory' },
    stdout: (text) => {
      written.out += text;
    },
    stderr: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

const blue = ['--tenant', 'blue'] as const;

test('a file is applied, and shown again as one that can be applied', async () => {
  const { out } = await run('provisioning', 'show');
  expect(out).toMatch(/^# Version 1 of the configuration\ntenants:/);
  const again = await run('provisioning', 'apply', write('now.yaml', out), '--json');
  expect(JSON.parse(again.out)).toMatchObject({ changed: false, version: 1 });
  const bad = await run('provisioning', 'apply', write('bad.yaml', 'tenants: []'));
  expect(bad.code).toBe(2);
  expect(bad.err).toContain('(PROVISIONING_INVALID)');
  const open = await run('provisioning', 'apply', inFolder('mvne.yaml'), '--diameter-host=0.0.0.0');
  expect(open.err).toMatch(/anybody may connect[\s\S]*\(CHANGE_REFUSED\)/);
});

test('peers are judged by the address that the running service listens on', async () => {
  await store.rememberListener('0.0.0.0');
  const written = file([tenant('blue', { name: 'Blue' }), tenant('red')]);
  const apply = (peers: object) =>
    run('provisioning', 'apply', write('peers.yaml', { ...written, peers }));
  const refused = await apply({ anybody: { single: true } });
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toMatch(/reachable from outside \(0\.0\.0\.0\)[\s\S]*\(CHANGE_REFUSED\)/);
  expect(await run('provisioning', 'show')).toMatchObject({
    out: expect.stringMatching(/^# Version 1 /),
  });
  await store.rememberListener('127.0.0.1');
});

test('a plan is put, listed and shown as it is and as it was', async () => {
  const put = await run('plan', 'put', write('plan.yaml', plan('0.07')), ...blue);
  expect(put).toMatchObject({ code: 0, out: 'p of blue is at version 2\n' });
  const list = await run('plan', 'list', ...blue, '--json');
  expect(JSON.parse(list.out)).toMatchObject({ plan: 'p', version: 2, rules: 1, kept: [1, 2] });
  expect((await run('plan', 'show', 'p', ...blue)).out).toContain('amount: "0.07"');
  const old = await run('plan', 'show', 'p', ...blue, '--version', '1');
  expect(old.out).toContain('amount: "0.01"');
  const none = await run('plan', 'show', 'p', ...blue, '--version', '9');
  expect(none.err).toMatch(/^Version 9 of plan p of tenant blue is not kept\n/);
  expect((await run('plan', 'show', 'none', ...blue, '--version', '1')).err).toContain(
    '(PLAN_UNKNOWN)',
  );
  const refused = await run('plan', 'put', write('bad-plan.yaml', { id: 'p', rules: [] }), ...blue);
  expect(refused).toMatchObject({ code: 2 });
  expect((await run('plan', 'put', write('no-id.yaml', 'rules: []'), ...blue)).err).toContain(
    'no-id.yaml:1:1: id: found nothing',
  );
  expect((await run('plan', 'list')).err).toContain('--tenant is missing: one of blue, red');
  expect((await run('plan', 'list', '--tenant', 'green')).err).toContain('TENANT_UNKNOWN');
});

test('on which workers a change is in effect is told', async () => {
  const put = () => run('plan', 'put', write('known.yaml', plan('0.08')), ...blue, '--json');
  expect(JSON.parse((await put()).out).inEffect).toEqual({ workers: 0, without: [] });
  const here = `configuration/host-0/${await store.configurationStamp()}`;
  await store.announce(here, 60_000);
  expect(JSON.parse((await put()).out).inEffect).toEqual({ workers: 1, without: [] });
  const same = write('same.yaml', (await run('provisioning', 'show')).out);
  expect((await run('provisioning', 'apply', same)).out).toMatch(
    /^configuration {2}as it was, version \d, in effect on all 1 workers$/m,
  );
  await store.announce('configuration/host-1/another', 60_000);
  const partly = await put();
  expect(JSON.parse(partly.out).inEffect).toEqual({ workers: 2, without: ['host-1'] });
  expect(partly).toMatchObject({
    ...{ code: 0, err: expect.stringMatching(/^It is stored, but not in effect on host-1 yet: /) },
  });
  for (const name of [here, 'configuration/host-1/another']) await store.announce(name, 0);
});

test('tenants are those of the service, whatever file is named', async () => {
  for (const list of ['account', 'session']) {
    const missing = await run(list, 'list');
    expect(missing.err).toContain('--tenant is missing: one of blue, red\n');
    const unknown = await run(list, 'list', '--tenant', 'nope');
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('There is no tenant nope');
    expect((await run(list, 'list', ...blue)).err).toBe('');
  }
});

test('an account is put, blocked and served again; a subscriber is moved to it', async () => {
  const account = { id: 'b', plan: 'p', buckets: [{ id: 'main', unit: 'money', opening: '5' }] };
  const put = () => run('account', 'put', write('account.yaml', account), ...blue);
  expect((await put()).out).toBe('b of blue is active, with plan p, 0 subscribers and 1 buckets\n');
  expect((await run('account', 'block', 'b', ...blue)).out).toContain('b of blue is blocked');
  expect((await run('account', 'unblock', 'b', ...blue)).out).toContain('b of blue is active');
  const move = () => run('subscriber', 'move', 'e164:491', 'b', ...blue);
  expect((await move()).out).toBe('e164:491 is on b of blue, and no more on a\n');
  expect((await move()).out).toBe('e164:491 is on b of blue\n');
  expect((await run('subscriber', 'move', '491', 'b', ...blue)).code).toBe(2);
  const unheardOf = await run('subscriber', 'move', 'e164:+491', 'b', ...blue);
  expect(unheardOf).toMatchObject({ code: 2, out: '' });
  expect(unheardOf.err).toContain("e164: found '+491', expected a number in international form");
  expect((await run('account', 'block', 'b', '--tenant', 'red')).err).toContain('ACCOUNT_UNKNOWN');
});

describe('an import', () => {
  const csvOf = (count: number) =>
    `account,plan,e164,opening:main\n${Array.from(
      { length: count },
      (_, i) => `imported-${i},p,${4_990_000_000 + i},1.00\n`,
    ).join('')}`;

  test('is reported row by row where it was refused', async () => {
    const name = write('some.csv', `${csvOf(3)}x,none,1,\n`);
    const first = await run('import', name, '--tenant', 'red', '--json');
    expect(first.code).toBe(1);
    expect(JSON.parse(first.out)).toMatchObject({ rows: 4, created: 3, refusedRows: 1 });
    expect(readFileSync(`${name}.refused.csv`, 'utf8')).toMatch(
      /^line,reason,row\n5,"plan: found 'none'[^\n]*","x,none,1,"\n$/,
    );
    expect(first.err).toMatch(/^100 % {2}4 rows, 1 refused, \d+ rows\/s\n/m);
    const again = await run('import', write('some.csv', csvOf(3)), '--tenant', 'red', '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ created: 0, unchanged: 3 });
    expect(existsSync(`${name}.refused.csv`)).toBe(false);
    expect((await run('import', write('bad.csv', 'x,y\n'), ...blue)).err).toContain(
      "there is no column 'x'",
    );
    expect((await run('import', inFolder('none.csv'), ...blue)).err).toContain('FILE_UNREADABLE');
  });

  test('with a checkpoint that is cut off, or of another report, begins anew', async () => {
    const name = write('again.csv', `${csvOf(3)}x,none,1,\n`);
    const { size, mtimeMs: modifiedAt } = statSync(name);
    const of = { tenant: 'red', size, modifiedAt, store: store.connection.madeAt };
    const counts = { rows: 4, created: 3, unchanged: 0, subscribersAdded: 0, refusedRows: 1 };
    const start = { offset: size, line: 6, counts, reportBytes: 100 };
    const other = inFolder('other.csv');
    const old = { ...start, of: { ...of, report: inFolder('gone.csv') } };
    const cut = { ...start, of: { ...of, report: other } };
    for (const text of ['', '{"of":', 'null', JSON.stringify(old), JSON.stringify(cut)]) {
      writeFileSync(`${name}.checkpoint`, text);
      writeFileSync(other, 'line,reason,row\n');
      const ran = await run('import', name, '--tenant', 'red', '--json', '--report', other);
      expect(JSON.parse(ran.out), text).toMatchObject({ rows: 4, refusedRows: 1 });
      expect(readFileSync(other, 'utf8'), text).toMatch(/^line,reason,row\n5,"plan: found 'none'/);
    }
  });

  test('puts its report in the place of no other file', async () => {
    const name = write('kept.csv', csvOf(3));
    const report = (file: string) =>
      run('import', name, '--tenant', 'red', '--json', '--report', file);
    symlinkSync(name, inFolder('soft.csv'));
    linkSync(name, inFolder('hard.csv'));
    const same = [name, `${folder}/./kept.csv`, inFolder('soft.csv'), inFolder('hard.csv')];
    for (const file of same) {
      const refused = await report(file);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain(`--report ${file} is the file to import`);
      expect(readFileSync(name, 'utf8')).toBe(csvOf(3));
    }
    for (const file of [`${name}.checkpoint`, `${name}.checkpoint.new`]) {
      expect((await report(file)).err).toContain(
        `--report ${file} is where its checkpoint is kept`,
      );
      expect(existsSync(file)).toBe(false);
    }
    for (const text of ['my notes\n', 'line,reason\n', '\n']) {
      const notes = write('notes.txt', text);
      const refused = await report(notes);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain(`${notes} is there, and is no report of an import`);
      expect(readFileSync(notes, 'utf8')).toBe(text);
    }
    execFileSync('mkfifo', [inFolder('pipe')]);
    expect((await report(inFolder('pipe'))).err).toContain('is no report of an import');
    expect(existsSync(inFolder('pipe'))).toBe(true);
    expect((await report(folder)).err).toContain('FILE_UNWRITABLE');
    // A report of before, whole or cut off, makes room for this one.
    for (const text of ['', 'line,rea', 'line,reason,row\n9,why,"a,b"\n']) {
      expect((await report(write('before.csv', text))).code).toBe(0);
      expect(existsSync(inFolder('before.csv'))).toBe(false);
    }
  });

  test('that goes on writes its report on', async () => {
    const name = write('on.csv', `${csvOf(3)}x,none,1,\n`);
    const other = inFolder('on.refused.csv');
    const { size, mtimeMs: modifiedAt } = statSync(name);
    const counts = { rows: 3, created: 0, unchanged: 2, subscribersAdded: 0, refusedRows: 1 };
    const refused = 'line,reason,row\n3,why,"a,b"\n';
    writeFileSync(other, `${refused}4,after the checkpoint,"c,d"\n`);
    const checkpoint = {
      of: { tenant: 'red', size, modifiedAt, store: store.connection.madeAt, report: other },
      ...{ offset: csvOf(3).length, line: 5, counts, reportBytes: refused.length },
    };
    writeFileSync(`${name}.checkpoint`, JSON.stringify(checkpoint));
    const ran = await run('import', name, '--tenant', 'red', '--json', '--report', other);
    expect(JSON.parse(ran.out)).toMatchObject({ rows: 4, refusedRows: 2 });
    expect(readFileSync(other, 'utf8')).toMatch(/^line,reason,row\n3,why,"a,b"\n5,"plan: found/);
  });

  test('takes no row of a plan that is taken out meanwhile', async () => {
    const second = { ...plan('0.01'), id: 'second' };
    const put = await run('plan', 'put', write('second.yaml', second), '--tenant', 'red');
    expect(put.code).toBe(0);
    const name = write(
      'second.csv',
      `account,plan\n${Array.from({ length: 3_000 }, (_, i) => `s-${i},second\n`).join('')}`,
    );
    const ran = run('import', name, '--tenant', 'red', '--rate', '1500', '--json');
    await until(async () => existsSync(`${name}.checkpoint`));
    await removePart(store, { part: 'plan', tenant: 'red', plan: 'second' });
    const { out, code } = await ran;
    expect(code).toBe(1);
    const { created, refusedRows } = JSON.parse(out);
    expect(created).toBeLessThan(3_000);
    expect(created + refusedRows).toBe(3_000);
    // The accounts that there are already keep the name of the plan, as any would.
    expect(readFileSync(`${name}.refused.csv`, 'utf8')).toContain("plan: found 'second'");
    const exported = await run('export', inFolder('gone.csv'), '--tenant', 'red');
    const notes = exported.err.trimEnd().split('\n');
    expect(notes).toHaveLength(22);
    expect(notes[0]).toBe(`Import refuses the rows of ${created} accounts as they are now:`);
    expect(notes[21]).toBe(`  and ${created - 20} more`);
    const lines = readFileSync(inFolder('gone.csv'), 'utf8').split('\n');
    for (const note of notes.slice(1, 21)) {
      const [, id, line] = /^ {2}(s-\d+), line (\d+): plan: found 'second', /.exec(note) ?? [];
      expect(lines[Number(line) - 1]).toMatch(`${id},second,`);
    }
  });

  test('that is killed goes on from its checkpoint, and no row has an effect twice', async () => {
    const count = 6_000;
    const name = write('many.csv', csvOf(count));
    const flags = ['--tenant', 'blue', '--data-dir', inFolder('data'), '--durability', 'memory'];
    // Slow enough to be killed in the middle; fast once it goes on.
    const child = spawn(process.execPath, [main, 'import', name, ...flags, '--rate', '1000'], {
      stdio: 'ignore',
    });
    await until(async () => existsSync(`${name}.checkpoint`));
    child.kill('SIGKILL');
    await once(child, 'close');
    const { counts } = JSON.parse(readFileSync(`${name}.checkpoint`, 'utf8'));
    expect(counts.rows).toBeGreaterThan(0);
    expect(counts.rows).toBeLessThan(count);
    const resumed = await run('import', name, ...flags, '--json');
    expect(resumed).toMatchObject({ code: 0 });
    const done = JSON.parse(resumed.out);
    // What was written after the checkpoint is found there.
    expect(done.rows).toBe(count);
    expect(done.created + done.unchanged).toBe(count);
    expect(done.created).toBeLessThan(count + 1);
    expect(existsSync(`${name}.checkpoint`)).toBe(false);
    const exported = await run('export', inFolder('out.csv'), ...flags, '--json');
    // And the two accounts that were there.
    expect(JSON.parse(exported.out)).toMatchObject({ accounts: count + 2, rows: count + 2 });
    const lines = readFileSync(inFolder('out.csv'), 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('""opening"":""1.00""'))).toHaveLength(count);
  });
});

describe('a change whose reply is lost may be in, and is sent again', () => {
  const opening = [{ id: 'main', unit: 'money', opening: '5' }];
  const isIn = async (account: string) =>
    (await store.load({ tenant: 'blue', account })).account?.definition;
  /** Runs a command whose Redis is gone when it has called a script. */
  const lostAt = async (script: Script, ...argv: string[]) => {
    const proxy = await startProxy(redis.url);
    const gone = proxy.strike(script, 'see').then(() => proxy.close());
    const ran = await run(...argv, '--redis-url', proxy.url);
    await gone;
    return ran;
  };
  const account = (more: object = {}) => ({ id: 'lost', plan: 'p', buckets: opening, ...more });

  test.each<[string, Script, () => string[], RegExp]>([
    [
      'account put',
      scripts.createAccount,
      () => ['account', 'put', write('lost.yaml', account()), ...blue],
      /^lost of blue is active/,
    ],
    [
      'account put, of one that exists',
      scripts.changeAccount,
      () => ['account', 'put', write('lost.yaml', account({ maxSessions: 9 })), ...blue],
      /^lost of blue is active/,
    ],
    [
      'account block',
      scripts.changeAccount,
      () => ['account', 'block', 'lost', ...blue],
      /^lost of blue is blocked/,
    ],
    [
      'subscriber move',
      scripts.addSubscriber,
      () => ['subscriber', 'move', 'e164:4977', 'lost', ...blue],
      /^e164:4977 is on lost of blue/,
    ],
    [
      'plan put',
      scripts.writeConfiguration,
      () => ['plan', 'put', write('lost-plan.yaml', plan('0.31')), ...blue],
      /^p of blue is at version \d+\n$/,
    ],
  ])('%s', async (_, script, argv, done) => {
    const ran = await lostAt(script, ...argv());
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^Redis did not say whether it applied the change: /);
    expect(ran.err).toContain('Send the same again');
    expect((await run(...argv())).out).toMatch(done);
    expect(await isIn('lost')).toBeDefined();
  });

  test('but where the store fails before anything is sent, nothing has happened', async () => {
    const before = await isIn('lost');
    const ran = await lostAt(scripts.load, 'account', 'unblock', 'lost', ...blue);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^Redis cannot be used now: /);
    expect(await isIn('lost')).toEqual(before);
  });
});

describe('clients of open sessions are asked again when their account gets another plan', () => {
  const buckets = [
    { id: 'bundle', unit: 'octets', opening: 5_000 },
    { id: 'main', unit: 'money', opening: '20' },
  ] as const;
  const accountWith = (id: string, plan: string) => ({ id, plan, buckets });
  const pending = async (account: string) => {
    const key = sessionKey({ sessionId: account });
    return (await store.load({ tenant: 'blue', account }, key)).session?.session.pending;
  };
  const provision = (...accounts: ReturnType<typeof accountWith>[]) => {
    const plans = [plan('0.01'), plan('0.01', { id: 'q' })];
    const tenants = [tenant('blue', { plans, accounts }), tenant('red')];
    return run('provisioning', 'apply', write('asked.yaml', file(tenants)), '--json');
  };
  const begin = async (account: string) => {
    expect((await provision(accountWith(account, 'p'))).code).toBe(0);
    const of = { sessionId: account, account: { tenant: 'blue', account } };
    await open(store, session('blue', of));
  };

  test('by a file, and only of those that do', async () => {
    await begin('moving');
    await begin('staying');
    const both = [accountWith('moving', 'q'), accountWith('staying', 'p')];
    const { out } = await provision(...both);
    expect(JSON.parse(out).accounts).toMatchObject({ changed: 1, unchanged: 1, sessionsAsked: 1 });
    expect(await pending('moving')).toMatchObject({ kind: 'reauthorise', reason: 'plan' });
    expect(await pending('staying')).toBeUndefined();
    expect(JSON.parse((await provision(...both)).out).accounts).toMatchObject({ sessionsAsked: 0 });
  });

  test('by a command', async () => {
    await begin('put');
    const put = (plan: string) =>
      run('account', 'put', write('put.yaml', accountWith('put', plan)), ...blue);
    expect(await put('p')).toMatchObject({ code: 0, err: '' });
    expect(await pending('put')).toBeUndefined();
    const { err } = await put('q');
    expect(err).toBe('Sessions whose clients are asked to re-authorise: 1.\n');
    expect(await pending('put')).toMatchObject({ kind: 'reauthorise', reason: 'plan' });
  });
});
