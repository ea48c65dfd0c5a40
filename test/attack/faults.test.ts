/**
 * What breaks between the commit and the answer: workers, connections and Redis itself. The client
 * sends again what was not answered, as RFC 6733 5.5.4 has it, and is charged once.
 */
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { scripts } from '../../src/store/redis/scripts.ts';
import { Disconnected } from '../../src/trace/client.ts';
import { Books, type ClientSession, provisioningOf, rangeOf, stepped } from './books.ts';
import { type Answered, type Asked, ccrBytes, Link } from './gateway.ts';
import type { Fault } from './proxy.ts';
import { E164, IMSI, Site, type SiteOptions, until } from './site.ts';

const FIRST = Number(`${E164}00000`);
const ACCOUNTS = 4;
const TOO_BUSY = 3004;
/** Deadlines are 600 ms and less here; the machine that runs the tests may be slow. */
const IN_TIME_MS = 3_000;

let site: Site;
let links: Link[];
let books: Books;

afterEach(async () => {
  for (const link of links) link.close();
  await site.stop();
});

async function open(options: Partial<SiteOptions>): Promise<void> {
  books = new Books(stepped);
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(ACCOUNTS, String(FIRST)) }),
    durability: 'fsync',
    ...options,
  });
  links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
}

function newSession(i = books.sessions.length): ClientSession {
  const subscriber = String(FIRST + (i % ACCOUNTS));
  return books.session(`${IMSI}0000000;${i}`, { account: `a-${subscriber}`, subscriber });
}

/** A session that has been opened through the first worker. */
async function opened(): Promise<ClientSession> {
  const session = newSession();
  const asked = session.request('initial', [
    { rg: 1, ask: 500 },
    { rg: 2, ask: 0 },
  ]);
  const answer = await links[0]!.ask(asked);
  expect(answer.code).toBe(2001);
  session.take(asked, answer);
  return session;
}

const updates = (session: ClientSession): Asked =>
  session.request('update', [
    { rg: 1, used: 321, ask: 600 },
    { rg: 2, used: 1501, ask: 0 },
  ]);

const terminates = (session: ClientSession): Asked =>
  session.request('terminate', [
    { rg: 1, used: 77 },
    { rg: 2, used: 1 },
  ]);

/** Each kind of request, and what must have come before it. */
const kinds: [string, () => Promise<[ClientSession, Asked]>][] = [
  [
    'initial',
    async () => {
      const session = newSession();
      return [session, session.request('initial', [{ rg: 1, ask: 500 }])];
    },
  ],
  [
    'update',
    async () => {
      const session = await opened();
      return [session, updates(session)];
    },
  ],
  [
    'termination',
    async () => {
      const session = await opened();
      return [session, terminates(session)];
    },
  ],
];

async function endAll(link: Link): Promise<void> {
  for (const session of books.sessions) {
    if (session.state !== 'open') continue;
    const asked = terminates(session);
    session.take(asked, await link.ask(asked));
  }
  expect(books.open).toBe(0);
  await books.check(site);
}

test('B-116 B-117 B-166 C-065 a worker killed between commit and answer: the other one knows', async () => {
  await open({ processes: true, proxied: true, workers: 2 });
  const { originStateId } = links[0]!;
  expect(originStateId).toBe(site.store.connection.madeAt);
  for (const [, prepare] of kinds) {
    const [session, asked] = await prepare();
    const bytes = ccrBytes(asked);
    const doomed = site.workers[0]!;
    const { proxy } = doomed;
    const struck = proxy.strike(scripts.commit, 'hold');
    const lost = links[0]!.send(bytes).then(
      () => 'answered',
      (error: unknown) => error,
    );
    await struck;
    // The reply is here, so the commit is on disk; the worker never sees it.
    await until(() => proxy.held > 0);
    await doomed.kill();
    expect(await lost).toBeInstanceOf(Disconnected);
    const resent = Buffer.from(bytes);
    resent[4]! |= 0x10;
    const answer = await links[1]!.send(resent);
    expect(answer.code).toBe(2001);
    session.take(asked, answer);
    // Once more, on the worker that takes its place.
    const next = await site.startWorker(0);
    links[0] = await Link.open(next.port);
    // It lost no state, and does not say that it did.
    expect(links[0].originStateId).toBe(originStateId);
    const again = await links[0].send(resent);
    expect(again.bytes.equals(answer.bytes)).toBe(true);
    await books.check(site);
  }
  await endAll(links[1]!);
});

