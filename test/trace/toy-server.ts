// A Diameter server of a hundred lines, made of bytes: it knows nothing of the code under test.
import { createServer, type Server, type Socket } from 'node:net';

export interface WireAvp {
  code: number;
  vendor: number;
  data: Buffer;
}

export function avp(code: number, data: Buffer | string | number, vendor = 0): Buffer {
  const value = typeof data === 'number' ? Buffer.alloc(4) : Buffer.from(data);
  if (typeof data === 'number') value.writeUInt32BE(data);
  const head = Buffer.alloc(vendor === 0 ? 8 : 12);
  head.writeUInt32BE(code, 0);
  head.writeUInt32BE(head.length + value.length, 4);
  head[4] = vendor === 0 ? 0x40 : 0xc0;
  if (vendor !== 0) head.writeUInt32BE(vendor, 8);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

export function message(
  header: {
    command: number;
    flags: number;
    application: number;
    hopByHop: number;
    endToEnd: number;
  },
  avps: Buffer[],
): Buffer {
  const body = Buffer.concat(avps);
  const head = Buffer.alloc(20);
  head.writeUInt32BE(20 + body.length, 0);
  head[0] = 1;
  head.writeUInt32BE(header.command, 4);
  head[4] = header.flags;
  head.writeUInt32BE(header.application, 8);
  head.writeUInt32BE(header.hopByHop, 12);
  head.writeUInt32BE(header.endToEnd, 16);
  return Buffer.concat([head, body]);
}

export function parse(bytes: Buffer, from = 20): WireAvp[] {
  const found: WireAvp[] = [];
  for (let at = from; at < bytes.length; ) {
    const length = bytes.readUIntBE(at + 5, 3);
    const vendor = bytes[at + 4]! & 0x80 ? bytes.readUInt32BE(at + 8) : 0;
    const data = bytes.subarray(at + (vendor === 0 ? 8 : 12), at + length);
    found.push({ code: bytes.readUInt32BE(at), vendor, data });
    at += length + ((4 - (length % 4)) % 4);
  }
  return found;
}

export function find(bytes: Buffer, code: number): Buffer | undefined {
  return parse(bytes).find((each) => each.code === code)?.data;
}

export function commandOf(bytes: Buffer): number {
  return bytes.readUIntBE(5, 3);
}

/** The answer to a request: its header without R, and these AVPs. */
export function answerTo(request: Buffer, avps: Buffer[], errorFlag = false): Buffer {
  const flags = (request[4]! & 0x40) | (errorFlag ? 0x20 : 0);
  const [command, application] = [commandOf(request), request.readUInt32BE(8)];
  const ids = { hopByHop: request.readUInt32BE(12), endToEnd: request.readUInt32BE(16) };
  return message({ command, flags, application, ...ids }, avps);
}

export const origin = [avp(264, 'ocs.toy.example'), avp(296, 'toy.example')];

export function success(request: Buffer, resultCode = 2001, services: number[] = []): Buffer {
  return answerTo(request, [
    avp(263, find(request, 263) ?? ''),
    avp(268, resultCode),
    ...origin,
    ...services.map((code) => avp(456, Buffer.concat([avp(432, 1), avp(268, code)]))),
  ]);
}

export interface Toy {
  port: number;
  /** Every request but those of the base protocol, in the order of arrival. */
  requests: Buffer[];
  /** All messages that clients sent, connection by connection. */
  connections: { socket: Socket; received: Buffer[] }[];
  close(): Promise<void>;
}

export interface ToyOptions {
  /** The answer, none, or a function to be called with `send` by whoever decides later. */
  answer?: (request: Buffer, send: (answer: Buffer) => void, toy: Toy) => Buffer | undefined;
  capabilities?: (request: Buffer) => Buffer | undefined;
}

export async function startToy(options: ToyOptions = {}): Promise<Toy> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = { socket, received: [] as Buffer[] };
    toy.connections.push(connection);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const send = (bytes: Buffer | undefined) => {
      if (bytes !== undefined && !socket.destroyed) socket.write(bytes);
    };
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= pending.readUIntBE(1, 3)) {
        const request = pending.subarray(0, pending.readUIntBE(1, 3));
        pending = pending.subarray(request.length);
        connection.received.push(request);
        if ((request[4]! & 0x80) === 0) continue;
        if (commandOf(request) === 257) send((options.capabilities ?? capabilities)(request));
        else if (commandOf(request) === 282) send(answerTo(request, [avp(268, 2001), ...origin]));
        else {
          toy.requests.push(request);
          send((options.answer ?? ((each) => success(each)))(request, send, toy));
        }
      }
    });
  });
  const toy: Toy = {
    port: 0,
    requests: [],
    connections: [],
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toy.port = (server.address() as { port: number }).port;
  return toy;
}

export function capabilities(request: Buffer): Buffer {
  const address = Buffer.from([0, 1, 127, 0, 0, 1]);
  const product = [avp(257, address), avp(266, 0), avp(269, 'Toy'), avp(258, 4)];
  return answerTo(request, [avp(268, 2001), ...origin, ...product]);
}
