/**
 * Bad input into a whole worker with real charging behind it: each is answered as the rows say or
 * ends its own connection, usage in it counts, and nobody else notices.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { all, avp, CCR, group, message, P, R, RawPeer, resultCode, T, u32 } from '../peer/raw.ts';
import { Books, type ClientSession, provisioningOf, rangeOf } from './books.ts';
import { Link } from './gateway.ts';
import { E164, IMSI, LOCATION, Site, until } from './site.ts';

const FIRST = Number(`${E164}00000`);
const ACCOUNTS = 4;
const MEGABYTE = 1024 * 1024;
/** What a worker may grow by while it is attacked: garbage that is not collected yet, no more. */
const FLAT_BYTES = 64 * MEGABYTE;

let site: Site;
let bystander: Link;
let healthy: ClientSession;
const books = new Books();
const ours: RawPeer[] = [];

beforeAll(async () => {
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(ACCOUNTS, String(FIRST)) }),
    processes: true,
    workers: 1,
    settings: ['--max-frame-bytes=131072'],
  });
  bystander = await Link.open(site.workers[0]!.port);
  healthy = newSession();
  const asked = healthy.request('initial', [{ rg: 1, ask: 100 }]);
  healthy.take(asked, await bystander.ask(asked));
  expect(healthy.state).toBe('open');
});

// The point of every attack here: somebody else is charged as ever, and the books are right.
afterEach(async () => {
  const asked = healthy.request('update', [{ rg: 1, used: 5, ask: 100 }]);
  const answer = await bystander.ask(asked);
  expect(answer.code).toBe(2001);
  healthy.take(asked, answer);
  for (const peer of ours.splice(0)) peer.end();
  await books.check(site);
});

afterAll(async () => {
  bystander.close();
  await site.stop();
});

function newSession(name = `${IMSI}0000000;${books.sessions.length}`): ClientSession {
  const subscriber = String(FIRST + (books.sessions.length % ACCOUNTS));
  return books.session(name, { account: `a-${subscriber}`, subscriber });
}

async function connect(): Promise<RawPeer> {
  const peer = await RawPeer.connect(site.workers[0]!.port);
  ours.push(peer);
  return peer;
}

async function open(originHost = 'raw.example'): Promise<RawPeer> {
  const peer = await connect();
  const cer = message({ command: 257 }, [
    ...[avp(264, originHost), avp(296, 'example')],
    avp(257, Buffer.from('00010a000001', 'hex')),
    ...[avp(266, 0), avp(269, 'raw', { flags: 0 }), avp(258, 4)],
  ]);
  expect(resultCode(await peer.exchange(cer))).toBe(2001);
  return peer;
}

const KINDS = { initial: 1, update: 2, terminate: 3 } as const;

interface Raw {
  kind: keyof typeof KINDS;
  number: number;
  session: Buffer | string;
  subscriber: string;
  used?: number;
  ask?: number;
  /** Goes before or after the service, or in place of the service's own AVPs. */
  before?: Buffer;
  after?: Buffer;
  beforeUsed?: Buffer;
  afterUsed?: Buffer;
  flags?: number;
}

const octets = (count: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(count));
  return avp(421, bytes);
};

const nothing = Buffer.alloc(0);

/** Written by hand: what is broken here must not pass through a codec of ours. */
function ccr(raw: Raw): Buffer {
  const service = group(456, [
    raw.ask === undefined ? nothing : group(437, [octets(raw.ask)]),
    raw.beforeUsed ?? nothing,
    raw.used === undefined ? nothing : group(446, [octets(raw.used)]),
    raw.afterUsed ?? nothing,
    avp(432, 1),
  ]);
  return message({ command: CCR, application: 4, flags: raw.flags ?? R | P }, [
    ...[avp(263, raw.session), avp(264, 'raw.example'), avp(296, 'example')],
    ...[avp(283, 'tollkeeper.example'), avp(258, 4), avp(461, '32251@3gpp.org')],
    ...[avp(416, KINDS[raw.kind]), avp(415, u32(raw.number))],
    group(443, [avp(450, 0), avp(444, raw.subscriber)]),
    raw.before ?? nothing,
    service,
    group(873, [group(874, [avp(22, LOCATION, { vendor: 10415 })], 10415)], 10415),
    raw.after ?? nothing,
  ]);
}

/** An AVP with a length that it does not have. */
function lying(code: number, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(code);
  bytes[4] = 0x40;
  bytes.writeUIntBE(length, 5, 3);
  return bytes;
}

function nested(depth: number): Buffer {
  const bytes = Buffer.alloc(depth * 8);
  for (let level = 0; level < depth; level++) {
    bytes.writeUInt32BE(456, level * 8);
    bytes[level * 8 + 4] = 0x40;
    bytes.writeUIntBE((depth - level) * 8, level * 8 + 5, 3);
  }
  return bytes;
}

