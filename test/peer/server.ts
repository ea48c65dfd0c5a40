/**
 * A listener in this process on a free port, with the smallest application that answers a
 * Credit-Control-Request, and the messages that a client sends to it, byte by byte.
 */
import { onTestFinished } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { encode } from '../../src/diameter/encode.ts';
import { answerHeader } from '../../src/diameter/header.ts';
import type { Connection } from '../../src/peer/connection.ts';
import type { IncomingRequest } from '../../src/peer/incoming.ts';
import { type ListenerOptions, PeerListener, peerSettings } from '../../src/peer/listener.ts';
import type { PeerHooks } from '../../src/peer/site.ts';
import {
  avp,
  CCR,
  CER,
  DPR,
  DWR,
  group,
  type Head,
  message,
  P,
  type Parsed,
  R,
  RawPeer,
  u32,
} from './raw.ts';

export interface Tag {
  tag: string;
}

export const origin = { host: 'ocs1.charging.example', realm: 'charging.example' };

/** What happened, in order, for assertions. */
export interface Seen {
  requests: IncomingRequest<Tag>[];
  opened: Connection<Tag>[];
  closed: { connection: Connection<Tag>; reason: string }[];
  violations: string[];
  logged: { level: string; event: string; fields: Record<string, unknown> }[];
}

export interface Running {
  listener: PeerListener<Tag>;
  port: number;
  seen: Seen;
  /** A socket to it, not yet a peer. */
  connect: () => Promise<RawPeer>;
  /** A peer whose capabilities were accepted. */
  open: (cer?: Buffer) => Promise<RawPeer>;
}

/** Answers as the engine does in the simplest case, or with the failure that came along. */
export function answerSimply(request: IncomingRequest<Tag>): void {
  const { decoded } = request;
  const failure = request.failure ?? decoded.failure;
  if (failure || decoded.failure) {
    request.answer(answerFailure(decoded, origin, failure)!);
    return;
  }
  const common = {
    'Session-Id': '',
    'Result-Code': 2001,
    'Origin-Host': origin.host,
    'Origin-Realm': origin.realm,
  };
  if (decoded.name === 'STR') {
    request.answer(encode('STA', answerHeader(decoded.header), common, decoded.raw));
  }
  if (decoded.name === 'CCR') {
    const { message: ccr } = decoded;
    request.answer(
      encode(
        'CCA',
        answerHeader(decoded.header),
        {
          ...common,
          'Auth-Application-Id': 4,
          'CC-Request-Type': ccr['CC-Request-Type'],
          'CC-Request-Number': ccr['CC-Request-Number'],
        },
        decoded.raw,
      ),
    );
  }
}

export async function serve(
  options: Partial<ListenerOptions<Tag>> = {},
  hooks: Partial<PeerHooks<Tag>> = {},
): Promise<Running> {
  const seen: Seen = { requests: [], opened: [], closed: [], violations: [], logged: [] };
  const settings = peerSettings<Tag>({
    host: '127.0.0.1',
    port: 0,
    identity: { originHost: origin.host, originRealm: origin.realm },
    policy: { anybody: { options: { tag: 'anybody' } } },
    ...options,
  });
  const listener = new PeerListener<Tag>(settings, {
    onRequest: answerSimply,
    ...hooks,
    onPeerOpen(connection) {
      seen.opened.push(connection);
      hooks.onPeerOpen?.(connection);
    },
    onPeerClose(connection, reason) {
      seen.closed.push({ connection, reason });
      hooks.onPeerClose?.(connection, reason);
    },
    onViolation: ({ reason }) => seen.violations.push(reason),
    log: (level, event, fields) => seen.logged.push({ level, event, fields }),
  });
  const { port } = await listener.listen();
  onTestFinished(() => listener.close());
  const connect = async () => {
    const peer = await RawPeer.connect(port);
    onTestFinished(() => peer.end());
    return peer;
  };
  const open = async (bytes = cer()) => {
    const peer = await connect();
    await peer.exchange(bytes);
    return peer;
  };
  return { listener, port, seen, connect, open };
}

/** The AVPs of a complete CER, by what may be left out or replaced. */
export function cerParts(from = 'pgw1.visited.example'): Record<string, Buffer> {
  return {
    originHost: avp(264, from),
    originRealm: avp(296, 'visited.example'),
    hostIPAddress: avp(257, Buffer.from('00010a000001', 'hex')),
    vendorId: avp(266, 10415),
    productName: avp(269, 'gateway', { flags: 0 }),
    application: avp(258, 4),
  };
}

export function cer(parts: Record<string, Buffer | undefined> = {}, head: Partial<Head> = {}) {
  const all = Object.values({ ...cerParts(), ...parts }).filter((part) => part !== undefined);
  return message({ command: CER, ...head }, all);
}

export function cerOf(originHost: string): Buffer {
  return cer({ originHost: avp(264, originHost) });
}

export function ccrParts(session = 'pgw1.visited.example;1;2'): Record<string, Buffer> {
  return {
    sessionId: avp(263, session),
    originHost: avp(264, 'pgw1.visited.example'),
    originRealm: avp(296, 'visited.example'),
    destinationRealm: avp(283, origin.realm),
    application: avp(258, 4),
    serviceContext: avp(461, '32251@3gpp.org'),
    requestType: avp(416, 1),
    requestNumber: avp(415, 0),
    subscriber: group(443, [avp(450, 0), avp(444, '436601234567')]),
  };
}

export function ccr(parts: Record<string, Buffer | undefined> = {}, head: Partial<Head> = {}) {
  const all = Object.values({ ...ccrParts(), ...parts }).filter((part) => part !== undefined);
  return message({ command: CCR, application: 4, flags: R | P, ...head }, all);
}

export function dwr(head: Partial<Head> = {}): Buffer {
  const { originHost, originRealm } = cerParts();
  return message({ command: DWR, ...head }, [originHost!, originRealm!]);
}

export function dpr(cause: number | 'none' = 0, head: Partial<Head> = {}): Buffer {
  const { originHost, originRealm } = cerParts();
  const parts = [originHost!, originRealm!];
  if (cause !== 'none') parts.push(avp(273, cause));
  return message({ command: DPR, ...head }, parts);
}

/** The answer to a request that the server sent. */
export function answerTo(request: Parsed, parts: Buffer[] = []): Buffer {
  const { originHost, originRealm } = cerParts();
  const { command, application, hopByHop, endToEnd } = request;
  return message({ command, application, hopByHop, endToEnd, flags: request.flags & P }, [
    avp(268, u32(2001)),
    originHost!,
    originRealm!,
    ...parts,
  ]);
}
