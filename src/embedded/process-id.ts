/**
 * Which process, beyond doubt. A process id alone is used again by the system; together with the time
 * of its start it is not, so that a file written before a crash never makes us signal a stranger.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

export interface ProcessId {
  readonly pid: number;
  /** When it started, in the system's own words: equal for the same process only. */
  readonly started: string;
}

/** The process that has this id now; `undefined` if there is none, or only its unread exit status. */
export function identify(pid: number): ProcessId | undefined {
  const started = process.platform === 'linux' ? startedLinux(pid) : startedElsewhere(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.started === id.started;
}

/** Asks it to end, waits, and ends it if it does not; returns when it is gone. */
export async function end(id: ProcessId, options: { graceMs: number }): Promise<void> {
  signal(id, 'SIGTERM');
  if (await gone(id, options.graceMs)) return;
  signal(id, 'SIGKILL');
  if (!(await gone(id, options.graceMs))) throw new Error(`process ${id.pid} cannot be ended`);
}

function signal(id: ProcessId, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** It is no child of ours, so the system does not tell us: look every 20 ms. */
async function gone(id: ProcessId, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isAlive(id)) {
    if (performance.now() >= until) return false;
    await after(20);
  }
  return true;
}

/** proc(5): field 22 is the start in clock ticks since boot; the boot has an id of its own. */
function startedLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function startedElsewhere(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    // The first word is the state, and it changes; the rest is the time of the start.
    return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}