const hosts = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => avp(264, `host${i}.example`)));

const idOf = (session: ClientSession): string => `gw.example;${session.name}`;

/** Opens a session of the raw peer's. */
async function opened(peer: RawPeer): Promise<ClientSession> {
  const session = newSession();
  const asked = session.request('initial', [{ rg: 1, ask: 100 }]);
  const answer = await peer.exchange(
    ccr({
      kind: 'initial',
      number: 0,
      session: idOf(session),
      ask: 100,
      subscriber: session.subscriber,
    }),
  );
  expect(resultCode(answer)).toBe(2001);
  session.take(asked, { code: 2001, services: granted(100), bytes: answer.bytes });
  return session;
}

const granted = (count: number) =>
  new Map([[1, { code: 2001, granted: count, final: false, validitySeconds: undefined }]]);

describe('a refused request that reports usage: the usage is debited', () => {
  const flaws: [string, Partial<Raw>, number][] = [
    ['an unknown AVP with M next to it', { afterUsed: avp(99_999, 'x') }, 5001],
    ['an unknown AVP with M before it', { beforeUsed: avp(99_999, 'x') }, 5001],
    ['a value that does not exist after it', { afterUsed: avp(449, 77) }, 5004],
    ['B-043 AVP Length 0 after it', { after: lying(415, 0) }, 5014],
    ['B-044 an AVP Length beyond the message after it', { after: lying(415, 0xffffff) }, 5014],
    ['ten thousand nested groups after it', { after: nested(10_000) }, 5012],
    ['sixty-four Origin-Hosts', { before: hosts(64) }, 5009],
  ];
  test.each(flaws)('%s', async (_, flaw, code) => {
    for (const kind of ['update', 'terminate'] as const)
      for (const flags of [R | P, R | P | T]) {
        const peer = await open();
        const session = await opened(peer);
        const asked = session.request(kind, [{ rg: 1, used: 42 }]);
        const bytes = ccr({
          ...{ kind, number: asked.number, session: idOf(session), used: 42, flags },
          ...{ subscriber: session.subscriber, ...flaw },
        });
        expect(resultCode(await peer.exchange(bytes))).toBe(code);
        // RFC 8506 table 6: the session is over, and its usage is paid.
        session.debited(asked);
        session.end();
        expect(resultCode(await peer.exchange(bytes))).toBe(code);
        await books.check(site);
      }
  });

  test('an initial with the same flaws opens nothing', async () => {
    const peer = await open();
    for (const [, flaw, code] of flaws) {
      const session = newSession();
      const bytes = ccr({
        kind: 'initial',
        number: 0,
        session: idOf(session),
        subscriber: session.subscriber,
        ...flaw,
      });
      expect(resultCode(await peer.exchange(bytes))).toBe(code);
    }
  });
});

describe('Session-Ids of any octets', () => {
  test('B-063 two that differ in one invalid octet stay two sessions, from end to end', async () => {
    const peer = await open();
    const ids = [0xfe, 0xff].map((octet) =>
      Buffer.concat([Buffer.from(`gw.example;${IMSI}0000000;`), Buffer.from([octet, 0x80])]),
    );
    const sessions = ids.map((id) => newSession(nameInRecords(id)));
    for (const step of ['initial', 'update', 'terminate'] as const)
      for (const [i, id] of ids.entries()) {
        const session = sessions[i]!;
        const used = step === 'initial' ? undefined : 10 + i;
        const ask = step === 'terminate' ? undefined : 50;
        const report = {
          ...{ rg: 1, ...(used === undefined ? {} : { used }) },
          ...(ask === undefined ? {} : { ask }),
        };
        const asked = session.request(step, [report]);
        const answer = await peer.exchange(
          ccr({
            ...{ kind: step, number: asked.number, session: id },
            ...{ subscriber: session.subscriber, ...report },
          }),
        );
        expect(resultCode(answer)).toBe(2001);
        expect(all(answer, 263)).toEqual([id]);
        session.take(asked, { code: 2001, services: granted(ask ?? 0), bytes: answer.bytes });
      }
    expect(sessions.map(({ state }) => state)).toEqual(['ended', 'ended']);
  });

  test('a NUL is an octet like any other', async () => {
    const peer = await open();
    for (const name of [`${IMSI}\0one`, `${IMSI}\0two`]) {
      const session = newSession(name);
      const asked = session.request('initial', [{ rg: 1, ask: 50 }]);
      const bytes = ccr({
        kind: 'initial',
        number: 0,
        session: idOf(session),
        ask: 50,
        subscriber: session.subscriber,
      });
      const answer = await peer.exchange(bytes);
      expect(resultCode(answer)).toBe(2001);
      session.take(asked, { code: 2001, services: granted(50), bytes: answer.bytes });
      expect(resultCode(await peer.exchange(bytes))).toBe(2001);
      const last = session.request('terminate', [{ rg: 1, used: 7 }]);
      const end = ccr({
        ...{ kind: 'terminate', number: 1, session: idOf(session), used: 7 },
        subscriber: session.subscriber,
      } as Raw);
      expect(resultCode(await peer.exchange(end))).toBe(2001);
      session.take(last, { code: 2001, services: new Map(), bytes: answer.bytes });
    }
  });
});

