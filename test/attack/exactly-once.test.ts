/**
 * One request, given to two workers at the same time, a thousand times over for each kind: it is
 * decided once, and both give the same answer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionMember } from '../../src/store/placement.ts';
import { encodeRecord } from '../../src/store/record-codec.ts';
import { bindingKey } from '../../src/store/redis/keys.ts';
import { openRedisStore } from '../../src/store/redis/store.ts';
import type { Commit } from '../../src/store/store.ts';
import { Books, type ClientSession, provisioningOf, rangeOf, stepped } from './books.ts';
import { type Asked, ccrBytes, Link, nextEndToEnd } from './gateway.ts';
import { E164, IMSI, Site, until } from './site.ts';

const TIMES = 1000;
/** Pairs that are under way at once. */
const AT_ONCE = 25;
const ACCOUNTS = 20;
const FIRST = Number(`${E164}00000`);

let site: Site;
let links: [Link, Link];
const books = new Books(stepped);
const sessions: ClientSession[] = [];

beforeAll(async () => {
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(ACCOUNTS, String(FIRST)) }),
    processes: true,
    durability: 'fsync',
    settings: ['--deadline-ms=8000'],
  });
  const [one, other] = site.workers;
  links = [await Link.open(one!.port), await Link.open(other!.port)];
  for (let i = 0; i < TIMES; i++) {
    const subscriber = String(FIRST + (i % ACCOUNTS));
    const account = `a-${subscriber}`;
    sessions.push(books.session(`${IMSI}0000000;${i}`, { account, subscriber }));
  }
});

afterAll(async () => {
  for (const link of links) link.close();
  await site.stop();
});

/** What the copy has and the original has not, and who gets which of the two. */
const manners = [
  { name: 'a plain copy', copyHasT: false, sameEndToEnd: true, swapped: false },
  { name: 'a copy with T', copyHasT: true, sameEndToEnd: true, swapped: false },
  { name: 'the copy with T first', copyHasT: true, sameEndToEnd: true, swapped: true },
  { name: 'another End-to-End Identifier', copyHasT: false, sameEndToEnd: false, swapped: false },
  { name: 'T and another of them', copyHasT: true, sameEndToEnd: false, swapped: true },
] as const;

async function both(asked: Asked, i: number): Promise<number> {
  const { copyHasT, sameEndToEnd, swapped } = manners[i % manners.length]!;
  const endToEnd = nextEndToEnd();
  const original = ccrBytes(asked, { endToEnd });
  const copy = ccrBytes(asked, {
    endToEnd: sameEndToEnd ? endToEnd : nextEndToEnd(),
    retransmitted: copyHasT,
  });
  const order = swapped ? [copy, original] : [original, copy];
  const turn = i % 2;
  const answers = await Promise.all([
    links[turn]!.send(order[0]!),
    links[1 - turn]!.send(order[1]!),
  ]);
  expect(answers[0].bytes.equals(answers[1].bytes)).toBe(true);
  sessions[i]!.take(asked, answers[0]);
  return answers[0].code;
}

async function thousandTimes(request: (session: ClientSession) => Asked): Promise<void> {
  const codes: number[] = [];
  for (let from = 0; from < TIMES; from += AT_ONCE) {
    const batch = sessions.slice(from, from + AT_ONCE);
    codes.push(...(await Promise.all(batch.map((one, i) => both(request(one), from + i)))));
  }
  expect(codes).toEqual(Array.from({ length: TIMES }, () => 2001));
  await books.check(site);
}

describe('two workers, the same request at the same time, a thousand times', () => {
  test('B-160 B-161 B-163 B-164 C-063 an initial opens one session and reserves once', async () => {
    await thousandTimes((session) =>
      session.request('initial', [
        { rg: 1, ask: 700 },
        { rg: 2, ask: 0 },
      ]),
    );
    expect(books.open).toBe(TIMES);
  });

  test('B-160 B-161 B-163 B-164 C-063 an update debits once and reserves once', async () => {
    await thousandTimes((session) =>
      session.request('update', [
        { rg: 1, used: 450, ask: 800 },
        { rg: 2, used: 1300, ask: 0 },
        { rg: 3, ask: 0 },
      ]),
    );
  });

  test('B-160 B-161 B-163 B-164 C-063 a termination debits once and leaves nothing reserved', async () => {
    await thousandTimes((session) =>
      session.request('terminate', [
        { rg: 1, used: 801 },
        { rg: 2, used: 900 },
        { rg: 3, used: 5000 },
      ]),
    );
    expect(books.open).toBe(0);
  });
});

