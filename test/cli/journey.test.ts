/**
 * A capture and nothing else: what a user types to have it charged, each command a process of its
 * own. What is charged is compared with a reckoning from the requests' octets.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleTrace } from '../../src/trace/sample.ts';
import { marketFor } from '../captures/market.ts';
import { readAsked } from '../captures/reading.ts';
import { ethernet, ipv4, pcapng, tcp } from '../trace/packets.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const entries = sampleTrace();
const sessions = new Set(entries.map(({ session }) => session)).size;

let folder: string;
let service: ChildProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tk-journey-'));
  const sent = new Map<number, number>();
  const packets = entries.map(({ connection, request }) => {
    const sequence = sent.get(connection) ?? 1;
    sent.set(connection, sequence + request.length);
    const ports = [40_000 + connection, 3868] as const;
    return ethernet(ipv4(tcp({ sequence, payload: request, ports })));
  });
  writeFileSync(join(folder, 'gateway.pcapng'), pcapng(packets));
});

afterAll(async () => {
  if (service !== undefined) await stop(service);
  rmSync(folder, { recursive: true, force: true });
});

function begin(argv: readonly string[]) {
  const child = spawn(process.execPath, [main, ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH, TOLLKEEPER_DATA_DIR: 'data' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    written.out += text;
  });
  child.stderr.on('data', (text) => {
    written.err += text;
  });
  return { child, written, closed: once(child, 'close') };
}

/** Runs a command to its end, as typed. */
async function tollkeeper(typed: string) {
  const { written, closed } = begin(typed.split(' '));
  const [code] = await closed;
  return { code, ...written };
}

async function start(typed: string) {
  const begun = begin(['start', ...typed.split(' ')]);
  service = begun.child;
  await new Promise<void>((resolve, reject) => {
    begun.child.stdout.on('data', () => {
      if (begun.written.out.includes('Ctrl-C')) resolve();
    });
    begun.child.once('exit', () => reject(new Error(begun.written.err)));
  });
  const { out } = begun.written;
  const port = /Diameter +127\.0\.0\.1:(\d+)/.exec(out)?.[1];
  const url = /HTTP +(http:\S+)/.exec(out)?.[1];
  return { ...begun, port, url };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

const objects = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function balances(): Promise<Record<string, number>> {
  const { out } = await tollkeeper('account list --provisioning-file gateway.yaml --json');
  return Object.fromEntries(
    objects(out).map(({ account, buckets: [{ available, reserved }] }) => [
      ...[account, available.smallest + reserved.smallest],
    ]),
  );
}

/** What the accounts have after the trace was charged once. */
function reckoned(): Record<string, number> {
  const [stall] = marketFor(entries).stalls;
  const reckoning = stall!.reckoning();
  for (const { request } of entries) reckoning.apply(readAsked(request, stall!.digits));
  const left = [...reckoning.accounts].map(([account, buckets]) => {
    const { available, reserved } = buckets.get('main')!;
    return [account, Number(available + reserved)];
  });
  return Object.fromEntries(left);
}

test('a stranger’s capture is imported, charged, looked at, and kept', {
  timeout: 60_000,
}, async () => {
  const imported = await tollkeeper(
    'trace import gateway.pcapng gateway.tktrace --provisioning gateway.yaml',
  );
  expect(imported).toMatchObject({ code: 0, err: '' });
  expect(imported.out).toMatch(`${entries.length} requests of ${sessions} sessions in `);
  expect(imported.out).toContain('20 accounts provisioned');
  const flags = '--provisioning-file gateway.yaml --diameter-port 0 --http-port 0';
  const first = await start(flags);
  expect(await (await fetch(`${first.url}/readyz`)).json()).toMatchObject({ ready: true });

  const captured = await tollkeeper(`replay gateway.pcapng --port ${first.port} --rate max`);
  expect(captured).toMatchObject({ code: 0, err: '' });
  expect(captured.out).toMatch(new RegExp(`^result codes +2001: ${entries.length}$`, 'm'));
  expect(await balances()).toEqual(reckoned());

  const again = `replay gateway.tktrace --subscribers 491700000001+5 --repeat 3 --port ${first.port}`;
  const repeated = await tollkeeper(`${again} --rate max --json`);
  expect(repeated).toMatchObject({ code: 0, err: '' });
  expect(objects(repeated.out)).toMatchObject([
    {
      success: true,
      requests: 3 * entries.length,
      answered: 3 * entries.length,
      resultCodes: { 2001: 3 * entries.length },
      subscribers: { seen: 20, targets: 5 },
    },
  ]);
  const rule = { name: 'r', unit: 'octets', free: true, quota: { size: 1 } };
  writeFileSync(join(folder, 'free.json'), JSON.stringify({ id: 'free', rules: [rule] }));
  const put = await tollkeeper('plan put free.json');
  expect(put).toMatchObject({ code: 0, err: '' });
  expect(put.out).toBe('free of capture is at version 1, in effect on all 2 workers\n');
  const topUp = 'account topup capture-1 --provisioning-file gateway.yaml --amount 5 --key voucher';
  expect((await tollkeeper(topUp)).out).toMatch(/^5\.00 EUR added to main of capture-1 /);
  expect((await tollkeeper(topUp)).out).toContain('nothing was changed now');
  expect(await tollkeeper('session list --provisioning-file gateway.yaml')).toEqual({
    ...{ code: 0, out: 'There are no open sessions of capture.\n', err: '' },
  });
  const audited = await tollkeeper('audit --provisioning-file gateway.yaml');
  expect(audited).toMatchObject({ code: 0, err: '' });
  expect(audited.out).toContain('Clean: every amount is accounted for (20 accounts, ');
  const before = await balances();
  await stop(first.child);
  await first.closed;
  expect(first.child.exitCode).toBe(0);
  expect(first.written).toMatchObject({ out: expect.stringMatching(/Stopped\.\n$/), err: '' });

  const second = await start(flags);
  expect(await balances()).toEqual(before);
  await stop(second.child);
  expect(second.written.err).toBe('');
});
