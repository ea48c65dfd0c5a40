/** What every store promises: one test per clause, run on each of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccountRef, Bucket } from '../../src/charging/account.ts';
import type { Movement } from '../../src/charging/draft.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { MAX_GONE } from '../../src/store/bucket-kinds.ts';
import {
  KEPT_PLAN_VERSIONS,
  MAX_CONFIGURATION_BYTES,
  type PlanText,
} from '../../src/store/configuration.ts';
import { type Commit, CounterOutOfRange, type Store } from '../../src/store/store.ts';
import { definitionOf, fresh, money, openDesk, recordOf, sessionOf } from './samples.ts';

export interface Contracted {
  store: Store;
  /** The records of an account's partition, oldest first. */
  records(account: AccountRef): Promise<{ id: string; record: ChargingRecord }[]>;
  /** Opens a new epoch in every partition, as a replaced server does. */
  replaceServer(): Promise<void>;
  /** Lets the store's clock pass this moment. */
  pass(at: number): Promise<void>;
  close(): Promise<void>;
}

const LIMIT = Number.MAX_SAFE_INTEGER;
const LATER = 8_000_000_000_000;

export function describeStore(name: string, open: () => Promise<Contracted>): void {
  describe(`the ${name} store`, () => {
    let on: Contracted;
    let store: Store;
    beforeAll(async () => {
      on = await open();
      store = on.store;
    });
    afterAll(() => on.close());

    const counters = async (account: AccountRef): Promise<Record<string, number>> => ({
      ...(await store.load(account)).account?.counters,
    });

    describe('a commit', () => {
      test('opens a session, moves counters and writes one record', async () => {
        const { account, change } = await openDesk(store);
        const movements = [
          { field: 'a:main', delta: -100, min: 0 },
          { field: 'r:main', delta: 100 },
          { field: 'n:open', delta: 1, min: 0 },
        ];
        const record = recordOf(account, { kind: 'initial', sessionId: 's', requestNumber: 0 });
        const reply = await store.commit(change('s', 0, { movements, record }));
        expect(reply).toMatchObject({
          kind: 'committed',
          version: 1,
          counters: { 'a:main': 900, 'r:main': 100, 'n:open': 1 },
        });
        const snapshot = await store.load(account, 's');
        expect(snapshot.session?.version).toBe(1);
        expect(snapshot.session?.session).toEqual(sessionOf(account, { sessionId: 's' }));
        expect(snapshot.account?.counters).toEqual({ 'a:main': 900, 'r:main': 100, 'n:open': 1 });
        const last = (await on.records(account)).at(-1);
        expect(last?.record).toEqual(record);
        expect(last?.id).toBe(snapshot.session?.lastRecord);
        expect(reply).toHaveProperty('recordId', last?.id);
      });

      test('raises the version of a session by one each time', async () => {
        const { account, change } = await openDesk(store);
        for (let version = 0; version < 12; version++)
          expect(await store.commit(change('s', version))).toMatchObject({ version: version + 1 });
        expect((await store.load(account, 's')).session?.version).toBe(12);
      });

      test('conflicts with a session that exists, and brings back session and account', async () => {
        const { account, change, epoch } = await openDesk(store);
        await store.commit(change('s', 0, { movements: [{ field: 'a:main', delta: -1 }] }));
        const reply = await store.commit(change('s', 0));
        expect(reply).toMatchObject({
          kind: 'conflict',
          snapshot: { epoch, session: { version: 1 }, account: { counters: { 'a:main': 999 } } },
        });
        expect(reply).toHaveProperty('snapshot', await store.load(account, 's'));
      });

      test('conflicts with a session that is not there', async () => {
        const { change } = await openDesk(store);
        const reply = await store.commit(change('s', 3));
        expect(reply).toMatchObject({ kind: 'conflict', snapshot: { session: undefined } });
      });

      test('conflicts with a version of which its own is the beginning', async () => {
        const { change } = await openDesk(store);
        for (let version = 0; version < 11; version++) await store.commit(change('s', version));
        expect(await store.commit(change('s', 1))).toMatchObject({ kind: 'conflict' });
      });

      test('conflicts with a changed definition, and not with a charge', async () => {
        const desk = await openDesk(store);
        await store.commit(desk.change('s', 0, { movements: [{ field: 'a:main', delta: -1 }] }));
        expect(await store.commit(desk.change('t', 0))).toMatchObject({ kind: 'committed' });
        const { account } = await store.load(desk.account);
        await store.changeAccount({ ...account!.definition, plan: 'other' }, 1);
        expect(await store.commit(desk.change('u', 0))).toMatchObject({
          kind: 'conflict',
          snapshot: { account: { version: 2, definition: { plan: 'other' } } },
        });
      });

      test('conflicts when the account does not exist', async () => {
        const { change } = await openDesk(store);
        const commit = { ...change('s', 0), account: { tenant: 'north', account: 'nobody' } };
        expect(await store.commit(commit)).toMatchObject({
          kind: 'conflict',
          snapshot: { account: undefined },
        });
      });

      test('conflicts on a counter that does not exist: only provisioning makes them', async () => {
        const { account, change } = await openDesk(store);
        const movements = [{ field: 'a:gone', delta: 5 }];
        expect((await store.commit(change('s', 0, { movements }))).kind).toBe('conflict');
        expect(await counters(account)).not.toHaveProperty('a:gone');
      });

      test('conflicts above a maximum of the value before, not at it', async () => {
        const { change } = await openDesk(store, { main: 1_000, day: 7 });
        const leaning = (max: number) => ({ movements: [{ field: 'a:day', delta: 0, max }] });
        expect((await store.commit(change('s', 0, leaning(6)))).kind).toBe('conflict');
        expect((await store.commit(change('s', 0, leaning(7)))).kind).toBe('committed');
      });

      test('is insufficient below a minimum of the result, not at it', async () => {
        const { account, change } = await openDesk(store, { main: 10 });
        const taking = (delta: number) => ({
          movements: [
            { field: 'a:main', delta, min: 0 },
            { field: 'r:main', delta: -delta },
          ],
        });
        expect(await store.commit(change('s', 0, taking(-11)))).toEqual({
          kind: 'insufficient',
          counters: { 'a:main': 10, 'r:main': 0 },
        });
        expect(await counters(account)).toEqual({ 'a:main': 10, 'r:main': 0, 'n:open': 0 });
        expect((await store.commit(change('s', 0, taking(-10)))).kind).toBe('committed');
      });

      test('never refuses usage: without a minimum a counter may go below 0', async () => {
        const { change } = await openDesk(store, { main: 10 });
        const movements = [{ field: 'a:main', delta: -25 }];
        expect(await store.commit(change('s', 0, { movements }))).toMatchObject({
          kind: 'committed',
          counters: { 'a:main': -15 },
        });
      });

      test('is exact up to 2^53 - 1 and prints no exponent', async () => {
        const { account, change } = await openDesk(store, { main: LIMIT, much: 1e14, low: -LIMIT });
        const movements = [
          { field: 'a:main', delta: -1 },
          { field: 'a:much', delta: 1 },
          { field: 'a:low', delta: 2 },
          { field: 'r:main', delta: LIMIT },
        ];
        const expected = {
          'a:main': LIMIT - 1,
          'a:much': 100_000_000_000_001,
          'a:low': 2 - LIMIT,
          'r:main': LIMIT,
        };
        expect(await store.commit(change('s', 0, { movements }))).toHaveProperty(
          'counters',
          expected,
        );
        expect(await counters(account)).toMatchObject(expected);
      });

      test.each([
        ['above', LIMIT, 1],
        ['far above', LIMIT, LIMIT],
        ['below', -LIMIT, -1],
      ])('refuses a sum %s the range before it writes anything', async (_, opening, delta) => {
        const { account, change } = await openDesk(store, { main: 5, big: opening });
        const before = await on.records(account);
        const movements = [
          { field: 'a:main', delta: 1 },
          { field: 'a:big', delta },
        ];
        await expect(store.commit(change('s', 0, { movements }))).rejects.toEqual(
          new CounterOutOfRange('a:big'),
        );
        expect(await counters(account)).toMatchObject({ 'a:main': 5, 'a:big': opening });
        expect((await store.load(account, 's')).session).toBeUndefined();
        expect(await on.records(account)).toEqual(before);
      });

      test('refuses what is no exact figure, no counter or moved twice', async () => {
        const { change, book } = await openDesk(store);
        const move = (...movements: { field: string; delta: number }[]) =>
          store.commit(change('s', 0, { movements }));
        await expect(move({ field: 'a:main', delta: 0.5 })).rejects.toThrow(TypeError);
        await expect(move({ field: 'a:main', delta: 2 ** 53 })).rejects.toThrow(TypeError);
        await expect(move({ field: 'version', delta: 1 })).rejects.toThrow(TypeError);
        const twice = { field: 'a:main', delta: 1 };
        await expect(move(twice, twice)).rejects.toThrow(TypeError);
        const both = { ...change('s', 0), ...book('k') };
        await expect(store.commit(both)).rejects.toThrow(TypeError);
      });

      test('is refused when the subscriber has moved away', async () => {
        const subscriber = { kind: 'e164', id: fresh('999') } as const;
        const desk = await openDesk(store, { main: 1 }, { subscribers: [`e164:${subscriber.id}`] });
        const other = await openDesk(store);
        expect((await store.commit(desk.change('s', 0, { subscriber }))).kind).toBe('committed');
        await store.moveSubscriber('north', subscriber, other.account.account);
        const change = desk.change('t', 0, { subscriber, accountVersion: 2 });
        expect(await store.commit(change)).toEqual({ kind: 'moved' });
      });

      test('is refused when it comes too late, and not before', async () => {
        const { change, account } = await openDesk(store);
        const past = change('s', 0, { notAfter: store.now() - 1_000 });
        expect(await store.commit(past)).toEqual({ kind: 'late' });
        expect((await store.load(account, 's')).session).toBeUndefined();
        const future = change('s', 0, { notAfter: store.now() + 60_000 });
        expect((await store.commit(future)).kind).toBe('committed');
      });

      test('with an epoch that has passed is stale, and writes nothing', async () => {
        const desk = await openDesk(store);
        await on.replaceServer();
        const { epoch } = await store.load(desk.account);
        expect(epoch).toBeGreaterThan(desk.epoch);
        const before = await on.records(desk.account);
        expect(await store.commit(desk.change('s', 0))).toEqual({ kind: 'stale-epoch' });
        expect(await on.records(desk.account)).toEqual(before);
        expect((await store.commit(desk.change('s', 0, { epoch }))).kind).toBe('committed');
      });

      test('decides its replies in the order of the contract', async () => {
        const subscriber = { kind: 'imsi', id: '1' } as const;
        const desk = await openDesk(store, { main: 0, big: LIMIT });
        await store.commit(desk.book('taken'));
        const range = { field: 'a:big', delta: 1 };
        const short = { field: 'a:main', delta: -1, min: 0 };
        const missing = { field: 'a:gone', delta: 1 };
        const everything = {
          movements: [range, short, missing],
          notAfter: 1,
          subscriber,
          epoch: desk.epoch - 1,
        };
        const duplicate = await store.commit(
          desk.book('taken', { ...everything, accountVersion: 9 }),
        );
        expect(duplicate.kind).toBe('duplicate');
        expect((await store.commit(desk.book('k', everything))).kind).toBe('conflict');
        const { movements: _, ...rest } = everything;
        const failing = { ...rest, movements: [range, short] };
        expect((await store.commit(desk.book('k', failing))).kind).toBe('stale-epoch');
        const current = { ...failing, epoch: desk.epoch };
        expect((await store.commit(desk.book('k', current))).kind).toBe('moved');
        const { subscriber: __, ...known } = current;
        expect((await store.commit(desk.book('k', known))).kind).toBe('late');
        const { notAfter: ___, ...timely } = known;
        expect((await store.commit(desk.book('k', timely))).kind).toBe('insufficient');
        const rich = { ...timely, movements: [range] };
        await expect(store.commit(desk.book('k', rich))).rejects.toThrow(CounterOutOfRange);
      });
    });

    describe('a booking or an event', () => {
      test('happens once, and its repetition gets what was stored', async () => {
        const { account, book } = await openDesk(store);
        const movements = [{ field: 'a:main', delta: 50 }];
        const first = await store.commit(book('k', { movements }));
        expect(first).toMatchObject({
          kind: 'committed',
          version: 0,
          counters: { 'a:main': 1050 },
        });
        const again = await store.commit(book('k', { movements }));
        expect(again).toEqual({ kind: 'duplicate', stored: Uint8Array.of(1, 2, 3) });
        expect(await counters(account)).toMatchObject({ 'a:main': 1050 });
      });

      test('keeps events and bookings, and the accounts, apart', async () => {
        const one = await openDesk(store);
        const two = await openDesk(store);
        const event = { key: 'k', answer: Uint8Array.of(0, 255, 13, 10), ttlMs: 60_000 };
        const { idempotency: _, ...bare } = one.book('k');
        expect((await store.commit(one.book('k'))).kind).toBe('committed');
        expect((await store.commit({ ...bare, event })).kind).toBe('committed');
        expect((await store.commit(two.book('k'))).kind).toBe('committed');
        expect(await store.commit({ ...bare, event })).toEqual({
          kind: 'duplicate',
          stored: event.answer,
        });
      });

      test('that spends a key keeps others from it, and happens with both or not at all', async () => {
        const { account, book } = await openDesk(store);
        const { idempotency: _, ...bare } = book('k', {
          movements: [{ field: 'a:main', delta: 7 }],
        });
        const event = (key: string, answer: number, spends?: string): Commit => {
          const once = { key, answer: Uint8Array.of(answer), ttlMs: 60_000 };
          return { ...bare, event: spends === undefined ? once : { ...once, spends } };
        };
        const one = { kind: 'duplicate', stored: Uint8Array.of(1) };
        expect((await store.commit(event('x', 1, 'debit'))).kind).toBe('committed');
        expect(await store.commit(event('x', 1, 'debit'))).toEqual(one);
        expect(await store.commit(event('y', 2, 'debit'))).toEqual(one);
        expect(await store.commit(event('x', 3, 'other'))).toEqual(one);
        expect(await store.commit(event('debit', 4))).toEqual(one);
        expect((await store.commit(event('y', 5))).kind).toBe('committed');
        expect((await store.commit(event('z', 6, 'other'))).kind).toBe('committed');
        expect(await counters(account)).toMatchObject({ 'a:main': 1021 });
      });

      test('is forgotten after its time to live', async () => {
        const { book } = await openDesk(store);
        const commit = book('k');
        commit.idempotency = { key: 'k', outcome: Uint8Array.of(1), ttlMs: 20 };
        await store.commit(commit);
        await on.pass(store.now() + 30);
        expect((await store.commit(commit)).kind).toBe('committed');
      });

      test('of one key by many at once is committed exactly once', async () => {
        const { account, book } = await openDesk(store);
        const movements = [{ field: 'a:main', delta: -1 }];
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => store.commit(book('k', { movements }))),
        );
        expect(replies.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
        expect(replies.filter(({ kind }) => kind === 'duplicate')).toHaveLength(19);
        expect(await counters(account)).toMatchObject({ 'a:main': 999 });
      });
    });

    describe('records', () => {
      test('are numbered without gaps, and an epoch names the last one before it', async () => {
        const { account, change } = await openDesk(store);
        for (let version = 0; version < 5; version++) await store.commit(change('s', version));
        await store.commit(change('s', 1));
        await on.replaceServer();
        const { epoch } = await store.load(account);
        await store.commit(change('s', 5, { epoch }));
        const records = await on.records(account);
        let before: { epoch: number; number: number } | undefined;
        let last = '0-0';
        for (const { id, record } of records) {
          const [at, number] = id.split('-').map(Number) as [number, number];
          if (before !== undefined && at === before.epoch) expect(number).toBe(before.number + 1);
          else {
            expect(number).toBe(0);
            expect(record).toMatchObject({ kind: 'epoch', reference: last });
          }
          before = { epoch: at, number };
          last = id;
        }
        expect(records.at(-1)?.id).toBe(`${epoch}-1`);
      });
    });

    describe('a session', () => {
      test('may have NUL, line feeds and any other text in its key', async () => {
        const { account, change } = await openDesk(store);
        for (const key of ['a\0b', 'a\nb', 'ä€😀', ' ', '{x}', 'x'.repeat(5_000)]) {
          await store.commit(change(key, 0));
          expect((await store.load(account, key)).session?.session.sessionId).toBe(key);
        }
      });

      test('that is closed is a tombstone, and ends by itself', async () => {
        const { account, change } = await openDesk(store);
        await store.commit(change('s', 0));
        const close = { index: 'close', timer: 'remove', ttlMs: 40 } as const;
        const end = store.now() + 60;
        await store.commit(change('s', 1, { session: close }));
        expect((await store.load(account, 's')).session?.version).toBe(2);
        const late = change('s', 2, { session: { keepTtl: true } });
        expect((await store.commit(late)).kind).toBe('committed');
        await on.pass(end);
        expect((await store.load(account, 's')).session).toBeUndefined();
      });

      test('is listed by start time while it is open', async () => {
        const tenant = fresh('tenant');
        const desk = await openDesk(store, {}, { tenant });
        const other = await openDesk(store, {}, { tenant });
        const ids = ['c', 'a', 'b', 'd', 'e', 'f'];
        for (const [i, id] of ids.entries()) {
          const { change, account } = i % 2 === 0 ? desk : other;
          const value = sessionOf(account, { sessionId: id, openedAt: 100 + Math.floor(i / 2) });
          await store.commit(change(id, 0, { session: { value } }));
        }
        await store.commit(
          desk.change('e', 1, { session: { index: 'close', timer: 'remove', ttlMs: 60_000 } }),
        );
        const listed: string[] = [];
        let after: string | undefined;
        for (let page = 0; page < 5; page++) {
          const cursor = after === undefined ? {} : { after };
          const { sessions, next } = await store.listSessions(tenant, { limit: 2, ...cursor });
          listed.push(...sessions.map(({ session }) => session.sessionId));
          after = next;
          if (next === undefined) break;
        }
        expect(after).toBeUndefined();
        expect(new Set(listed.slice(0, 2))).toEqual(new Set(['c', 'a']));
        expect(new Set(listed.slice(2, 4))).toEqual(new Set(['b', 'd']));
        expect(listed.slice(4)).toEqual(['f']);
      });
    });

    describe('a binding', () => {
      const a = { tenant: 'north', account: 'a' };
      const b = { tenant: 'no/rth%', account: 'b/{x}' };

      test('is made once, and the one that holds is returned', async () => {
        const key = fresh('sid');
        expect(await store.bindingOf(key)).toBeUndefined();
        expect(await store.bind(key, b, 60_000)).toEqual({ ...b, state: 'bound' });
        expect(await store.bind(key, a, 60_000)).toEqual({ ...b, state: 'bound' });
        expect(await store.bindingOf(key)).toEqual({ ...b, state: 'bound' });
      });

      test('ends by itself unless it is kept', async () => {
        const [left, kept] = [fresh('sid'), fresh('sid')];
        const end = store.now() + 60;
        await store.bind(left, a, 30);
        await store.bind(kept, a, 30);
        await store.keepBinding(kept, a, 60_000);
        await on.pass(end);
        expect(await store.bindingOf(left)).toBeUndefined();
        expect(await store.bindingOf(kept)).toEqual({ ...a, state: 'opened' });
      });

      test('is not kept for an account that it no longer names', async () => {
        const key = fresh('sid');
        await store.bind(key, b, 60_000);
        await store.keepBinding(key, a, 60_000);
        expect(await store.bindingOf(key)).toEqual({ ...b, state: 'bound' });
      });

      test('of a sub-session is found under its Session-Id, a page at a time', async () => {
        const sessionId = fresh('sid');
        const ids = Array.from({ length: 300 }, (_, i) => String(i));
        for (const id of ids) await store.bind(`${sessionId}\n${id}`, a, 60_000);
        // Neither a session of its own, nor an event, nor one whose Session-Id begins alike.
        await store.bind(sessionId, a, 60_000);
        for (const sub of ['', '7']) {
          await store.bind(`${sessionId}\n4\n${sub}`, a, 60_000);
          const under = await store.subSessionsOf(`${sessionId}\n4`, { limit: 10 });
          expect(under).toEqual({ subSessionIds: [] });
        }
        await store.bind(`${sessionId}0\n7`, a, 60_000);
        const found = new Set<string>();
        let after: string | undefined;
        let pages = 0;
        do {
          const page = await store.subSessionsOf(sessionId, { limit: 10, ...(after && { after }) });
          for (const id of page.subSessionIds) found.add(id);
          after = page.next;
          pages++;
        } while (after !== undefined);
        expect([...found].sort()).toEqual(ids.sort());
        expect(pages).toBeGreaterThan(5);
        expect(await store.subSessionsOf(fresh('sid'), { limit: 10 })).toEqual({
          subSessionIds: [],
        });
      });

      test('of a sub-session is found as long as it lives, whatever became of the others', async () => {
        const sessionId = fresh('sid');
        const [early, late] = [`${sessionId}\n1`, `${sessionId}\n2`];
        const end = store.now() + 60;
        await store.bind(early, a, 30);
        await store.bind(late, a, 30);
        await store.keepBinding(late, a, 60_000);
        // A copy of its first request finds it bound for longer.
        await store.bind(late, a, 30);
        await on.pass(end);
        const { subSessionIds } = await store.subSessionsOf(sessionId, { limit: 10 });
        expect(subSessionIds).toContain('2');
        expect(await store.bindingOf(late)).toBeDefined();
      });

      test('moves to another account, where the old one can open nothing any more', async () => {
        const [from, to] = [await openDesk(store), await openDesk(store)];
        const key = fresh('sid');
        await store.bind(key, from.account, 60_000);
        for (let i = 0; i < 2; i++)
          expect(await store.moveBinding(key, from.account, to.account, 60_000)).toEqual({
            ...to.account,
            state: 'bound',
          });
        const late = await store.commit(from.change(key, 0));
        expect(late).toMatchObject({
          kind: 'conflict',
          snapshot: { session: { session: { state: 'ended', account: to.account } } },
        });
        expect((await store.commit(to.change(key, 0))).kind).toBe('committed');
      });

      test('stays where its session was opened first', async () => {
        const [from, to] = [await openDesk(store), await openDesk(store)];
        const key = fresh('sid');
        await store.bind(key, from.account, 60_000);
        await store.commit(from.change(key, 0));
        const held = await store.moveBinding(key, from.account, to.account, 60_000);
        expect(held).toMatchObject(from.account);
        expect((await store.load(from.account, key)).session?.version).toBe(1);
      });

      test('moves within a partition as well', async () => {
        const from = await openDesk(store);
        let to = await openDesk(store);
        while (store.partitionOf(to.account) !== store.partitionOf(from.account))
          to = await openDesk(store);
        const key = fresh('sid');
        await store.bind(key, from.account, 60_000);
        await store.moveBinding(key, from.account, to.account, 60_000);
        expect((await store.commit(to.change(key, 0))).kind).toBe('committed');
        expect((await store.commit(from.change(key, 0))).kind).toBe('conflict');
      });
    });

    describe('the timer wheel', () => {
      const due = async (account: AccountRef, leaseMs = 60_000) => {
        const claimed = await store.claimDue(store.partitionOf(account), { limit: 1_000, leaseMs });
        return claimed.due.filter(
          ({ stored }) => stored?.session.account.account === account.account,
        );
      };

      test('gives what is due to one worker, for as long as its lease', async () => {
        const { account, change } = await openDesk(store);
        await store.commit(change('s', 0, { session: { timer: store.now() - 5 } }));
        await store.commit(change('t', 0, { session: { timer: LATER } }));
        const [first, ...more] = await due(account, 40);
        expect(first?.stored?.session.sessionId).toBe('s');
        expect(first?.stored?.version).toBe(1);
        expect(more).toEqual([]);
        expect(await due(account)).toEqual([]);
        await on.pass(store.now() + 60);
        expect(await due(account)).toEqual([first]);
      });

      test('claims no more than asked, the earliest first', async () => {
        const { account, change } = await openDesk(store);
        const now = store.now();
        await due(account);
        for (const [key, at] of [
          ['x', 300],
          ['y', 100],
          ['z', 200],
        ] as const)
          await store.commit(change(key, 0, { session: { timer: at } }));
        const partition = store.partitionOf(account);
        const claimed = await store.claimDue(partition, { limit: 2, leaseMs: 60_000 });
        expect(claimed.due.map(({ stored }) => stored?.session.sessionId)).toEqual(['y', 'z']);
        expect(Math.abs(claimed.now - now)).toBeLessThan(60_000);
      });

      test('is re-armed only while the session has not moved on, and never after its end', async () => {
        const { account, change } = await openDesk(store);
        await store.commit(change('s', 0, { session: { timer: 1 } }));
        const [claimed] = await due(account);
        await store.rearm(account, claimed!.member, 7, 1);
        expect(await due(account)).toEqual([]);
        await store.rearm(account, claimed!.member, 1, 1);
        expect(await due(account)).toEqual([claimed]);
        const close = { index: 'close', timer: 'remove', ttlMs: 60_000 } as const;
        await store.commit(change('s', 1, { session: close }));
        await store.rearm(account, claimed!.member, 2, 1);
        expect(await due(account)).toEqual([]);
      });

      test('drops a member only when its session is gone', async () => {
        const { account, change } = await openDesk(store);
        const partition = store.partitionOf(account);
        await store.commit(change('s', 0, { session: { timer: 1 } }));
        const [claimed] = await due(account, 20);
        await store.dropTimer(partition, claimed!.member);
        await on.pass(store.now() + 40);
        expect(await due(account, 20)).toEqual([claimed]);
        // A tombstone whose closing commit forgot the wheel, as no commit of the engine does.
        await store.commit(change('s', 1, { session: { timer: 1, ttlMs: 20 } }));
        await on.pass(store.now() + 40);
        const claim = () => store.claimDue(partition, { limit: 1_000, leaseMs: 1 });
        expect((await claim()).due).toContainEqual({ member: claimed!.member, stored: undefined });
        await store.dropTimer(partition, claimed!.member);
        await on.pass(store.now() + 20);
        const members = (await claim()).due.map(({ member }) => member);
        expect(members).not.toContain(claimed!.member);
      });
    });

    describe('provisioning', () => {
      test('creates an account once, with a record of its opening amounts', async () => {
        const definition = definitionOf({
          buckets: [money(), { ...money('day'), unit: 'octets', expiresAt: 5, paysFor: ['x'] }],
          subscribers: ['imsi:2', `e164:${fresh('999')}`],
        });
        expect(await store.createAccount(definition, { main: 7, day: 1e14 })).toBe('created');
        const before = await on.records(definition);
        expect(before.at(-1)?.record).toMatchObject({
          kind: 'opening',
          account: { tenant: 'north', account: definition.account },
          changes: [
            { bucket: 'main', cause: 'opening', available: 7, reserved: 0 },
            { bucket: 'day', cause: 'opening', available: 1e14, reserved: 0 },
          ],
        });
        expect(await store.createAccount(definition, { main: 9 })).toBe('exists');
        expect(await on.records(definition)).toEqual(before);
        expect((await store.load(definition)).account).toEqual({
          definition: { ...definition, subscribers: [...definition.subscribers].sort() },
          version: 1,
          counters: { 'a:main': 7, 'r:main': 0, 'a:day': 1e14, 'r:day': 0, 'n:open': 0 },
        });
      });

      test('refuses an opening amount of no bucket, or not exact', async () => {
        const definition = definitionOf();
        await expect(store.createAccount(definition, { other: 1 })).rejects.toThrow(TypeError);
        await expect(store.createAccount(definition, { main: 1.5 })).rejects.toThrow(TypeError);
        expect((await store.load(definition)).account).toBeUndefined();
      });

      test('points subscribers to their account, unless they point elsewhere', async () => {
        const [one, two] = [fresh('999'), fresh('999')];
        const first = definitionOf({ subscribers: [`e164:${one}`] });
        const second = definitionOf({ subscribers: [`e164:${one}`, `e164:${two}`] });
        await store.createAccount(first, {});
        await store.createAccount(second, {});
        const at = (id: string) => store.accountOf('north', { kind: 'e164', id });
        expect(await at(one)).toBe(first.account);
        expect(await at(two)).toBe(second.account);
        expect(await at('unknown')).toBeUndefined();
        expect(await store.accountOf('south', { kind: 'e164', id: one })).toBeUndefined();
        expect(await store.accountOf('north', { kind: 'imsi', id: one })).toBeUndefined();
      });

      test('keeps tenants apart that use the same names', async () => {
        const account = fresh('account');
        const subscribers = [`e164:${fresh('999')}`];
        await store.createAccount(definitionOf({ account, subscribers }), { main: 1 });
        const south = definitionOf({ tenant: 'south', account, subscribers, plan: 'south' });
        expect(await store.createAccount(south, { main: 2 })).toBe('created');
        expect(await counters({ tenant: 'north', account })).toMatchObject({ 'a:main': 1 });
        expect(await counters({ tenant: 'south', account })).toMatchObject({ 'a:main': 2 });
      });

      test('changes a definition that is still the one read', async () => {
        const [stays, goes, comes] = [fresh('999'), fresh('999'), fresh('999')];
        const before = definitionOf({
          buckets: [money(), money('old')],
          subscribers: [`e164:${stays}`, `e164:${goes}`],
        });
        await store.createAccount(before, { main: 5 });
        const after = {
          ...before,
          plan: 'other',
          status: 'blocked' as const,
          maxSessions: 3,
          buckets: [money('new'), money()],
          subscribers: [`e164:${stays}`, `e164:${comes}`].sort(),
        };
        expect(await store.changeAccount(after, 2)).toBe('conflict');
        expect(await store.changeAccount(after, 1)).toBe('changed');
        expect(await store.changeAccount(after, 1)).toBe('conflict');
        expect((await store.load(before)).account).toEqual({
          definition: after,
          version: 2,
          counters: { 'a:main': 5, 'r:main': 0, 'a:new': 0, 'r:new': 0, 'n:open': 0 },
        });
        const at = (id: string) => store.accountOf('north', { kind: 'e164', id });
        expect(await Promise.all([at(stays), at(goes), at(comes)])).toEqual([
          before.account,
          undefined,
          before.account,
        ]);
      });

      test('takes no bucket away that holds something', async () => {
        const desk = await openDesk(store, { main: 1, day: 3 });
        const { account } = await store.load(desk.account);
        const without = { ...account!.definition, buckets: [money()] };
        expect(await store.changeAccount(without, 1)).toBe('conflict');
        await store.commit(
          desk.book('k', {
            movements: [
              { field: 'a:day', delta: -3 },
              { field: 'r:day', delta: 0 },
            ],
          }),
        );
        expect(await store.changeAccount(without, 1)).toBe('changed');
        expect(await counters(desk.account)).toEqual({ 'a:main': 1, 'r:main': 0, 'n:open': 0 });
      });

      test('gives a new limit its amount, moves an edited one, and books out what is gone', async () => {
        const limit = (amount: number) => ({
          ...money('cap'),
          priority: 0,
          limits: ['e164:1'],
          amount,
        });
        const desk = await openDesk(store, { main: 100, day: 0 });
        const { definition } = (await store.load(desk.account)).account!;
        const change = (version: number, ...limits: ReturnType<typeof limit>[]) =>
          store.changeAccount({ ...definition, buckets: [...limits, money()] }, version);
        const left = async () => {
          const all = await counters(desk.account);
          return [all['a:cap'], all['r:cap']];
        };
        expect(await change(1, limit(50))).toBe('changed');
        expect(await left()).toEqual([50, 0]);
        const taken = [
          { field: 'a:cap', delta: -30 },
          { field: 'r:cap', delta: 10 },
        ];
        const { epoch } = await store.load(desk.account);
        const book = (key: string, accountVersion: number, movements: Movement[]) =>
          store.commit({ ...desk.book(key, { movements }), epoch, accountVersion });
        expect(await book('k1', 2, taken)).toMatchObject({ kind: 'committed' });
        expect(await change(2, limit(70))).toBe('changed');
        expect(await left()).toEqual([40, 10]);
        expect(await change(3, limit(15))).toBe('changed');
        expect(await left()).toEqual([-15, 10]);
        // A grant still holds 10 of it: they count where it comes back, and may be given back.
        expect(await change(4)).toBe('changed');
        expect(await left()).toEqual([0, 10]);
        expect(await change(5, limit(50))).toBe('changed');
        expect(await left()).toEqual([40, 10]);
        expect(await change(6)).toBe('changed');
        const back = [
          { field: 'a:cap', delta: 10 },
          { field: 'r:cap', delta: -10 },
        ];
        expect(await book('k2', 7, back)).toMatchObject({ kind: 'committed' });
        expect(await change(7)).toBe('changed');
        expect(await left()).toEqual([undefined, undefined]);
        expect(await change(8, limit(5))).toBe('changed');
        expect(await left()).toEqual([5, 0]);
        const adjusted = (await on.records(desk.account))
          .filter(({ record }) => record.account.account === desk.account.account)
          .flatMap(({ record }) => record.changes)
          .filter(({ bucket, cause }) => bucket === 'cap' && cause === 'adjustment');
        const amounts = adjusted.map(({ available }) => available);
        expect(amounts).toEqual([50, 20, -55, 15, 40, -40, -10, 5]);
      });

      test.each([1, -1])('lets no edit of a limit leave +-(2^53 - 1) (%s)', async (sign) => {
        const cap = (amount: number): Bucket => ({
          ...money('cap'),
          ...{ priority: 0, limits: ['e164:1'], amount },
        });
        const [low, high] = sign === 1 ? [1, LIMIT] : [LIMIT, 1];
        const desk = await openDesk(store, { cap: 0 }, { buckets: [cap(low), money()] });
        const { account } = await store.load(desk.account);
        const far = [{ field: 'a:cap', delta: sign * (LIMIT - 1) }];
        expect(await store.commit(desk.book('k', { movements: far }))).toMatchObject({
          kind: 'committed',
        });
        const before = [await store.load(desk.account), await on.records(desk.account)];
        const next = { ...account!.definition, plan: 'other', buckets: [cap(high), money()] };
        await expect(store.changeAccount(next, 1)).rejects.toMatchObject({
          ...{ name: 'CounterOutOfRange', field: 'a:cap' },
        });
        expect([await store.load(desk.account), await on.records(desk.account)]).toEqual(before);
      });

      describe('books what is due before it', () => {
        const HOUR = 3_600_000;
        const anHourAgo = () => Math.floor(store.now()) - HOUR;
        const booked = async ({ account }: AccountRef) =>
          (await on.records({ tenant: 'north', account }))
            .filter(({ record }) => record.account.account === account && record.kind !== 'opening')
            .map(({ record: { kind, changes } }) => [
              kind,
              ...changes.map(({ bucket, cause, available }) => [bucket, cause, available]),
            ]);

        test('so nothing comes back into a bucket that is no longer over', async () => {
          const pass = { ...money('pass'), expiresAt: anHourAgo() };
          const before = definitionOf({ buckets: [pass, money()] });
          await store.createAccount(before, { pass: 700 });
          const { expiresAt: _, ...lasting } = pass;
          const next = { ...before, buckets: [lasting, money()] };
          expect(await store.changeAccount(next, 1)).toBe('changed');
          expect(await counters(before)).toMatchObject({ 'a:pass': 0, 'r:pass': 0 });
          expect(await store.changeAccount({ ...next, plan: 'other' }, 2)).toBe('changed');
          expect(await booked(before)).toEqual([['adjustment', ['pass', 'expiry', -700]]]);
        });

        test('so a bucket that is over may go with what was left', async () => {
          const before = definitionOf({
            buckets: [{ ...money('pass'), expiresAt: anHourAgo() }, money()],
          });
          await store.createAccount(before, { pass: 700, main: 5 });
          const next = { ...before, buckets: [money()] };
          expect(await store.changeAccount(next, 1)).toBe('changed');
          expect(await counters(before)).toEqual({ 'a:main': 5, 'r:main': 0, 'n:open': 0 });
          expect(await booked(before)).toEqual([['adjustment', ['pass', 'expiry', -700]]]);
        });

        test('so an edit of a renewal is for the period after those that are over', async () => {
          const from = anHourAgo() + 60_000;
          const renewal = (amount: number, rollover = 0) => ({
            ...{ every: 'hour' as const, from, timeZone: 'UTC' },
            ...{ amount, rollover },
          });
          const limits = ['e164:1'];
          const buckets = (gigabytes: number, rollover: number, cap: number): Bucket[] => [
            { ...money('cap'), priority: 0, limits, renewal: renewal(cap) },
            { ...money('data'), priority: 1, renewal: renewal(gigabytes, rollover) },
            money(),
          ];
          const desk = await openDesk(store, { data: 9, cap: 3 }, { buckets: buckets(5, 2, 4) });
          const { account } = await store.load(desk.account);
          const ends = account!.counters['p:data']!;
          const movements = ['p:data', 'p:cap'].map((field) => ({ field, delta: -HOUR }));
          await store.commit(desk.book('k', { movements }));
          const next = { ...account!.definition, buckets: buckets(50, 20, 10) };
          expect(await store.changeAccount(next, 1)).toBe('changed');
          expect(await counters(desk.account)).toMatchObject({
            ...{ 'a:data': 7, 'p:data': ends, 'a:cap': 10, 'p:cap': ends },
          });
          expect((await booked(desk.account)).slice(1)).toEqual([
            [
              'adjustment',
              ['cap', 'expiry', -3],
              ['cap', 'renewal', 4],
              ['data', 'expiry', -7],
              ['data', 'renewal', 5],
              ['cap', 'adjustment', 6],
            ],
          ]);
        });

        test('so a bucket stays that is empty until its next period brings something', async () => {
          const renewal = {
            ...{ every: 'hour' as const, from: 0, timeZone: 'UTC', amount: 5, rollover: 0 },
          };
          const buckets = [{ ...money('data'), renewal }, money()];
          const desk = await openDesk(store, { data: 0 }, { buckets });
          const { account } = await store.load(desk.account);
          const earlier = [{ field: 'p:data', delta: -HOUR }];
          await store.commit(desk.book('k', { movements: earlier }));
          const before = await store.load(desk.account);
          const next = { ...account!.definition, buckets: [money()] };
          expect(await store.changeAccount(next, 1)).toBe('conflict');
          expect(await store.load(desk.account)).toEqual(before);
        });
      });

      test('makes no other bucket of an id, also of one that is gone', async () => {
        const desk = await openDesk(store, { main: 100, day: 0 });
        const { definition } = (await store.load(desk.account)).account!;
        const day = { ...money('day'), priority: 0 };
        const cap = { ...money('cap'), priority: 0, limits: ['e164:1'], amount: 50 };
        const { limits: _, amount: __, ...spendable } = cap;
        let version = 1;
        const change = async (...buckets: Bucket[]) => {
          const reply = await store.changeAccount(
            { ...definition, buckets: [...buckets, money()] },
            version,
          );
          if (reply === 'changed') version += 1;
          return reply;
        };
        const taken = (bucket: string, kind: string) => ({ name: 'BucketIdTaken', bucket, kind });
        expect(await change(cap, day)).toBe('changed');
        const before = await store.load(desk.account);
        await expect(change(spendable, day)).rejects.toMatchObject(
          taken('cap', 'a limit of money'),
        );
        await expect(change(cap, { ...day, unit: 'units' })).rejects.toMatchObject(
          taken('day', 'money'),
        );
        await expect(change(cap, { ...day, limits: ['e164:1'] })).rejects.toMatchObject(
          taken('day', 'money'),
        );
        expect(await store.load(desk.account)).toEqual(before);
        expect(await change()).toBe('changed');
        await expect(change(spendable)).rejects.toMatchObject(taken('cap', 'a limit of money'));
        await expect(change({ ...day, unit: 'units' })).rejects.toMatchObject(
          taken('day', 'money'),
        );
        expect(await change(cap, day)).toBe('changed');
        expect(await change(day)).toBe('changed');
        await expect(change({ ...cap, unit: 'octets' })).rejects.toMatchObject(
          taken('cap', 'a limit of money'),
        );
        const created = definitionOf({ buckets: [cap, money()] });
        await store.createAccount(created, {});
        await expect(
          store.changeAccount({ ...created, buckets: [spendable, money()] }, 1),
        ).rejects.toMatchObject(taken('cap', 'a limit of money'));
        expect(await store.changeAccount({ ...created, buckets: [money()] }, 1)).toBe('changed');
        await expect(
          store.changeAccount({ ...created, buckets: [spendable, money()] }, 2),
        ).rejects.toMatchObject(taken('cap', 'a limit of money'));
      });

      test('keeps what ids stood for of the newest that are gone only', async () => {
        const created = definitionOf();
        await store.createAccount(created, {});
        const numbered = (unit: 'units' | 'octets', from: number, count: number): Bucket[] =>
          Array.from({ length: count }, (_, i) => ({ ...money(`${from + i}`), unit, priority: 0 }));
        let version = 1;
        const change = async (buckets: Bucket[]) =>
          store.changeAccount({ ...created, buckets: [...buckets, money()] }, version++);
        expect(await change(numbered('units', 0, MAX_GONE + 1))).toBe('changed');
        expect(await change([])).toBe('changed');
        expect(await change(numbered('octets', 0, 1))).toBe('changed');
        await expect(change(numbered('octets', 1, 1))).rejects.toMatchObject({ bucket: '1' });
      });

      describe('periods', () => {
        const DAY = 86_400_000;
        // It ended a minute ago, so none ends while the test runs.
        const daily = () => ({
          every: 'day' as const,
          from: Math.floor(store.now()) - 60_000,
          timeZone: 'UTC',
          amount: 5,
          rollover: 0,
        });

        test('are counters of the buckets that need one, as long as they need it', async () => {
          const renewal = daily();
          const ends = renewal.from + DAY;
          const [day, pass] = [
            { ...money('day'), renewal },
            { ...money('pass'), lastsMs: DAY },
          ];
          const before = definitionOf({ buckets: [day, pass, money()] });
          await store.createAccount(before, { day: 3 });
          const rest = { 'a:main': 0, 'r:main': 0, 'n:open': 0 };
          const buckets = { 'a:day': 3, 'r:day': 0, 'a:pass': 0, 'r:pass': 0 };
          expect(await counters(before)).toEqual({
            ...{ ...rest, ...buckets },
            ...{ 'p:day': ends, 'p:pass': 0 },
          });
          const renewed = [money('day'), { ...pass, renewal }, { ...money(), renewal }];
          expect(await store.changeAccount({ ...before, buckets: renewed }, 1)).toBe('changed');
          expect(await counters(before)).toEqual({
            ...{ ...rest, ...buckets },
            ...{ 'p:pass': ends, 'p:main': ends },
          });
          const fewer = { ...before, buckets: [money('day'), money()] };
          expect(await store.changeAccount(fewer, 2)).toBe('changed');
          expect(await counters(before)).toEqual({ ...rest, 'a:day': 3, 'r:day': 0 });
        });

        test('turn once, whoever saw that they were due, and outlast a change', async () => {
          const renewal = daily();
          const ends = renewal.from + DAY;
          const buckets = [{ ...money(), renewal }];
          const { account, book } = await openDesk(store, { main: 3 }, { buckets });
          const turn = (key: string) =>
            store.commit(
              book(key, {
                movements: [
                  { field: 'p:main', delta: DAY, max: ends, min: ends + DAY },
                  { field: 'a:main', delta: 2, max: 3, min: 5 },
                ],
              }),
            );
          expect(await turn('one')).toMatchObject({ kind: 'committed' });
          expect(await turn('two')).toMatchObject({
            kind: 'conflict',
            snapshot: { account: { counters: { 'a:main': 5, 'p:main': ends + DAY } } },
          });
          const { account: read } = await store.load(account);
          expect(read?.counters).toMatchObject({ 'a:main': 5, 'p:main': ends + DAY });
          const definition = { ...read!.definition, plan: 'other' };
          expect(await store.changeAccount(definition, 1)).toBe('changed');
          expect(await counters(account)).toMatchObject({ 'a:main': 5, 'p:main': ends + DAY });
          // Periods that end sooner take hold at once, and nothing is added for that.
          const hourly = { ...renewal, every: 'hour' as const };
          const sooner = { ...definition, buckets: [{ ...money(), renewal: hourly }] };
          expect(await store.changeAccount(sooner, 2)).toBe('changed');
          expect(await counters(account)).toMatchObject({
            'a:main': 5,
            'p:main': renewal.from + 3_600_000,
          });
        });
      });

      test('moves a subscriber, and may be repeated', async () => {
        const id = fresh('999');
        const subscriber = { kind: 'e164', id } as const;
        const from = definitionOf({ subscribers: [`e164:${id}`] });
        const to = definitionOf();
        await store.createAccount(from, {});
        await store.createAccount(to, {});
        for (let i = 0; i < 2; i++) await store.moveSubscriber('north', subscriber, to.account);
        expect(await store.accountOf('north', subscriber)).toBe(to.account);
        const [old, now] = [await store.load(from), await store.load(to)];
        expect(old.account).toMatchObject({ version: 2, definition: { subscribers: [] } });
        expect(now.account).toMatchObject({
          version: 2,
          definition: { subscribers: [`e164:${id}`] },
        });
        await expect(store.moveSubscriber('north', subscriber, 'nobody')).rejects.toThrow(
          RangeError,
        );
        expect(await store.accountOf('north', subscriber)).toBe(to.account);
      });

      test('has a subscriber on one account: others leave it out until it is moved', async () => {
        const id = fresh('999');
        const [subscriber, name] = [{ kind: 'e164', id } as const, `e164:${id}`];
        const [one, other] = [definitionOf({ subscribers: [name] }), definitionOf()];
        const created = { ...other, subscribers: [name] };
        await store.createAccount(one, {});
        expect(await store.createAccount(created, {})).toBe('created');
        expect(await store.changeAccount(created, 1)).toBe('changed');
        expect((await store.load(other)).account?.definition.subscribers).toEqual([]);
        expect(await store.holderOf('north', subscriber)).toBe(one.account);
        await store.moveSubscriber('north', subscriber, other.account);
        expect(await store.holderOf('north', subscriber)).toBe(other.account);
        expect((await store.load(one)).account?.definition.subscribers).toEqual([]);
        const version = (await store.load(other)).account!.version;
        expect(await store.changeAccount(other, version)).toBe('changed');
        expect(await store.holderOf('north', subscriber)).toBeUndefined();
        expect(await store.accountOf('north', subscriber)).toBeUndefined();
        expect(await store.changeAccount(created, version + 1)).toBe('changed');
        expect(await store.holderOf('north', subscriber)).toBe(other.account);
      });

      test('takes a subscriber from whoever has it, and may be repeated', async () => {
        const id = fresh('999');
        const [subscriber, name] = [{ kind: 'e164', id } as const, `e164:${id}`];
        const [from, to] = [definitionOf({ subscribers: [name] }), definitionOf()];
        for (const one of [from, to]) await store.createAccount(one, {});
        const stopped = async () => {
          throw new Error('stopped');
        };
        await expect(
          store.moveSubscriber('north', subscriber, to.account, stopped),
        ).rejects.toThrow('stopped');
        await expect(store.removeSubscriber('north', subscriber, stopped)).rejects.toThrow(
          'stopped',
        );
        const left: [string, boolean][] = [];
        const leaving = async (account: string, limited: boolean) => {
          left.push([account, limited]);
        };
        await store.removeSubscriber('north', subscriber, leaving);
        expect(left.at(-1)).toEqual([to.account, false]);
        expect(left.map(([account]) => account)).toContain(from.account);
        for (let i = 0; i < 2; i++) {
          expect(await store.accountOf('north', subscriber)).toBeUndefined();
          for (const one of [from, to])
            expect((await store.load(one)).account?.definition.subscribers).toEqual([]);
          await store.removeSubscriber('north', subscriber);
        }
      });

      test('a move is not done before what the subscriber leaves is done', async () => {
        const id = fresh('999');
        const [subscriber, name] = [{ kind: 'e164', id } as const, `e164:${id}`];
        const [from, to, other] = [
          definitionOf({ subscribers: [name] }),
          definitionOf(),
          definitionOf(),
        ];
        for (const one of [from, to, other]) await store.createAccount(one, {});
        const left: string[] = [];
        const move = ({ account }: AccountRef, stops: boolean) =>
          store.moveSubscriber('north', subscriber, account, async (leaves) => {
            left.push(leaves);
            if (stops) throw new Error('stopped');
          });
        const arriving = async () => (await store.keptOf(to))?.arriving;
        for (let i = 0; i < 2; i++) await expect(move(to, true)).rejects.toThrow('stopped');
        expect(await store.accountOf('north', subscriber)).toBe(to.account);
        expect(await arriving()).toEqual({ [name]: from.account });
        await move(to, false);
        expect(await arriving()).toEqual({});
        await move(to, false);
        expect(left.splice(0)).toEqual([from.account, from.account, from.account]);
        await expect(move(other, true)).rejects.toThrow('stopped');
        // Moved on, it has left both.
        await move(from, false);
        await expect(move(to, true)).rejects.toThrow('stopped');
        left.length = 0;
        await move(other, false);
        expect(left).toEqual([from.account, to.account]);
        expect((await store.load(to)).account?.definition.subscribers).toEqual([]);
        expect((await store.load(from)).account?.definition.subscribers).toEqual([]);
      });

      test('says what an account keeps beside its definition', async () => {
        const pass: Bucket = { ...money('pass'), unit: 'units' };
        const [before, next] = [definitionOf({ buckets: [pass, money()] }), definitionOf()];
        await store.createAccount(before, {});
        expect(await store.keptOf(before)).toEqual({ kinds: new Map(), arriving: {} });
        await store.changeAccount({ ...before, buckets: next.buckets }, 1);
        expect((await store.keptOf(before))?.kinds).toEqual(new Map([['pass', 'units']]));
        expect(await store.keptOf({ tenant: 'north', account: fresh('nobody') })).toBeUndefined();
      });

      test('lists the accounts of a tenant in pages', async () => {
        const tenant = fresh('tenant');
        const names = ['b', 'a', 'd', 'ä', 'c'];
        for (const account of names)
          await store.createAccount(definitionOf({ tenant, account }), {});
        await store.createAccount(definitionOf({ tenant: fresh('tenant') }), {});
        const first = await store.listAccounts(tenant, { limit: 3 });
        expect(first.accounts.map(({ definition }) => definition.account)).toEqual(['a', 'b', 'c']);
        const second = await store.listAccounts(tenant, { limit: 3, after: first.next! });
        expect(second.accounts.map(({ definition }) => definition.account)).toEqual(['d', 'ä']);
        expect(second.next).toBeUndefined();
      });

      test('lists the accounts of one partition, all of which together are all', async () => {
        const tenant = fresh('tenant');
        const names = Array.from({ length: 20 }, (_, i) => `account-${i}`).sort();
        for (const account of names)
          await store.createAccount(definitionOf({ tenant, account }), {});
        const found: string[] = [];
        for (let partition = 0; partition < store.partitions; partition++) {
          const of: string[] = [];
          let after: string | undefined;
          do {
            const more = after === undefined ? {} : { after };
            const page = await store.listAccounts(tenant, { limit: 2, partition, ...more });
            of.push(...page.accounts.map(({ definition }) => definition.account));
            after = page.next;
          } while (after !== undefined);
          expect(of).toEqual([...of].sort());
          for (const account of of) expect(store.partitionOf({ tenant, account })).toBe(partition);
          found.push(...of);
        }
        expect(found.sort()).toEqual(names);
      });
    });

    describe('the configuration', () => {
      const versionNow = async () => (await store.readConfiguration())?.version ?? 0;
      const write = (expected: number, document: string, plans: readonly PlanText[] = []) =>
        store.writeConfiguration({ expected, document, plans });

      test('is replaced by whoever made the change from what is there', async () => {
        const at = await versionNow();
        const document = fresh('a document: ä, "quoted"\n');
        expect(await write(at, document)).toBe('written');
        const stored = await store.readConfiguration();
        expect(stored).toEqual({ version: at + 1, stamp: expect.any(String), document });
        expect(await store.configurationStamp()).toBe(stored?.stamp);
        for (const expected of [at, at + 2])
          expect(await write(expected, 'another')).toBe('conflict');
        expect(await store.readConfiguration()).toEqual(stored);
        expect(await write(at + 1, 'the next')).toBe('written');
        expect(await store.configurationStamp()).not.toBe(stored?.stamp);
      });

      test('of several changes at once one is made', async () => {
        const at = await versionNow();
        const changes = ['one', 'two', 'three'].map((document) => write(at, document));
        expect((await Promise.all(changes)).sort()).toEqual(['conflict', 'conflict', 'written']);
        expect(await versionNow()).toBe(at + 1);
      });

      test('keeps the last versions of each plan', async () => {
        const [tenant, plan, other] = [fresh('t'), fresh('p'), fresh('p')];
        for (let version = 1; version <= KEPT_PLAN_VERSIONS + 2; version++) {
          const plans = [{ tenant, plan, version, text: `v${version}` }];
          if (version === 1) plans.push({ tenant, plan: other, version: 7, text: 'other' });
          await write(await versionNow(), 'document', plans);
        }
        const kept = await store.planVersions(tenant, plan);
        expect(kept).toEqual(Array.from({ length: KEPT_PLAN_VERSIONS }, (_, i) => i + 3));
        expect(await store.planText(tenant, plan, 2)).toBeUndefined();
        expect(await store.planText(tenant, plan, 3)).toBe('v3');
        expect(await store.planVersions(tenant, other)).toEqual([7]);
        expect(await store.planText(tenant, other, 7)).toBe('other');
        expect(await store.planVersions(fresh('t'), plan)).toEqual([]);
      });

      test('has a bound', async () => {
        const at = await versionNow();
        const document = 'x'.repeat(MAX_CONFIGURATION_BYTES + 1);
        await expect(write(at, document)).rejects.toThrow(RangeError);
        expect(await versionNow()).toBe(at);
      });

      test('has the file that was applied last beside it, which is no change of it', async () => {
        const stamp = await store.configurationStamp();
        const file = fresh('file');
        await store.rememberFile(file);
        expect(await store.rememberedFile()).toBe(file);
        expect(await store.configurationStamp()).toBe(stamp);
      });

      test('has the address of the listener beside it, which is no change of it', async () => {
        const stamp = await store.configurationStamp();
        await store.rememberListener('0.0.0.0');
        expect(await store.rememberedListener()).toBe('0.0.0.0');
        await store.rememberListener('127.0.0.1');
        expect(await store.rememberedListener()).toBe('127.0.0.1');
        expect(await store.configurationStamp()).toBe(stamp);
      });
    });

    test('workers are announced for as long as their lease', async () => {
      const [one, two] = [fresh('w'), fresh('w')];
      await store.announce(one, 30);
      const end = store.now() + 60;
      expect(await store.announce(two, 60_000)).toEqual([one, two].sort());
      await on.pass(end);
      expect(await store.announce(two, 60_000)).toEqual([two]);
      expect(await store.announce(two, 0)).toEqual([]);
    });

    test('peers are held for as long as the leases of those who hold them', async () => {
      const [one, two, peer] = [fresh('w'), fresh('w'), fresh('peer')];
      expect(await store.holdersOf(peer)).toEqual([]);
      await store.holdPeer(peer, two, 60_000);
      await store.holdPeer(peer, one, 30);
      const end = store.now() + 60;
      expect(await store.holdersOf(peer)).toEqual([one, two].sort());
      await on.pass(end);
      expect(await store.holdersOf(peer)).toEqual([two]);
      await store.holdPeer(peer, two, 0);
      expect(await store.holdersOf(peer)).toEqual([]);
      await store.holdPeer(peer, two, 0);
    });

    test('an inbox gives its messages in order, each once, and takes no more than it may', async () => {
      const worker = fresh('w');
      expect(await store.take(worker, 5)).toEqual([]);
      for (let i = 0; i < 1_000; i++) expect(await store.post(worker, `m${i}`)).toBe('posted');
      expect(await store.post(worker, 'too much')).toBe('full');
      expect(await store.take(worker, 2)).toEqual(['m0', 'm1']);
      expect(await store.post(worker, 'last')).toBe('posted');
      expect(await store.take(worker, 997)).toHaveLength(997);
      expect(await store.take(worker, 100)).toEqual(['m999', 'last']);
      expect(await store.take(worker, 100)).toEqual([]);
      expect(await store.take(fresh('w'), 100)).toEqual([]);
    });

    test("an account's open sessions are given page by page, those that ended are not", async () => {
      const { account, change } = await openDesk(store);
      const stranger = await openDesk(store);
      await store.commit(stranger.change('x', 0));
      for (let i = 0; i < 25; i++) await store.commit(change(`s${i}`, 0));
      const found = new Set<string>();
      for (let after: string | undefined, i = 0; i === 0 || after !== undefined; i++) {
        const page = await store.sessionsOf(account, { limit: 10, ...(after && { after }) });
        for (const { session } of page.sessions) found.add(session.sessionId);
        after = page.next;
      }
      expect([...found].sort()).toEqual(Array.from({ length: 25 }, (_, i) => `s${i}`).sort());
      const close = { index: 'close', timer: 'remove', ttlMs: 60_000 } as const;
      await store.commit(change('s7', 1, { session: close }));
      const { sessions } = await store.sessionsOf(account, { limit: 1_000 });
      expect(sessions.map(({ session }) => session.sessionId)).not.toContain('s7');
      expect(sessions).toHaveLength(24);
      expect(await store.sessionsOf({ ...account, account: fresh('none') }, { limit: 5 })).toEqual({
        sessions: [],
      });
    });

    test('says that it is ready', async () => {
      expect(await store.ready()).toBeUndefined();
    });
  });
}