test('B-160 both workers again, long after: the same answers, and nothing moves', async () => {
  for (const kind of ['initial', 'update', 'terminate'] as const) {
    const number = { initial: 0, update: 1, terminate: 2 }[kind];
    const session = books.session(`${IMSI}0000001;${kind}`, {
      account: `a-${FIRST}`,
      subscriber: String(FIRST),
    });
    const reports = [{ rg: 1, used: 10, ask: 100 }];
    const asked = [
      session.request('initial', [{ rg: 1, ask: 100 }], 0),
      session.request('update', reports, 1),
      session.request('terminate', [{ rg: 1, used: 3 }], 2),
    ];
    const answers = [];
    for (const one of asked) {
      const answer = await links[0].ask(one);
      session.take(one, answer);
      answers.push(answer);
    }
    for (const link of links) {
      const again = await link.ask(asked[number]!, { retransmitted: true });
      expect(again.bytes.equals(answers[number]!.bytes)).toBe(true);
    }
  }
  await books.check(site);
});

test('B-162 a session that ended is remembered for the duplicate horizon', async () => {
  const { tombstoneSeconds, duplicateHorizonSeconds } = site.settings;
  const [account, subscriber] = [`a-${FIRST}`, String(FIRST)];
  const session = books.session(`${IMSI}0000002`, { account, subscriber });
  for (const asked of [
    session.request('initial', [{ rg: 1, ask: 100 }]),
    session.request('terminate', [{ rg: 1, used: 3 }]),
  ])
    session.take(asked, await links[0].ask(asked));
  expect(session.state).toBe('ended');
  const key = `gw.example;${session.name}`;
  const { redis } = site.store.connection;
  const secondsLeft = async (name: string) => (await redis.pttl(name)) / 1000;
  // It is set right after the answer.
  await until(async () => {
    const left = await secondsLeft(bindingKey(key));
    return left > duplicateHorizonSeconds - 60 && left <= duplicateHorizonSeconds;
  });
  const partition = site.store.partitionOf({ tenant: 'blue', account });
  const tombstone = site.store.keysOf(partition).session(sessionMember(`blue/${account}`, key));
  expect(await secondsLeft(tombstone)).toBeGreaterThan(tombstoneSeconds - 60);
});

test('B-163 C-063 C-187 an event at two stores at the same time, a thousand times: booked once', async () => {
  const stores = await Promise.all(
    [0, 1].map(() =>
      openRedisStore({
        url: site.redis.url,
        durability: 'fsync',
        log: { warn() {}, info() {} },
      }),
    ),
  );
  const ref = { tenant: 'blue', account: `a-${FIRST + ACCOUNTS - 1}` };
  const before = await site.store.load(ref);
  const session = books.session('events', { account: ref.account, subscriber: String(FIRST) });
  for (let i = 0; i < TIMES; i++) {
    const answer = encodeRecord({
      ...{ kind: 'adjustment', at: i, account: ref, outcome: 'success' },
      ...{ services: [], changes: [] },
    });
    const commit: Commit = {
      account: ref,
      epoch: before.epoch,
      accountVersion: before.account?.version ?? 0,
      notAfter: site.store.now() + 60_000,
      event: { key: `event ${i}`, answer, ttlMs: 60_000 },
      movements: [{ field: 'a:main', delta: -7, min: 0 }],
      record: {
        ...{ kind: 'update', at: site.store.now(), account: ref, outcome: 'success' },
        ...{ sessionId: 'gw.example;events', requestNumber: i, services: [] },
        changes: [{ bucket: 'main', cause: 'debit', available: -7, reserved: 0 }],
      },
    };
    const replies = await Promise.all(stores.map((store) => store.commit(commit)));
    expect(replies.map(({ kind }) => kind).sort()).toEqual(['committed', 'duplicate']);
    const stored = replies.find((reply) => reply.kind === 'duplicate')?.stored;
    expect(Buffer.compare(Buffer.from(stored!), Buffer.from(answer))).toBe(0);
    session.applied.add(i);
    session.report([{ rg: 1, used: 7 }]);
  }
  await Promise.all(stores.map((store) => store.close()));
  await books.check(site);
});
