/**
 * Clients that vanish: their sessions are closed, what was reserved is released and recorded, once,
 * by whichever worker is alive, and no timer is left behind.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { scripts } from '../../src/store/redis/scripts.ts';
import { Books, type ClientSession, provisioningOf, rangeOf } from './books.ts';
import { Link } from './gateway.ts';
import type { Fault } from './proxy.ts';
import { recordsOfPartition } from './records.ts';
import { E164, IMSI, Site, type SiteOptions, until, type Worker } from './site.ts';

const FIRST = Number(`${E164}00000`);
const ACCOUNTS = 10;
/** The plan's: as short as can be written. */
const SUPERVISION_MS = 1_000;
const UNKNOWN_SESSION = 5002;
const TOO_BUSY = 3004;

let site: Site;
let links: Link[];
let books: Books;

afterEach(async () => {
  for (const link of links) link.close();
  await site.stop();
});

async function open(options: Partial<SiteOptions>, plan = 'supervision: 1 s'): Promise<void> {
  books = new Books();
  site = await Site.start({
    provisioning: provisioningOf({ plan, accounts: rangeOf(ACCOUNTS, String(FIRST)) }),
    settings: ['--deadline-ms=900', '--lease-ms=1000'],
    ...options,
  });
  links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
}

async function opened(count: number): Promise<ClientSession[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const subscriber = String(FIRST + (i % ACCOUNTS));
      const account = `a-${subscriber}`;
      const session = books.session(`${IMSI}0000000;${books.sessions.length}`, {
        account,
        subscriber,
      });
      const asked = session.request('initial', [{ rg: 1, ask: 500 }]);
      const answer = await links[i % links.length]!.ask(asked);
      expect(answer.code).toBe(2001);
      session.take(asked, answer);
      return session;
    }),
  );
}

async function records(): Promise<ChargingRecord[]> {
  const all: ChargingRecord[] = [];
  for (let partition = 0; partition < site.store.partitions; partition++)
    all.push(...(await recordsOfPartition(site.store, partition)));
  return all;
}

async function recordsOfKind(kind: ChargingRecord['kind']): Promise<ChargingRecord[]> {
  return (await records()).filter((record) => record.kind === kind);
}

/** The worker that claimed a session which came due, struck when it reads it. */
async function firstToWake(fault: Fault): Promise<Worker> {
  const struck = site.workers.map(async (worker) => {
    await worker.proxy.strike(scripts.load, fault);
    return worker;
  });
  const first = await Promise.race(struck);
  for (const { proxy } of site.workers) proxy.calm();
  return first;
}

describe('a client that vanishes', () => {
  test('its sessions are closed by supervision, once each and not early', async () => {
    await open({});
    const sessions = await opened(200);
    await books.check(site);
    for (const link of links) link.close();
    await until(async () => (await recordsOfKind('supervision')).length >= sessions.length);
    for (const session of sessions) session.end();
    await books.check(site);
    const closing = await recordsOfKind('supervision');
    expect(new Set(closing.map(({ sessionId }) => sessionId)).size).toBe(sessions.length);
    expect(closing.length).toBe(sessions.length);
    const openedAt = new Map(
      (await recordsOfKind('initial')).map(({ sessionId, at }) => [sessionId, at]),
    );
    for (const { sessionId, at } of closing)
      expect(at - openedAt.get(sessionId)!).toBeGreaterThanOrEqual(SUPERVISION_MS);
    // Each worker looks after some of the partitions; together they closed each once.
    expect(site.fired).toEqual(sessions.map(() => 'supervision'));

    // One of them comes back: what it used is debited, and its session stays closed.
    links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
    const [session] = sessions;
    const late = session!.request('update', [{ rg: 1, used: 123, ask: 100 }]);
    for (const link of links) expect((await link.ask(late)).code).toBe(UNKNOWN_SESSION);
    session!.debited(late);
    await books.check(site);
  });

  test('a worker that is slow, then one that is killed, with the lease: another closes', async () => {
    await open({ processes: true, proxied: true });
    const [first] = await opened(1);
    const slow = await firstToWake('hold');
    await until(async () => (await recordsOfKind('supervision')).length > 0);
    slow.proxy.release();
    first!.end();
    // It is back when it serves; what it was about to do has been done.
    const late = first!.request('update', [{ rg: 1, used: 50 }]);
    const link = links[site.workers.indexOf(slow)]!;
    let code = 0;
    await until(async () => {
      ({ code } = await link.ask(late));
      return code !== TOO_BUSY;
    });
    expect(code).toBe(UNKNOWN_SESSION);
    first!.debited(late);
    await books.check(site);
    expect(await recordsOfKind('supervision')).toHaveLength(1);

    const [second] = await opened(1);
    for (const one of links) one.close();
    // Whoever is the first to read the session that came due never gets an answer.
    await (await firstToWake('freeze')).kill();
    await until(async () => (await recordsOfKind('supervision')).length > 1);
    second!.end();
    await books.check(site);
    expect(await recordsOfKind('supervision')).toHaveLength(2);
  });
});

