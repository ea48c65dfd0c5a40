/**
 * What comes too late: retransmissions and usage after the session ended, while it is remembered
 * and when it is not any more, and after the window of answers was overrun.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Books, type ClientSession, provisioningOf, rangeOf } from './books.ts';
import { type Asked, Link } from './gateway.ts';
import { recordsOfPartition } from './records.ts';
import { E164, IMSI, Site } from './site.ts';

const SUBSCRIBER = `${E164}00000`;
const ACCOUNT = { tenant: 'blue', account: `a-${SUBSCRIBER}` };
const UNKNOWN_SESSION = 5002;
const UNABLE_TO_COMPLY = 5012;

let site: Site;
/** The second worker has never seen a session before it is asked what came before. */
let links: [Link, Link];
const books = new Books();

beforeAll(async () => {
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(1, SUBSCRIBER) }),
  });
  const [one, other] = site.workers;
  links = [await Link.open(one!.port), await Link.open(other!.port)];
});

afterAll(async () => {
  for (const link of links) link.close();
  await site.stop();
  expect(site.defects).toEqual([]);
});

interface Told {
  session: ClientSession;
  asked: Asked[];
  answers: Buffer[];
}

/** A session with some updates, served by the first worker alone. */
async function told({ updates, ended }: { updates: number; ended: boolean }): Promise<Told> {
  const session = books.session(`${IMSI}0000000;${books.sessions.length}`, {
    account: ACCOUNT.account,
    subscriber: SUBSCRIBER,
  });
  const asked = [
    session.request('initial', [{ rg: 1, ask: 100 }]),
    ...Array.from({ length: updates }, () =>
      session.request('update', [{ rg: 1, used: 60, ask: 100 }]),
    ),
    ...(ended ? [session.request('terminate', [{ rg: 1, used: 30 }])] : []),
  ];
  const answers: Buffer[] = [];
  for (const one of asked) {
    const answer = await links[0].ask(one);
    expect(answer.code).toBe(2001);
    session.take(one, answer);
    answers.push(answer.bytes);
  }
  return { session, asked, answers };
}

/** What is left of a session when its time is over: only its binding, for the duplicate horizon. */
async function forgetTombstones(): Promise<void> {
  const { redis } = site.store.connection;
  let forgotten = 0;
  for await (const keys of redis.scanStream({ match: 'tk:{*}:s:*' }))
    for (const key of keys as string[])
      if ((await redis.pttl(key)) > 0) forgotten += await redis.unlink(key);
  expect(forgotten).toBeGreaterThan(0);
}

describe('after the session ended', () => {
  test('B-160 B-162 each of its requests again: the same answer, and nothing moves', async () => {
    const { asked, answers } = await told({ updates: 3, ended: true });
    for (const link of links)
      for (const [i, one] of asked.entries()) {
        const again = await link.ask(one, { retransmitted: true });
        expect(again.bytes.equals(answers[i]!)).toBe(true);
      }
    await books.check(site);
  });

  test('B-164 an initial of its Session-Id: 5012, and nothing moves', async () => {
    const { session } = await told({ updates: 1, ended: true });
    const others = [
      { ...session.request('initial', [{ rg: 1, ask: 100 }], 0), reports: [{ rg: 1, ask: 7 }] },
      session.request('initial', [{ rg: 1, ask: 100 }], 99),
    ];
    for (const link of links)
      for (const one of others) expect((await link.ask(one)).code).toBe(UNABLE_TO_COMPLY);
    await books.check(site);
  });

  test('B-160 usage that nobody reported before: debited once, 5002 each time', async () => {
    const { session } = await told({ updates: 1, ended: true });
    const late = session.request('update', [{ rg: 1, used: 40, ask: 100 }]);
    const [one, other] = await Promise.all(links.map((link) => link.ask(late)));
    expect(one!.code).toBe(UNKNOWN_SESSION);
    expect(other!.bytes.equals(one!.bytes)).toBe(true);
    session.debited(late);
    expect((await links[1].ask(late)).code).toBe(UNKNOWN_SESSION);
    const again = session.request('terminate', [{ rg: 1, used: 2 }]);
    expect((await links[1].ask(again)).code).toBe(UNKNOWN_SESSION);
    session.debited(again);
    const without = session.request('update', [{ rg: 1, ask: 100 }]);
    expect((await links[0].ask(without)).code).toBe(UNKNOWN_SESSION);
    await books.check(site);
    const records = await recordsOfPartition(site.store, site.store.partitionOf(ACCOUNT));
    const kinds = records
      .filter(({ sessionId }) => sessionId === `gw.example;${session.name}`)
      .map(({ kind }) => kind);
    expect(kinds).toEqual(['initial', 'update', 'termination', 'late-usage', 'late-usage']);
  });
});

