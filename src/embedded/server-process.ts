/**
 * One redis-server process and the shell that watches over us both: it holds the read end of a pipe
 * whose only write end is ours, so it wakes when we end in whatever way, and then ends the server.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';
import { pulse } from './socket.ts';

/** Where the server's lines and ours go; a pino logger fits. */
export interface EmbeddedLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
}

export interface ServerProcess {
  readonly pid: number;
  /** Settles when the process is gone, with how it ended and its last lines. */
  readonly exited: Promise<Exit>;
  /** Set once it answers: from then on its warnings are ours. */
  ready: boolean;
  /** Ends it in order, or by force when `graceMs` have passed; returns when it is gone. */
  end(options: { graceMs: number }): Promise<void>;
  /** Ends it as a power cut would; returns when it is gone. */
  kill(): Promise<void>;
}

export interface Exit {
  readonly how: string;
  readonly lastLines: readonly string[];
}

const LINES_KEPT = 12;
/** A server that neither answers nor says that it loads is given up after this time. */
const SILENT_MS = 30_000;
const LOOK_EVERY_MS = 10;
const PROGRESS_EVERY_MS = 5000;

/** Starts the server; it may not answer yet (`untilReady`). */
export function runServer(run: {
  file: string;
  configFile: string;
  log: EmbeddedLog;
}): ServerProcess {
  // A session of its own: Ctrl-C in the terminal is for us, who then end the server last.
  const child = spawn(run.file, [run.configFile], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  hold(child, false);
  const watch = child.pid === undefined ? undefined : watchOver(child.pid);

  const lastLines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > LINES_KEPT) lastLines.shift();
      // "#" marks what Redis finds worth a warning; on its way up and down that is small talk.
      if (/^\d+:\w .*\d # /.test(line) && server.ready) run.log.warn(`redis: ${line}`);
      else run.log.debug(`redis: ${line}`);
    });
  }

  const exited = new Promise<Exit>((done) => {
    child.on('error', (error) => done({ how: error.message, lastLines }));
    // `close` comes when the last lines have been read as well.
    child.on('close', (code, signal) => {
      watch?.stdin?.end('gone\n');
      done({ how: signal === null ? `ended with ${code}` : `ended by ${signal}`, lastLines });
    });
  });

  const server: ServerProcess = {
    pid: child.pid ?? 0,
    exited,
    ready: false,
    async kill() {
      server.ready = false;
      hold(child, true);
      child.kill('SIGKILL');
      await exited;
    },
    async end({ graceMs }) {
      server.ready = false;
      hold(child, true);
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(late);
    },
  };
  return server;
}

/** Returns when the server answers; reading a large data set may take minutes and is reported. */
export async function untilReady(
  server: ServerProcess,
  options: { socketPath: string; log: EmbeddedLog },
): Promise<Exit | 'ready'> {
  const startedAt = performance.now();
  let loading = false;
  let nextReport = PROGRESS_EVERY_MS;
  for (;;) {
    const found = await Promise.race([
      pulse(options.socketPath, { timeoutMs: 1000 }),
      server.exited,
    ]);
    if (typeof found === 'object') return found;
    if (found === 'ready') {
      server.ready = true;
      return 'ready';
    }
    loading ||= found === 'loading';

    const elapsed = performance.now() - startedAt;
    if (elapsed > SILENT_MS && !loading) {
      await server.kill();
      const { lastLines } = await server.exited;
      return { how: `no answer for ${SILENT_MS / 1000} s`, lastLines };
    }
    if (elapsed > nextReport) {
      options.log.info(`the private Redis reads its data, ${Math.round(elapsed / 1000)} s`);
      nextReport += PROGRESS_EVERY_MS;
    }
    await after(LOOK_EVERY_MS);
  }
}

/** A line on its input lets the shell go; the end of its input without one means that we are gone. */
function watchOver(pid: number): ChildProcess {
  const watch = spawn('/bin/sh', ['-c', 'read -r line || kill -TERM "$1"', 'watch', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell the next start ends what is left; with it dead, there is nobody to write to.
  watch.on('error', () => {});
  watch.stdin.on('error', () => {});
  hold(watch, false);
  return watch;
}

/** Whether a child and its pipes keep us from ending: only while its end is waited for. */
function hold(child: ChildProcess, yes: boolean): void {
  const pipes = child.stdio.filter((stream) => stream instanceof Socket);
  for (const handle of [child, ...pipes]) {
    if (yes) handle.ref();
    else handle.unref();
  }
}