describe('what happens to the commit on its way to Redis and back', () => {
  const faults: [string, Fault][] = [
    ['its reply lost and the connection reset', 'lose-reply'],
    ['the commit itself lost and the connection reset', 'lose-request'],
    ['a half-open connection: nobody is told', 'freeze'],
  ];
  test.each(faults)('B-117 %s: one effect, one answer', async (_, fault) => {
    await open({ proxied: true, timeoutMs: 250, settings: ['--deadline-ms=8000'] });
    for (const [, prepare] of kinds) {
      const [session, asked] = await prepare();
      const bytes = ccrBytes(asked);
      const struck = site.workers[0]!.proxy.strike(scripts.commit, fault);
      const answers = await Promise.all([links[0]!.send(bytes), struck]);
      expect(answers[0].code).toBe(2001);
      session.take(asked, answers[0]);
      const other = await links[1]!.send(bytes);
      expect(other.bytes.equals(answers[0].bytes)).toBe(true);
      await books.check(site);
    }
    await endAll(links[1]!);
  });

  test('B-117 a reply later than the time-out: the same commit again finds the first', async () => {
    await open({ proxied: true, timeoutMs: 250, settings: ['--deadline-ms=8000'] });
    const { proxy } = site.workers[0]!;
    for (const [, prepare] of kinds) {
      const [session, asked] = await prepare();
      const first = proxy.strike(scripts.commit, 'hold');
      const second = proxy.strike(scripts.commit, 'see');
      const answering = links[0]!.ask(asked);
      await first;
      await second;
      proxy.release();
      const answer = await answering;
      expect(answer.code).toBe(2001);
      session.take(asked, answer);
      await books.check(site);
    }
    await endAll(links[0]!);
  });

  test('B-129 C-135 C-195 replies that never come: 3004 in time, and the retransmission finds it', async () => {
    await open({ proxied: true, timeoutMs: 250, settings: ['--deadline-ms=600'] });
    const [session, asked] = await kinds[1]![1]();
    site.workers[0]!.proxy.hold();
    const sentAt = performance.now();
    const refused = await links[0]!.ask(asked);
    expect(refused.code).toBe(TOO_BUSY);
    expect(performance.now() - sentAt).toBeLessThan(IN_TIME_MS);
    session.take(asked, refused);
    const answer = await links[1]!.ask(asked, { retransmitted: true });
    expect(answer.code).toBe(2001);
    session.take(asked, answer);
    site.workers[0]!.proxy.release();
    await endAll(links[1]!);
  });
});

/** Sessions that go on whatever happens: each asks again, on either worker, until it is served. */
class Traffic {
  /** Answers so far, by Result-Code. */
  readonly codes = new Map<number, number>();
  served = 0;
  #going = true;
  readonly #running: Promise<unknown>;

  constructor(sessions: number) {
    this.#running = Promise.all(Array.from({ length: sessions }, (_, i) => this.#drive(i)));
  }

  async goOn(more: number): Promise<void> {
    const goal = this.served + more;
    await until(() => this.served >= goal);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#running;
  }

  async #drive(i: number): Promise<void> {
    const session = newSession(i);
    await this.#serve(session, session.request('initial', [{ rg: 1, ask: 500 }]), i);
    while (this.#going) await this.#serve(session, updates(session), i);
    await this.#serve(session, terminates(session), i);
  }

