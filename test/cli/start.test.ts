/** A start that does not get far: it says why, with advice, and leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedRedis, startTemporary } from '../../src/embedded/redis.ts';
import { file, tenant } from '../provisioning/configurations.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let folder: string;
let volatile: EmbeddedRedis;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tk-start-'));
  volatile = await startTemporary();
});

afterAll(async () => {
  await volatile.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `start` to its end: it has to fail by itself. */
async function start(...flags: string[]) {
  const child = spawn(process.execPath, [main, 'start', '--http-port=0', ...flags], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

test('a Ctrl-C while it replays the sample: ended in order, and nothing is left', async () => {
  const flags = ['--data-dir=stopped', '--http-port=0', '--diameter-port=0'];
  const child = spawn(process.execPath, [main, 'start', ...flags], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
    if (out.includes('Replaying') && !child.killed) child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  expect(out).not.toContain('Point a gateway');
  expect(out).toMatch(/told, what is in flight is answered\.\nStopped\.\n$/);
  expect(readdirSync(join(folder, 'stopped', 'redis'))).toEqual(['appendonlydir', 'redis.conf']);
});

test('a Redis that would lose data', async () => {
  const { code, out, err } = await start('--redis-url', volatile.url, '--diameter-port=0');
  expect(err).toMatch(/^This Redis breaks the durability that is promised:\n {2}appendonly is no/m);
  expect(err).toMatch(/\(STORE_NOT_DURABLE\)\n$/);
  expect(code).toBe(2);
  expect(out).not.toContain('Stop');
});

test('a Redis that is not there', async () => {
  const { code, err } = await start('--redis-url', join(folder, 'none'), '--diameter-port=0');
  expect(err).toMatch(/^Redis cannot be used now: .*\n.*\(STORE_UNAVAILABLE\)\n$/m);
  expect(code).toBe(1);
});

test('a store with other partitions', async () => {
  const flags = ['--redis-url', volatile.url, '--durability=memory', '--record-dir=records'];
  const port = createServer().listen(0, '127.0.0.1');
  await once(port, 'listening');
  // The first gets as far as making the store, and no further.
  const taken = `--diameter-port=${(port.address() as AddressInfo).port}`;
  expect((await start(...flags, taken, '--partitions=3')).code).toBe(1);
  port.close();
  const { code, err } = await start(...flags, '--diameter-port=0', '--partitions=4');
  expect(err).toMatch(
    /^This Redis holds 3 partitions, and not 4 partitions\n.*\(STORE_INCOMPATIBLE\)\n$/m,
  );
  expect(code).toBe(2);
});

test('an address on which the peers of the store cannot be served', async () => {
  const redis = await startTemporary();
  const flags = ['--redis-url', redis.url, '--durability=memory', '--record-dir=unfit'];
  const port = createServer().listen(0, '127.0.0.1');
  await once(port, 'listening');
  const path = join(folder, 'unfit.json');
  writeFileSync(path, JSON.stringify(file([tenant('blue')])));
  // The first gets as far as applying the file, and no further.
  const taken = `--diameter-port=${(port.address() as AddressInfo).port}`;
  expect((await start(...flags, taken, '--provisioning-file', path)).code).toBe(1);
  port.close();
  const { code, err } = await start(...flags, '--diameter-port=0', '--diameter-host=0.0.0.0');
  await redis.stop();
  expect(err).toMatch(
    /^The peers of the configuration in the store cannot be served: peers: anybody/m,
  );
  expect(err).toMatch(/another --diameter-host\. \(PEERS_UNFIT\)\n$/);
  expect(code).toBe(2);
});

test.each([
  ['nobody shares', false, 'shared'],
  ['another installation would share', true, 'shared'],
  ['nobody shares, for the second worker', false, 'each'],
])('a Diameter port that %s', async (_, reusePort, ports) => {
  const other = createServer().listen({ host: '127.0.0.1', port: 0, reusePort });
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const first = ports === 'each' ? port - 1 : port;
  const flags = ['--data-dir=ports', `--diameter-port=${first}`, `--diameter-ports=${ports}`];
  const names = ports === 'each' ? ['--origin-host=ocs{worker}.example'] : [];
  const { code, err } = await start(...flags, ...names);
  other.close();
  expect(err).toContain(`Diameter cannot listen on 127.0.0.1:${port}: `);
  expect(err).toMatch(/\(PORT_UNAVAILABLE\)\n$/);
  expect(code).toBe(1);
});
