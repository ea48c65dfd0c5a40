/** A private redis-server for one test file: a Unix socket in a temporary folder, gone afterwards. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface TestRedis {
  readonly socketPath: string;
  /** Ends it as a power cut would; `start` again finds what was on disk. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Runs a command through redis-cli and returns what it prints. */
  cli(...command: string[]): string;
  stop(): Promise<void>;
}

/** Starts a server; `settings` are options of redis.conf. */
export async function startRedis(settings: Record<string, string> = {}): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'tk-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const options = {
    port: '0',
    unixsocket: socketPath,
    dir: folder,
    save: '',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  let child: ChildProcess | undefined;
  let guard: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    guard = guardOf(child);
    for await (const line of createInterface({ input: child.stdout! }))
      if (/ready to accept connections/i.test(line)) {
        child.stdout!.resume();
        return;
      }
    throw new Error('redis-server ended before it was ready');
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    guard?.kill('SIGKILL');
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  await start();
  return {
    socketPath,
    start,
    kill: () => kill(),
    cli: (...command) =>
      execFileSync('redis-cli', ['-s', socketPath, ...command], { encoding: 'utf8' }),
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ends the server when this process ends, however it does: its end of the pipe is then closed. */
function guardOf(server: ChildProcess): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$0"';
  return spawn('sh', ['-c', script, String(server.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
}
