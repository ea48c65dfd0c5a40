/**
 * Accounts that change under sessions: subscribers who move, in mid-session and between a request
 * and its retransmission, and plans and buckets that are changed.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccountDefinition } from '../../src/charging/account.ts';
import { scripts } from '../../src/store/redis/scripts.ts';
import { Books, type ClientSession, money, provisioningOf } from './books.ts';
import { type Asked, ccrBytes, Link } from './gateway.ts';
import { E164, IMSI, OPENING, Site, until } from './site.ts';

const MOVER = `${E164}00001`;
const SUBSCRIBER = { kind: 'e164', id: MOVER } as const;

let site: Site;
let links: Link[];
let books: Books;

/** Two accounts: one subscriber on the first. A second plan has rating group 1 for free. */
beforeEach(async () => {
  books = new Books();
  site = await Site.start({
    proxied: true,
    settings: ['--deadline-ms=3000'],
    provisioning: provisioningOf({
      plans: `
        - id: generous
          rules:
            - name: par
              match: { context: [32251@3gpp.org], ratingGroup: [1] }
              unit: octets
              free: true
              quota: { size: 4000 }`,
      accounts: `
      accounts:
        - id: old
          plan: data
          subscribers: [{ e164: "${MOVER}" }]
          buckets:
            - { id: bundle, unit: octets, opening: 600 }
            - { id: main, unit: money, opening: ${money(OPENING)} }
        - id: new
          plan: data
          buckets:
            - { id: main, unit: money, opening: ${money(OPENING)} }`,
    }),
  });
  links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
});

afterEach(async () => {
  for (const link of links) link.close();
  await site.stop();
  expect(site.defects).toEqual([]);
});

const newSession = (account = 'old'): ClientSession =>
  books.session(`${IMSI}0000000;${books.sessions.length}`, { account, subscriber: MOVER });

const move = (to: string) => site.store.moveSubscriber('blue', SUBSCRIBER, to);

async function serve(session: ClientSession, link: number, asked: Asked): Promise<void> {
  const answer = await links[link]!.ask(asked);
  expect(answer.code).toBe(2001);
  session.take(asked, answer);
}

async function goOnAndEnd(session: ClientSession): Promise<void> {
  for (const link of [0, 1, 1, 0])
    await serve(session, link, session.request('update', [{ rg: 1, used: 90, ask: 200 }]));
  await books.check(site);
  await serve(session, 1, session.request('terminate', [{ rg: 1, used: 17 }]));
  expect(books.open).toBe(0);
  await books.check(site);
}

/** Both workers remember that the subscriber is on the old account. */
async function warm(): Promise<void> {
  for (const link of [0, 1]) {
    const session = newSession();
    await serve(session, link, session.request('initial', [{ rg: 1, ask: 10 }]));
    await serve(session, link, session.request('terminate', [{ rg: 1, used: 10 }]));
  }
}

describe('a subscriber moved to another account', () => {
  test('in mid-session: the session stays where it is, the next one goes along', async () => {
    const session = newSession();
    await serve(session, 0, session.request('initial', [{ rg: 1, ask: 500 }]));
    await serve(session, 1, session.request('update', [{ rg: 1, used: 400, ask: 500 }]));
    await move('new');
    await goOnAndEnd(session);
    const next = newSession('new');
    await serve(next, 0, next.request('initial', [{ rg: 1, ask: 500 }]));
    await goOnAndEnd(next);
  });

  test('B-160 between an initial and its retransmission: the same answer', async () => {
    const session = newSession();
    const asked = session.request('initial', [{ rg: 1, ask: 500 }]);
    const bytes = ccrBytes(asked);
    const first = await links[0]!.send(bytes);
    session.take(asked, first);
    await move('new');
    for (const link of [1, 0, 1]) {
      const again = await links[link]!.send(bytes);
      expect(again.bytes.equals(first.bytes)).toBe(true);
    }
    await goOnAndEnd(session);
  });

  test('B-163 before an initial that two workers get, both of which do not know', async () => {
    await warm();
    await move('new');
    const session = newSession('new');
    const asked = session.request('initial', [{ rg: 1, ask: 500 }]);
    const bytes = ccrBytes(asked);
    const answers = await Promise.all(links.map((link) => link.send(bytes)));
    expect(answers.map(({ code }) => code)).toEqual([2001, 2001]);
    expect(answers[0]!.bytes.equals(answers[1]!.bytes)).toBe(true);
    session.take(asked, answers[0]!);
    await goOnAndEnd(session);
  });

  test('B-163 while a worker is between the binding and its commit: it follows', async () => {
    await warm();
    await move('new');
    const session = newSession('new');
    const asked = session.request('initial', [{ rg: 1, ask: 500 }]);
    const bytes = ccrBytes(asked);
    const slow = site.workers[1]!.proxy;
    slow.hold();
    const late = links[1]!.send(bytes);
    // It has bound the session to the old account, and has not been told yet.
    const { redis } = site.store.connection;
    const bindings = () => redis.keys('tk:sid:*').then((keys) => keys.length);
    await until(async () => (await bindings()) === 3);
    const first = await links[0]!.send(bytes);
    expect(first.code).toBe(2001);
    session.take(asked, first);
    const struck = slow.strike(scripts.commit, 'see');
    slow.release();
    await struck;
    const second = await late;
    expect(second.bytes.equals(first.bytes)).toBe(true);
    await goOnAndEnd(session);
  });

  test('B-163 a worker that ends half way through following: another one finishes', async () => {
    await warm();
    await move('new');
    const session = newSession('new');
    const asked = session.request('initial', [{ rg: 1, ask: 500 }]);
    const bytes = ccrBytes(asked);
    // The marker is written; the binding is never moved, and the client hears nothing.
    const struck = site.workers[0]!.proxy.strike(scripts.moveBinding, 'freeze');
    const unanswered = links[0]!.send(bytes).catch(() => undefined);
    await struck;
    links[0]!.close();
    await unanswered;
    const answer = await links[1]!.send(bytes);
    expect(answer.code).toBe(2001);
    session.take(asked, answer);
    links[0] = await Link.open((await site.startWorker(2)).port);
    await goOnAndEnd(session);
  });
});

