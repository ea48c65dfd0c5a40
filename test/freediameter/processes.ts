/** Processes of a test, none of which outlives it, whatever becomes of the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { Lines } from './lines.ts';

/** Beyond it a process that was asked to end hangs. */
const END_WITHIN_MS = 30_000;

export interface Running {
  readonly pid: number;
  readonly stdout: Lines;
  /** The same as `stdout` where the streams were joined. */
  readonly stderr: Lines;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** Asks it to end (SIGTERM), and resolves as `exited`; fails when it does not. */
  end(): Promise<number | string>;
}

export function run(
  name: string,
  command: readonly [string, ...string[]],
  {
    joined = false,
    cwd,
    settings = {},
  }: { joined?: boolean; cwd?: string; settings?: Readonly<Record<string, string>> } = {},
): Running {
  const [file, ...words] = command;
  // What a developer has set for himself would be settings of the service under test.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([variable]) => !variable.startsWith('TOLLKEEPER_')),
  );
  const child = spawn(file, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NO_COLOR: '1', ...settings },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name}: ${file} cannot be started`);
  const release = leash(pid);
  const exited = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    release();
    return code ?? signal ?? 'nothing';
  });
  const stdout = joined
    ? new Lines(name, child.stdout!, child.stderr!)
    : new Lines(name, child.stdout!);
  const stderr = joined ? stdout : new Lines(name, child.stderr!);
  return {
    pid,
    stdout,
    stderr,
    exited,
    async end() {
      if (isRunning(child)) child.kill('SIGTERM');
      const late = new AbortController();
      const hung = after(END_WITHIN_MS, 'hung' as const, { signal: late.signal }).catch(() => '');
      const how = await Promise.race([exited, hung]);
      late.abort();
      if (how !== 'hung') return how;
      child.kill('SIGKILL');
      await exited;
      throw new Error(`${name} did not end; its last lines:\n${stderr.last(30)}`);
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/**
 * A shell that ends `pid` when this process is gone without having let go, killed itself perhaps:
 * it then reads the end of its input instead of a line.
 */
function leash(pid: number): () => void {
  const watch = spawn('/bin/sh', ['-c', 'read -r line || kill -TERM "$1"', 'leash', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.stdin.on('error', () => {});
  watch.unref();
  return () => watch.stdin.end('gone\n');
}

/** The first of `count` ports in a row that nobody has, below those that connections are given. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, one) => first + one);
    const free = await Promise.all(ports.map(isFree));
    if (free.every((one) => one)) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // On every address, as the agent will.
    probe.listen({ port }, () => probe.close(() => resolve(true)));
  });
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Which of `pids` listens on a TCP port, or has a connection on it. */
export function ownersOf(
  pids: readonly number[],
  { port, state }: { port: number; state: 'listening' | 'connected' },
): number[] {
  // proc(5), tcp: local_address and st are the second and fourth column, inode is the tenth.
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const sockets = rows.flatMap((row) => {
    const [, local = '', , st = '', , , , , , inode] = row.trim().split(/\s+/);
    const matches =
      Number.parseInt(local.split(':')[1]!, 16) === port &&
      st === (state === 'listening' ? '0A' : '01');
    return matches ? [`socket:[${inode}]`] : [];
  });
  return pids.filter((pid) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(target(`/proc/${pid}/fd/${fd}`))),
  );
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // Closed meanwhile.
  }
}
