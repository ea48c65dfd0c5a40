/**
 * Stands between a worker and Redis and does to one call what networks do, at the worst moment: it
 * reads what passes just far enough to tell the call of one script from the rest.
 */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Script } from '../../src/store/redis/script.ts';

/**
 * `see`: nothing happens; `hold`: it goes through, and replies are kept until `release`;
 * `lose-reply`: it goes through, its reply is swallowed and the connection reset; `lose-request`:
 * it never arrives and the connection is reset; `freeze`: from it on nothing moves, and nobody is
 * told.
 */
export type Fault = 'see' | 'hold' | 'lose-reply' | 'lose-request' | 'freeze';

export interface FaultProxy {
  /** What the worker connects to: TCP, because only that can be reset. */
  readonly url: string;
  /** Connections that are open now. */
  readonly connections: number;
  /** Strikes at the next call of a script; resolves when it struck. */
  strike(script: Script, fault: Fault): Promise<void>;
  /** Forgets the strikes that have not struck. */
  calm(): void;
  /** Keeps every reply from now on until `release`. */
  hold(): void;
  /** Hands out what is kept, and keeps nothing more. */
  release(): void;
  /** Bytes of replies that are kept, counted in packets. */
  readonly held: number;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  upstream: Socket;
  frozen: boolean;
  losing: boolean;
}

interface Strike {
  script: Script;
  fault: Fault;
  struck(): void;
}

export async function startProxy(target: string): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  const kept: (() => void)[] = [];
  const strikes: Strike[] = [];
  let holding = false;

  function fromClient(pair: Pair, data: Buffer): void {
    if (pair.frozen) return;
    const at = strikes.findIndex(({ script }) => data.includes(script.sha));
    const [strike] = at < 0 ? [] : strikes.splice(at, 1);
    if (strike?.fault === 'hold') holding = true;
    if (strike?.fault === 'freeze') pair.frozen = true;
    if (strike?.fault === 'lose-reply') pair.losing = true;
    if (strike?.fault === 'lose-request') pair.client.resetAndDestroy();
    else if (!pair.frozen) pair.upstream.write(data);
    strike?.struck();
  }

  function fromUpstream(pair: Pair, data: Buffer): void {
    if (pair.frozen) return;
    if (pair.losing) pair.client.resetAndDestroy();
    else if (holding) kept.push(() => pair.client.write(data));
    else pair.client.write(data);
  }

  const server = createServer((client) => {
    const upstream = createConnection(target);
    const pair: Pair = { client, upstream, frozen: false, losing: false };
    pairs.add(pair);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => fromClient(pair, data));
    upstream.on('data', (data) => fromUpstream(pair, data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return pairs.size;
    },
    get held() {
      return kept.length;
    },
    strike: (script, fault) =>
      new Promise((struck) => {
        strikes.push({ script, fault, struck });
      }),
    calm() {
      strikes.length = 0;
    },
    hold() {
      holding = true;
    },
    release() {
      holding = false;
      for (const deliver of kept.splice(0)) deliver();
    },
    async close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      server.close();
    },
  };
}