describe('an account changed in mid-session', () => {
  async function change(by: (definition: AccountDefinition) => AccountDefinition): Promise<void> {
    const { account } = await site.store.load({ tenant: 'blue', account: 'old' });
    const reply = await site.store.changeAccount(by(account!.definition), account!.version);
    expect(reply).toBe('changed');
  }

  test('another bucket is drawn first from then on, and both workers find out', async () => {
    const session = newSession();
    await serve(session, 0, session.request('initial', [{ rg: 1, ask: 500 }]));
    await serve(session, 1, session.request('update', [{ rg: 1, used: 500, ask: 500 }]));
    await change((old) => ({
      ...old,
      buckets: [{ id: 'gift', unit: 'octets', priority: 1, floor: 0 }, ...old.buckets],
    }));
    await goOnAndEnd(session);
  });

  test('another plan: what was granted is settled as granted, what comes is free', async () => {
    const session = newSession();
    await serve(session, 0, session.request('initial', [{ rg: 1, ask: 500 }]));
    await change((old) => ({ ...old, plan: 'generous' }));
    const asked = session.request('update', [{ rg: 1, used: 480, ask: 0 }]);
    const answer = await links[1]!.ask(asked);
    expect(answer.services.get(1)).toMatchObject({ code: 2001, granted: 4000 });
    session.take(asked, answer);
    // Nothing is reserved for what is free, and nothing is charged.
    session.services.get(1)!.granted = 0;
    await books.check(site);
    const last = session.request('terminate', [{ rg: 1, used: 3000 }]);
    expect((await links[0]!.ask(last)).code).toBe(2001);
    session.applied.add(last.number);
    session.end();
    await books.check(site);
  });

  test('blocked: an open session is settled, no other is opened', async () => {
    const session = newSession();
    await serve(session, 0, session.request('initial', [{ rg: 1, ask: 500 }]));
    await change((old) => ({ ...old, status: 'blocked' }));
    const refused = newSession();
    for (const link of links)
      expect((await link.ask(refused.request('initial', [{ rg: 1, ask: 5 }], 0))).code).toBe(4010);
    await serve(session, 1, session.request('terminate', [{ rg: 1, used: 499 }]));
    await books.check(site);
  });
});

test('the books of these attacks notice a debit that no request explains', async () => {
  const session = newSession();
  await serve(session, 0, session.request('initial', [{ rg: 1, ask: 500 }]));
  await books.check(site);
  const { redis } = site.store.connection;
  const partition = site.store.partitionOf({ tenant: 'blue', account: 'old' });
  const key = site.store.keysOf(partition).account('blue/old');
  await redis.hincrby(key, 'a:main', -1);
  await expect(books.check(site)).rejects.toThrow();
  await redis.hincrby(key, 'a:main', 1);
  session.services.get(1)!.used += 1;
  await expect(books.check(site)).rejects.toThrow();
  session.services.get(1)!.used -= 1;
  await books.check(site);
});