describe('after the session is forgotten, within the duplicate horizon', () => {
  test('B-162 nothing opens it again, nothing is debited, by whichever worker', async () => {
    const { session, asked } = await told({ updates: 2, ended: true });
    await forgetTombstones();
    const late = session.request('update', [{ rg: 1, used: 40, ask: 100 }]);
    // The second worker knows nothing of it, the first remembers too much.
    for (const link of [links[1], links[0], links[1]]) {
      const [initial] = asked;
      const codes = [];
      for (const one of [initial!, ...asked.slice(1), late])
        codes.push((await link.ask(one, { retransmitted: true })).code);
      // What the first still knows of its own answers is true; it may say so.
      if (link === links[0]) expect(codes.at(-1)).toBe(UNKNOWN_SESSION);
      else expect(codes).toEqual([5012, 5002, 5002, 5002, 5002]);
    }
    await books.check(site);
  });
});

describe('after the window of answers was overrun', () => {
  test.each([
    ['in an open session', false],
    ['in one that ended', true],
  ])('B-160 an old request %s: 2001 without a grant, nothing moves', async (_, ended) => {
    const window = site.settings.answerWindow;
    const { session, asked, answers } = await told({ updates: window + 4, ended });
    const before = books.of(ACCOUNT.account);
    for (const link of [links[1], links[0]]) {
      for (const old of [asked[0]!, asked[1]!, asked[3]!]) {
        const again = await link.ask(old, { retransmitted: true });
        expect(again.code).toBe(2001);
        expect(again.services.get(1)).toMatchObject({ code: 2001, granted: 0 });
        session.take(old, again);
      }
      const kept = asked.length - window;
      const again = await link.ask(asked[kept]!, { retransmitted: true });
      expect(again.bytes.equals(answers[kept]!)).toBe(true);
    }
    expect(books.of(ACCOUNT.account)).toEqual(before);
    await books.check(site);
    if (ended) return;
    const last = session.request('terminate', [{ rg: 1, used: 30 }]);
    session.take(last, await links[1].ask(last));
    expect(books.open).toBe(0);
    await books.check(site);
  });
});

test('B-164 one request number with two contents: 5012 and an alarm, nothing moves', async () => {
  const { session, asked } = await told({ updates: 1, ended: false });
  const other = session.request('update', [{ rg: 1, used: 61, ask: 100 }], asked[1]!.number);
  for (const link of links) expect((await link.ask(other)).code).toBe(UNABLE_TO_COMPLY);
  expect(site.alarms).toContain('number-reused');
  const last = session.request('terminate', [{ rg: 1, used: 0 }]);
  session.take(last, await links[1].ask(last));
  await books.check(site);
});

test('B-161 requests out of order, numbers skipped, all of them at once: each is charged', async () => {
  const { session } = await told({ updates: 0, ended: false });
  const numbers = [9, 2, 4_294_967_290, 5, 1000, 3, 70];
  const asked = numbers.map((number, i) =>
    session.request('update', [{ rg: i % 2 === 0 ? 1 : 2, used: 100 + i }], number),
  );
  const answers = await Promise.all(
    asked.flatMap((one) => links.map(async (link) => ({ one, answer: await link.ask(one) }))),
  );
  for (const { one, answer } of answers) {
    expect(answer.code).toBe(2001);
    session.take(one, answer);
  }
  const last = session.request('terminate', [{ rg: 1, used: 0 }], 4_294_967_295);
  session.take(last, await links[1].ask(last));
  expect(books.open).toBe(0);
});