  async #serve(session: ClientSession, asked: Asked, i: number): Promise<void> {
    const bytes = ccrBytes(asked);
    for (let attempt = 0; ; attempt++) {
      const answer: Answered = await links[(i + attempt) % links.length]!.send(bytes);
      this.codes.set(answer.code, (this.codes.get(answer.code) ?? 0) + 1);
      if (answer.code === 2001) {
        session.take(asked, answer);
        this.served++;
        return;
      }
      expect(answer.code).toBe(TOO_BUSY);
      // A client waits before it asks an alternate; here just long enough not to be a flood.
      await after(10);
      bytes[4]! |= 0x10;
    }
  }
}

describe('Redis in trouble in the middle of traffic', () => {
  const SESSIONS = 40;

  test('B-160 SCRIPT FLUSH, again and again: nobody notices', async () => {
    await open({});
    const traffic = new Traffic(SESSIONS);
    for (let i = 0; i < 20; i++) {
      await site.store.connection.redis.script('FLUSH', 'SYNC');
      await traffic.goOn(50);
    }
    await traffic.stop();
    expect([...traffic.codes.keys()]).toEqual([2001]);
    expect(books.open).toBe(0);
    await books.check(site);
  });

  const ends: [string, () => Promise<void>][] = [
    [
      'killed as by a power cut',
      async () => {
        await site.redis.kill();
        await site.redis.restart();
      },
    ],
    [
      'asked to end, and started again',
      async () => {
        const before = site.redis.pid!;
        process.kill(before, 'SIGTERM');
        await until(() => site.redis.pid !== undefined && site.redis.pid !== before);
      },
    ],
  ];
  test.each(ends)(
    'B-129 B-160 Redis %s: 3004 or served, nothing lost or double',
    async (_, end) => {
      await open({ settings: ['--deadline-ms=500'] });
      const traffic = new Traffic(SESSIONS);
      for (let i = 0; i < 2; i++) {
        await traffic.goOn(200);
        await end();
        await traffic.goOn(200);
      }
      await traffic.stop();
      await until(async () => (await site.store.ready()) === undefined);
      expect(books.open).toBe(0);
      await books.check(site);
      expect(site.defects).toEqual([]);
    },
  );

  test('B-129 Redis down: 3004 in time, not ready, watchdogs answered, and back again', async () => {
    await open({ settings: ['--deadline-ms=500'] });
    const [session, asked] = await kinds[1]![1]();
    await site.redis.kill();
    const { store } = site.workers[0]!;
    await until(async () => (await store.ready()) !== undefined);
    expect(await store.ready()).toMatch(/connect/);
    for (const one of [asked, newSession().request('initial', [{ rg: 1, ask: 5 }])]) {
      const sentAt = performance.now();
      expect((await links[0]!.ask(one)).code).toBe(TOO_BUSY);
      expect(performance.now() - sentAt).toBeLessThan(IN_TIME_MS);
    }
    const watchdog = await links[0]!.watchdog();
    expect(watchdog).toBe(2001);
    await site.redis.restart();
    await until(async () => (await store.ready()) === undefined);
    const answer = await links[0]!.ask(asked, { retransmitted: true });
    expect(answer.code).toBe(2001);
    session.take(asked, answer);
    await until(async () => (await site.store.ready()) === undefined);
    await endAll(links[0]!);
  });
});

test('B-151 a stored session that makes no sense: 5012 for its requests, and for no others', async () => {
  await open({});
  const healthy = await opened();
  const session = await opened();
  const { redis } = site.store.connection;
  const keys: string[] = [];
  for await (const page of redis.scanStream({ match: 'tk:{*}:s:*' }))
    keys.push(...(page as string[]));
  const values = await redis.mgetBuffer(keys);
  const at = values.findIndex((value) => value!.includes(session.name));
  const spoilt = Buffer.from(values[at]!);
  spoilt.fill(0xff, spoilt.indexOf(session.name));
  await redis.set(keys[at]!, spoilt);
  const asked = updates(session);
  // The second worker has not seen it before, so it must read.
  expect((await links[1]!.ask(asked)).code).toBe(5012);
  expect(site.defects.length).toBe(1);
  const other = updates(healthy);
  healthy.take(other, await links[1]!.ask(other));
  await redis.set(keys[at]!, values[at]!);
  session.take(asked, await links[1]!.ask(asked));
  await endAll(links[1]!);
});
