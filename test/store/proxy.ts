/** Stands between a client and a server and does to their connection what networks do. */

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/**
 * `pass`; `lose-reply`: the next reply is swallowed and the connection reset; `hold`: replies are
 * kept until `pass`; `freeze`: nothing moves in either direction, and nobody is told.
 */
export type Weather = 'pass' | 'lose-reply' | 'hold' | 'freeze';

export interface FaultProxy {
  /** What the client connects to: TCP, because only that can be reset. */
  readonly url: string;
  weather: Weather;
  /** Connections made so far. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<FaultProxy> {
  const open = new Set<Socket>();
  const held: (() => void)[] = [];
  let weather: Weather = 'pass';
  let connections = 0;

  const server = createServer((client) => {
    connections++;
    const upstream = createConnection(target);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => {
      if (weather !== 'freeze') upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (weather === 'freeze') return;
      if (weather === 'hold') held.push(() => client.write(data));
      else if (weather === 'lose-reply') {
        weather = 'pass';
        client.resetAndDestroy();
      } else client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get weather() {
      return weather;
    },
    set weather(next) {
      weather = next;
      if (next === 'pass') for (const deliver of held.splice(0)) deliver();
    },
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
