/** The private Redis' Unix socket: where it can be, and whether a server answers on it. */
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** unix(7): `sun_path` is 108 bytes with its closing NUL; macOS and the BSDs have 104. */
const LONGEST_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

export interface SocketPlace {
  readonly path: string;
  /** Set when the folder was too deep: a private folder for the socket, to be removed with it. */
  readonly folder?: string;
}

/** The socket's path in its folder. */
export const socketPath = (folder: string): string => join(folder, 'redis.sock');

/** In the folder if the path fits, otherwise in a short private folder of its own. */
export function placeSocket(folder: string): SocketPlace {
  const path = socketPath(folder);
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return { path };
  // The system's temporary folder can be deep as well; /tmp never is.
  const short = [tmpdir(), '/tmp'].find((parent) => parent.length + 24 <= LONGEST_PATH_BYTES)!;
  const own = mkdtempSync(join(short, 'tk-'));
  return { path: socketPath(own), folder: own };
}

export type Pulse = 'ready' | 'loading' | 'silent';

/** One PING; `loading` while the server still reads its data. */
export function pulse(path: string, options: { timeoutMs: number }): Promise<Pulse> {
  return new Promise((done) => {
    let text = '';
    const socket = connect(path);
    const settle = (found: Pulse) => {
      socket.destroy();
      done(found);
    };
    socket.setTimeout(options.timeoutMs, () => settle('silent'));
    socket.on('error', () => settle('silent'));
    socket.on('close', () => settle('silent'));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.includes('\r\n')) return;
      if (text.startsWith('+PONG')) settle('ready');
      else settle(text.startsWith('-LOADING') ? 'loading' : 'silent');
    });
  });
}