test('a client that vanishes and returns in time keeps its session', async () => {
  await open({}, 'supervision: 2 s');
  const [session] = await opened(1);
  const openedAt = site.store.now();
  // Longer than supervision all in all, never silent that long.
  while (site.store.now() < openedAt + 2_500) {
    const asked = session!.request('update', [{ rg: 1, used: 1, ask: 100 }]);
    const answer = await links[0]!.ask(asked);
    expect(answer.code).toBe(2001);
    session!.take(asked, answer);
    const nextAt = site.store.now() + 300;
    await until(() => site.store.now() > nextAt);
  }
  const last = session!.request('terminate', [{ rg: 1, used: 0 }]);
  session!.take(last, await links[1]!.ask(last));
  await books.check(site);
  expect(site.fired).toEqual([]);
});

test('a grant that is not reported in time is taken back, and its usage debited later', async () => {
  await open({}, 'validityGrace: 0 s');
  const [session] = await opened(1);
  const asked = session!.request('update', [{ rg: 4, ask: 700 }]);
  session!.take(asked, await links[0]!.ask(asked));
  expect(session!.services.get(4)?.granted).toBe(700);
  await until(async () => (await recordsOfKind('validity')).length > 0);
  // Only this grant: the other has no validity, and the session goes on.
  session!.services.get(4)!.granted = 0;
  await books.check(site);
  const [{ at: openedAt }] = (await recordsOfKind('update')) as [ChargingRecord];
  const [{ at }] = (await recordsOfKind('validity')) as [ChargingRecord];
  expect(at - openedAt).toBeGreaterThanOrEqual(2_000);
  const late = session!.request('update', [{ rg: 4, used: 650, ask: 10 }]);
  session!.take(late, await links[1]!.ask(late));
  expect(session!.services.get(4)).toEqual({ used: 650, granted: 10 });
  await books.check(site);
  const last = session!.request('terminate', [{ rg: 1, used: 500 }]);
  session!.take(last, await links[0]!.ask(last));
  expect(books.open).toBe(0);
  await books.check(site);
});

test('a session that is aborted or ended by its client leaves no timer', async () => {
  await open({}, 'supervision: 24 h');
  const [ended, aborted] = await opened(2);
  const { redis } = site.store.connection;
  const armed = async () => {
    let count = 0;
    for (let partition = 0; partition < site.store.partitions; partition++)
      count += await redis.zcard(site.store.keysOf(partition).timers);
    return count;
  };
  expect(await armed()).toBe(2);
  const last = ended!.request('terminate', [{ rg: 1, used: 10 }]);
  ended!.take(last, await links[1]!.ask(last));
  expect(await armed()).toBe(1);
  expect(await links[1]!.sessionTermination(aborted!.name)).toBe(2001);
  aborted!.end();
  expect(await armed()).toBe(0);
  await books.check(site);
});
