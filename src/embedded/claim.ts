/**
 * One Tollkeeper a data folder. The claim is a file that names its owner and the owner's Redis; it is
 * put in place by a hard link, which succeeds for one only. An owner that was killed leaves its claim
 * behind: the next one sees that the owner is gone, ends a Redis that may still run, and takes over.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TollkeeperError } from '../errors.ts';
import { end, identify, isAlive, type ProcessId } from './process-id.ts';
import { socketPath } from './socket.ts';

interface Claimed {
  readonly owner: ProcessId;
  readonly redis?: ProcessId;
  /** A folder outside the data folder that holds the socket, when the path would be too long. */
  readonly socketFolder?: string;
}

export interface Claim {
  /** Writes down which Redis runs now, and where its socket is if that is elsewhere. */
  note(running: { redis?: ProcessId; socketFolder?: string }): void;
  release(): void;
}

/** Time for a Redis that was left behind to write what it has and end. */
const LEFTOVER_GRACE_MS = 10_000;

/** Where the socket of the Redis is that the folder's owner runs; undefined: nobody runs one. */
export function claimedSocket(folder: string): string | undefined {
  const text = read(join(folder, 'owner.json'));
  if (text === undefined) return undefined;
  const { owner, redis, socketFolder = folder } = JSON.parse(text) as Claimed;
  if (redis === undefined || !isAlive(owner)) return undefined;
  return socketPath(socketFolder);
}

/** Claims a folder that exists; throws DATA_FOLDER_IN_USE while another process that lives has it. */
export async function claimFolder(folder: string): Promise<Claim> {
  const file = join(folder, 'owner.json');
  const owner = identify(process.pid)!;
  for (;;) {
    if (place(file, { owner })) {
      return {
        note: (running) => replace(file, { owner, ...running }),
        release: () => rmSync(file, { force: true }),
      };
    }
    const text = read(file);
    if (text === undefined) continue;
    await takeOver({ file, text, folder });
  }
}

async function takeOver(stale: { file: string; text: string; folder: string }): Promise<void> {
  const claimed = JSON.parse(stale.text) as Claimed;
  if (isAlive(claimed.owner)) {
    throw new TollkeeperError('DATA_FOLDER_IN_USE', {
      folder: stale.folder,
      pid: claimed.owner.pid,
    });
  }
  if (claimed.redis !== undefined) await end(claimed.redis, { graceMs: LEFTOVER_GRACE_MS });
  if (claimed.socketFolder !== undefined) {
    rmSync(claimed.socketFolder, { recursive: true, force: true });
  }

  // Two that start at once may both get here; the one that is late must not remove the other's claim.
  const aside = `${stale.file}.${process.pid}.stale`;
  try {
    renameSync(stale.file, aside);
  } catch {
    return;
  }
  if (read(aside) !== stale.text) linkSync(aside, stale.file);
  rmSync(aside, { force: true });
}

/** False if somebody else's claim stands there. */
function place(file: string, claimed: Claimed): boolean {
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, JSON.stringify(claimed), { mode: 0o600 });
  try {
    linkSync(fresh, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

function replace(file: string, claimed: Claimed): void {
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, JSON.stringify(claimed), { mode: 0o600 });
  renameSync(fresh, file);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