/** As the records write a Session-Id that is not UTF-8. */
function nameInRecords(id: Buffer): string {
  const text = [...id].map((octet) =>
    octet < 0x80 ? String.fromCharCode(octet) : `\ufffd${octet.toString(16)}`,
  );
  return text.join('').replace('gw.example;', '');
}

test('one octet at a time: charged like any other', async () => {
  const peer = await open();
  const session = newSession();
  const asked = session.request('initial', [{ rg: 1, ask: 50 }]);
  const bytes = ccr({
    kind: 'initial',
    number: 0,
    session: idOf(session),
    ask: 50,
    subscriber: session.subscriber,
  });
  for (const octet of bytes)
    await new Promise<void>((written) => {
      peer.socket.write(Buffer.from([octet]), () => written());
    });
  const answer = await peer.receive();
  expect(resultCode(answer)).toBe(2001);
  session.take(asked, { code: 2001, services: granted(50), bytes: answer.bytes });
  const last = session.request('terminate', [{ rg: 1, used: 50 }]);
  session.take(last, await bystander.ask(last));
});

describe('what is no Diameter ends its own connection', () => {
  test.each([
    ['an HTTP request', Buffer.from('POST /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100f8010000f40303', 'hex')],
    ['garbage', Buffer.from('deadbeef'.repeat(64), 'hex')],
    ['zeros', Buffer.alloc(64)],
    ['an announced 16 MB', Buffer.from('01ffffff80000110000000040000000000000000', 'hex')],
  ])('%s, before the capabilities exchange and after', async (_, bytes) => {
    for (const peer of [await connect(), await open()]) {
      peer.send(bytes);
      expect(await peer.closed).toEqual({ reset: true });
    }
  });
});

function residentBytes(): number {
  const pid = String(site.workers[0]!.pid);
  return 1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', pid], { encoding: 'utf8' }));
}

test('a peer that never reads its answers: the others are served, and memory stays flat', async () => {
  const before = residentBytes();
  const peer = await open();
  peer.socket.pause();
  const stranger = {
    kind: 'initial',
    number: 0,
    subscriber: '1',
    session: 'gw.example;x',
  } as const;
  // An answer echoes Proxy-Info, so it is as long as the request.
  const proxy = group(284, [avp(280, 'p'), avp(33, Buffer.alloc(2_000, 0x61))]);
  const block = Buffer.concat(
    Array.from({ length: 200 }, () => ccr({ ...stranger, before: proxy })),
  );
  let sent = 0;
  // Until the worker takes no more: everything between the two is full.
  await until(async () => {
    while (peer.socket.writableLength < MEGABYTE) {
      peer.socket.write(block);
      sent += block.length;
    }
    const length = peer.socket.writableLength;
    const asked = healthy.request('update', [{ rg: 1, used: 1, ask: 100 }]);
    const answer = await bystander.ask(asked);
    expect(answer.code).toBe(2001);
    healthy.take(asked, answer);
    return peer.socket.writableLength === length;
  });
  expect(sent).toBeGreaterThan(MEGABYTE);
  expect(residentBytes() - before).toBeLessThan(FLAT_BYTES);
});

test('ten thousand bad requests and a thousand bad connections: memory stays flat', async () => {
  const attack = async (rounds: number) => {
    const peer = await open();
    const bad = [
      { after: lying(415, 0) },
      { after: nested(1_000) },
      { before: hosts(64) },
      { afterUsed: avp(99_999, Buffer.alloc(1_000)) },
    ].map((flaw) =>
      ccr({
        ...{ kind: 'update', number: 1, session: `gw.example;${IMSI}none`, used: 1 },
        ...{ subscriber: '1', ...flaw },
      } as Raw),
    );
    for (let round = 0; round < rounds; round++) {
      peer.send(...Array.from({ length: 25 }, () => Buffer.concat(bad)));
      for (let i = 0; i < 100; i++) expect(resultCode(await peer.receive())).toBeGreaterThan(5000);
      const others = await Promise.all(Array.from({ length: 10 }, () => connect()));
      for (const other of others) other.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      await Promise.all(others.map(({ closed }) => closed));
    }
  };
  await attack(20);
  const before = residentBytes();
  await attack(80);
  expect(residentBytes() - before).toBeLessThan(FLAT_BYTES);
});
