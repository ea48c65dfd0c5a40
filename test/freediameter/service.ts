/** Tollkeeper as it is run: `start` with its workers and its private Redis, in a folder of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childrenOf, freePorts, ownersOf, type Running, run } from './processes.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export const REALM = 'tollkeeper.example';
export const ACCOUNTS = 100;
/** What each account has to begin with: octets, and millionths of a euro. */
export const OPENING = { bundle: 1_000_000_000, main: 20_000_000 };

const PROVISIONING = `
tenants:
  - id: relayed
    name: Relayed
    currency: EUR
    digits: 6
    plans:
      - id: data
        version: 1
        rules:
          - name: paid
            match: { context: [32251@3gpp.org], ratingGroup: [1] }
            unit: octets
            price: { amount: "0.05", per: 1 MiB, increment: 1 KiB }
            quota: { size: 1 MiB, maximum: 10 MiB }
          - name: bundled
            match: { context: [32251@3gpp.org], ratingGroup: [2] }
            unit: octets
            price: { amount: "0.05", per: 1 MiB, increment: 1 KiB }
            quota: { size: 1 MiB }
    ranges:
      - prefix: relayed-
        count: ${ACCOUNTS}
        first: { e164: "491700000000" }
        plan: data
        maxSessions: 1000
        buckets:
          - { id: bundle, unit: octets, opening: 1 GB, priority: 10, paysFor: [bundled] }
          - { id: main, unit: money, opening: "20.00" }
peers:
  known:
    - { host: relay.agent.example }
  forbiddenRoutes: [banned.gw.example]
`;

/** Two workers, each with an identity and a port of its own, or one of both for all. */
export type Identities = 'each' | 'shared';

export interface Service {
  /** Identity and port of each worker; of all workers where they share them. */
  readonly peers: readonly { identity: string; port: number }[];
  readonly process: Running;
  workers(): number[];
  /** The worker that has the agent's connection on a port. */
  holderOf(port: number): number;
  /** Runs another command beside it: its exit code, and the objects that it prints, one a line. */
  ask(...words: string[]): Promise<{ exit: number; objects: unknown[] }>;
  stop(): Promise<number | string>;
}

export async function startService(
  identities: Identities,
  { watchdogSeconds }: { watchdogSeconds: number },
): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'tk-relayed-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const dataDir = join(folder, 'data');
  const provisioning = join(folder, 'provisioning.yaml');
  writeFileSync(provisioning, PROVISIONING);
  const port = await freePorts(2);
  const each = identities === 'each';
  const process = run('tollkeeper', [
    ...[globalThis.process.execPath, MAIN, 'start', '--json'],
    ...['--data-dir', dataDir, '--provisioning-file', provisioning, '--workers', '2'],
    ...['--diameter-port', String(port), '--diameter-ports', identities, '--http-port', '0'],
    ...['--origin-host', `ocs${each ? '{worker}' : ''}.${REALM}`, '--origin-realm', REALM],
    ...['--watchdog-seconds', String(watchdogSeconds), '--log-level', 'info'],
  ] as [string, ...string[]]);
  const stop = () => process.end().finally(remove);
  await Promise.race([
    process.stdout.until(/"diameter"/),
    process.exited.then((how) => {
      throw new Error(`tollkeeper ended with ${how}:\n${process.stderr.last(30)}`);
    }),
  ]).catch((error) => stop().finally(() => Promise.reject(error)));
  const workers = () =>
    childrenOf(process.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${MAIN}\0worker`),
    );
  return {
    peers: each
      ? [0, 1].map((worker) => ({ identity: `ocs${worker}.${REALM}`, port: port + worker }))
      : [{ identity: `ocs.${REALM}`, port }],
    process,
    workers,
    holderOf(port) {
      const [holder, ...others] = ownersOf(workers(), { port, state: 'connected' });
      if (holder === undefined || others.length > 0)
        throw new Error(`not one worker is connected on port ${port}`);
      return holder;
    },
    async ask(...words) {
      const settings = {
        TOLLKEEPER_DATA_DIR: dataDir,
        TOLLKEEPER_PROVISIONING_FILE: provisioning,
      };
      const command = [MAIN, ...words, '--json'];
      const asked = run(words.join(' '), [globalThis.process.execPath, ...command], { settings });
      const exit = await asked.exited;
      const lines = asked.stdout.matching(/^/);
      if (typeof exit === 'string' || lines.length === 0)
        throw new Error(`${words.join(' ')}: ${exit}, ${asked.stderr.last(30)}`);
      return { exit, objects: lines.map((line): unknown => JSON.parse(line)) };
    },
    stop,
  };
}
