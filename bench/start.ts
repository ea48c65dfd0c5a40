/** Cold start: from the start of a process to the first answer to a request that it charged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Fleet } from '../src/cli/fleet.ts';
import { readProvisioning } from '../src/cli/provisioned.ts';
import { parseSettings } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { applyFile } from '../src/provisioning/apply-file.ts';
import { openRedisStore } from '../src/store/redis/store.ts';
import { ConnectFailed, DiameterClient } from '../src/trace/client.ts';
import { writeProvisioning } from './accounts.ts';
import { type Figure, median } from './figure.ts';
import { startPrivateRedis } from './rig.ts';
import { GATEWAY, Traffic } from './traffic.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Few, because a first start writes them. */
const ACCOUNTS = 100;

export async function* coldStart({ times }: { times: number }): AsyncGenerator<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'tk-bench-start-'));
  try {
    const provisioning = writeProvisioning(join(folder, 'provisioning.yaml'), ACCOUNTS);
    const shared = { bench: 'start', unit: 'ms' };
    const workers = await startWorkers(provisioning, { times, folder });
    yield { ...shared, name: 'a worker on a running Redis, to its first answer', ...workers };
    const services: number[] = [];
    for (let i = 0; i < times; i += 1)
      services.push(await startService(provisioning, join(folder, `data-${i}`)));
    yield {
      ...shared,
      name: '`start` with a private Redis, to the first answer',
      ...median(services),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startWorkers(
  provisioning: string,
  { times, folder }: { times: number; folder: string },
): Promise<Pick<Figure, 'value' | 'range'>> {
  const redis = await startPrivateRedis('fsync');
  try {
    const { settings, problems } = parseSettings({
      env: {},
      flags: ['--diameter-port=0', '--workers=1', `--data-dir=${folder}`],
    });
    if (settings === undefined) throw new Error(JSON.stringify(problems));
    await provision(redis.server.url, provisioning, settings.partitions);
    const samples: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const startedAt = performance.now();
      const fleet = new Fleet({
        workers: 1,
        assignment: (worker) => ({
          ...{ type: 'serve', settings, worker, name: `start-${worker}` },
          redis: redis.server.url,
        }),
        onMetrics: () => undefined,
        onLost: () => undefined,
        drainMs: settings.drainMs,
      });
      const [address] = await fleet.start();
      await charge(address!.port);
      samples.push(performance.now() - startedAt);
      await fleet.stop();
    }
    return median(samples);
  } finally {
    await redis.stop();
  }
}

async function provision(url: string, file: string, partitions: number): Promise<void> {
  const log = createLog({ level: 'warn' });
  const store = await openRedisStore({ url, partitions, durability: 'fsync', lab: false, log });
  await applyFile(store, readProvisioning(file), { all: true });
  await store.close();
}

/** As `npm start` on a fresh installation, less the sample that it shows. */
async function startService(provisioning: string, dataDir: string): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const service = spawn(
    process.execPath,
    [
      ...[main, 'start', `--provisioning-file=${provisioning}`, `--data-dir=${dataDir}`],
      ...[`--diameter-port=${port}`, '--http-port=0', '--log-level=warn'],
    ],
    { stdio: ['ignore', 2, 'inherit'] },
  );
  const ended = once(service, 'exit');
  try {
    while (!(await connectable(port))) {
      if (service.exitCode !== null) throw new Error(`start ended with ${service.exitCode}`);
      await pause(5);
    }
    await charge(port);
    return performance.now() - startedAt;
  } finally {
    service.kill('SIGTERM');
    await ended;
  }
}

async function connectable(port: number): Promise<boolean> {
  try {
    const client = await connect(port);
    client.destroy();
    return true;
  } catch (error) {
    if (error instanceof ConnectFailed) return false;
    throw error;
  }
}

let sessions = 0;

/** Opens a session; throws unless it is granted something. */
async function charge(port: number): Promise<void> {
  const client = await connect(port);
  const traffic = new Traffic({ run: Date.now(), accounts: ACCOUNTS });
  const bytes = Buffer.alloc(traffic.bytesOf('initial'));
  const first = { session: sessions++, number: 0, type: 'initial' } as const;
  traffic.write(bytes, 0, first, { hopByHop: 0, endToEnd: 1 });
  const answer = await client.send(bytes);
  client.destroy();
  const success = Buffer.of(0, 0, 1, 12, 0x40, 0, 0, 12, 0, 0, 7, 209);
  if (!answer.includes(success)) throw new Error('the first request was not granted');
}

function connect(port: number): Promise<DiameterClient> {
  const { host: originHost, realm: originRealm } = GATEWAY;
  return DiameterClient.connect({ host: '127.0.0.1', port, originHost, originRealm });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port to be had');
  return address.port;
}
