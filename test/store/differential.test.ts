/** Random commands give the same replies and leave the same on both stores. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { Movement } from '../../src/charging/draft.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import type { Commit, Store } from '../../src/store/store.ts';
import { recordsOf, silent } from './redis-rig.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { definitionOf, fresh, money, recordOf, sessionOf } from './samples.ts';

const LIMIT = Number.MAX_SAFE_INTEGER;
const PARTITIONS = 2;
let redis: TestRedis;
let real: RedisStore;
let model: MemoryStore;

beforeAll(async () => {
  redis = await startRedis();
  const { socketPath } = redis;
  const options = { socketPath, partitions: PARTITIONS, durability: 'memory' } as const;
  real = await openRedisStore({ ...options, timeoutMs: 10_000, log: silent });
  model = new MemoryStore({ partitions: PARTITIONS, clock: () => real.now() });
});

afterAll(async () => {
  await real.close();
  await redis.stop();
});

/** What a command works on: names that only this run uses, so that runs do not meet. */
interface World {
  tenant: string;
  accounts: readonly string[];
  subscribers: readonly string[];
  keys: readonly string[];
}

type Run = (store: Store, world: World) => Promise<unknown>;
interface Command {
  toString(): string;
  run: Run;
}

const said = (name: string, args: unknown, run: Run): Command => ({
  run,
  toString: () => `${name} ${JSON.stringify(args)}`,
});

const nth = fc.nat({ max: 2 });
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -150, max: 150 }) },
  { weight: 1, arbitrary: fc.constantFrom(LIMIT, -LIMIT, 1e14, LIMIT - 1) },
);
const movement: fc.Arbitrary<Movement> = fc
  .record({
    field: fc.constantFrom('a:main', 'r:main', 'a:day', 'r:day', 'p:day', 'n:open', 'a:gone'),
    delta: amount,
    min: fc.option(fc.constantFrom(0, -50, 10), { nil: undefined }),
    max: fc.option(fc.constantFrom(0, 200, 1_000), { nil: undefined }),
  })
  .map(({ field, delta, min, max }) => ({
    field,
    delta,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }));
const movements = fc.uniqueArray(movement, { selector: ({ field }) => field, maxLength: 4 });

/** A bucket that is in a period, or is given one by its first use, or has none. */
const shape = fc.constantFrom<Partial<Bucket>>(
  {},
  {},
  { lastsMs: 86_400_000 },
  { renewal: { every: 'month', from: 0, timeZone: 'UTC', amount: 5, rollover: 0 } },
  { renewal: { every: 'week', from: 0, timeZone: 'Europe/Berlin', amount: 5, rollover: 9 } },
);

/** What a decision was made on, as offsets from what is stored, so that both outcomes are met. */
const seen = fc.record({
  account: fc.constantFrom(0, 0, 0, 1, 2),
  version: fc.constantFrom(0, 0, 0, 1),
  epoch: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, -1),
  late: fc.constantFrom(undefined, undefined, -1_000, 60_000),
  subscriber: fc.option(nth, { nil: undefined }),
  movements,
});
type Seen = typeof seen extends fc.Arbitrary<infer Value> ? Value : never;

async function based(store: Store, world: World, on: Seen, key?: string) {
  const account = { tenant: world.tenant, account: world.accounts[on.account]! };
  const { epoch, account: stored, session } = await store.load(account, key);
  const base = {
    account,
    epoch: epoch + on.epoch,
    accountVersion: (stored?.version ?? 1) + on.version,
    movements: on.movements,
    record: recordOf(account, { requestNumber: on.account }),
    ...(on.late === undefined ? {} : { notAfter: store.now() + on.late }),
    ...(on.subscriber === undefined
      ? {}
      : { subscriber: { kind: 'e164', id: world.subscribers[on.subscriber]! } as const }),
  } satisfies Omit<Commit, 'session'>;
  return { base, account, version: session?.version ?? 0 };
}

/** Commits of sessions, and of events and bookings, are the most frequent. */
const WEIGHTS = [12, 6];

const commands: fc.Arbitrary<Command>[] = [
  fc
    .record({
      ...{ on: seen, key: nth, ahead: fc.constantFrom(0, 0, 0, 1, -1) },
      index: fc.constantFrom('open', 'keep', 'close'),
      timer: fc.constantFrom('keep', 'remove', 5, 8_000_000_000_000),
      life: fc.constantFrom('open', 'ttl', 'keep'),
    })
    .map((args) =>
      said('commit', args, async (store, world) => {
        const key = world.keys[args.key]!;
        const { base, account, version } = await based(store, world, args.on, key);
        return store.commit({
          ...base,
          session: {
            key,
            expected: Math.max(0, version + args.ahead),
            value: sessionOf(account, { sessionId: key, openedAt: 100 + args.key }),
            index: args.index as 'open',
            timer: args.timer as number,
            ...(args.life === 'ttl' ? { ttlMs: 600_000 } : {}),
            ...(args.life === 'keep' ? { keepTtl: true } : {}),
          },
        });
      }),
    ),
  fc.record({ on: seen, key: nth, event: fc.boolean(), spends: nth }).map((args) =>
    said('once', args, async (store, world) => {
      const { base } = await based(store, world, args.on);
      const value = Uint8Array.of(args.key, 0, 255);
      const once = { key: world.keys[args.key]!, ttlMs: 600_000 };
      return store.commit(
        args.event
          ? { ...base, event: { ...once, answer: value, spends: `spent ${args.spends}` } }
          : { ...base, idempotency: { ...once, outcome: value } },
      );
    }),
  ),
  fc
    .record({ account: nth, subscribers: fc.subarray([0, 1, 2]), main: amount, shape })
    .map((args) =>
      said('create', args, (store, { tenant, accounts, subscribers }) =>
        store.createAccount(
          definitionOf({
            tenant,
            account: accounts[args.account]!,
            buckets: [money(), { ...money('day'), ...args.shape }],
            subscribers: args.subscribers.map((i) => `e164:${subscribers[i]}`),
          }),
          { main: args.main, day: 1_000 },
        ),
      ),
    ),
  fc
    .record({
      ...{ account: nth, subscribers: fc.subarray([0, 1, 2]), stale: fc.boolean() },
      buckets: fc.subarray(['main', 'day', 'new'], { minLength: 1 }),
      shape,
    })
    .map((args) =>
      said('change', args, async (store, { tenant, accounts, subscribers }) => {
        const account = accounts[args.account]!;
        const version = (await store.load({ tenant, account })).account?.version ?? 1;
        return store.changeAccount(
          definitionOf({
            ...{ tenant, account },
            buckets: args.buckets.map((id) => ({ ...money(id), ...args.shape })),
            subscribers: args.subscribers.map((i) => `e164:${subscribers[i]}`),
          }),
          version - Number(args.stale),
        );
      }),
    ),
  fc
    .record({ subscriber: nth, to: nth })
    .map((args) =>
      said('moveSubscriber', args, (store, { tenant, accounts, subscribers }) =>
        store.moveSubscriber(
          tenant,
          { kind: 'e164', id: subscribers[args.subscriber]! },
          accounts[args.to]!,
        ),
      ),
    ),
  fc
    .record({ key: nth, account: nth })
    .map((args) =>
      said('bind', args, (store, { tenant, accounts, keys }) =>
        store.bind(keys[args.key]!, { tenant, account: accounts[args.account]! }, 600_000),
      ),
    ),
  fc
    .record({ key: nth, account: nth })
    .map((args) =>
      said('keepBinding', args, (store, { tenant, accounts, keys }) =>
        store.keepBinding(keys[args.key]!, { tenant, account: accounts[args.account]! }, 600_000),
      ),
    ),
  fc.record({ key: nth, from: nth, to: nth }).map((args) =>
    said('moveBinding', args, (store, { tenant, accounts, keys }) => {
      const account = (n: number) => ({ tenant, account: accounts[n]! });
      return store.moveBinding(keys[args.key]!, account(args.from), account(args.to), 600_000);
    }),
  ),
  fc.record({ partition: fc.nat({ max: PARTITIONS - 1 }), limit: nth }).map((args) =>
    said('claimDue', args, async (store) => {
      const { due } = await store.claimDue(args.partition, {
        limit: args.limit + 1,
        leaseMs: 600_000,
      });
      return due;
    }),
  ),
  fc.record({ account: nth, key: nth, version: nth }).map((args) =>
    said('rearm', args, async (store, { tenant, accounts, keys }) => {
      const account = { tenant, account: accounts[args.account]! };
      const { session } = await store.load(account, keys[args.key]!);
      const partition = store.partitionOf(account);
      const { due } = await store.claimDue(partition, { limit: 1, leaseMs: 600_000 });
      for (const { member } of due) {
        await store.rearm(account, member, (session?.version ?? 0) + args.version - 1, 7);
        await store.dropTimer(partition, member);
      }
      return due;
    }),
  ),
];

/** Record ids and epochs are each store's own: they are compared by their order. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null, (name, part: unknown) => {
      if (name === 'epoch') return 'epoch';
      if ((name === 'recordId' || name === 'lastRecord') && part !== '0-0') return 'record';
      if (name === 'changedAt' || name === 'superviseAt' || name === 'armedAt') return 'time';
      if (name === 'openedAt') return Number(part) < 1_000 ? part : 'time';
      return part;
    }),
  );
}

async function reply(store: Store, command: Command, world: World): Promise<unknown> {
  try {
    return comparable(await command.run(store, world));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

async function left(store: Store, world: World): Promise<unknown> {
  const { tenant, accounts, subscribers, keys } = world;
  const snapshots = accounts.flatMap((account) =>
    keys.map((key) => store.load({ tenant, account }, key)),
  );
  return comparable({
    snapshots: await Promise.all(snapshots),
    pointers: await Promise.all(
      subscribers.map((id) => store.accountOf(tenant, { kind: 'e164', id })),
    ),
    bindings: await Promise.all(keys.map((key) => store.bindingOf(key))),
    accounts: await store.listAccounts(tenant, { limit: 2 }),
    sessions: await store.listSessions(tenant, { limit: 4 }),
  });
}

async function records(world: World): Promise<[unknown, unknown]> {
  const mine: unknown[] = [];
  const theirs: unknown[] = [];
  for (const account of world.accounts) {
    const ref = { tenant: world.tenant, account };
    const { outbox } = model.partition(model.partitionOf(ref));
    const of = (all: { record: ReturnType<typeof decodeRecord> }[]): unknown[] =>
      all
        .map(({ record }) => record)
        .filter(
          ({ account: { tenant, account: name } }) => tenant === ref.tenant && name === account,
        )
        .map((record) => ({ ...record, at: 0 }));
    mine.push(of(outbox.map(({ bytes }) => ({ record: decodeRecord(bytes) }))));
    theirs.push(of(await recordsOf(real, ref)));
  }
  return [mine, theirs];
}

test('memory and Redis answer alike and keep alike', { timeout: 60_000 }, async () => {
  const kinds = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(...commands.map((arbitrary, i) => ({ weight: WEIGHTS[i] ?? 1, arbitrary }))),
        {
          minLength: 20,
          maxLength: 40,
        },
      ),
      async (sequence) => {
        const world: World = {
          tenant: fresh('tenant'),
          accounts: [fresh('a'), fresh('a'), fresh('a')],
          subscribers: [fresh('1'), fresh('1'), fresh('1')],
          keys: [fresh('k'), fresh('k'), fresh('k')],
        };
        for (const store of [real, model])
          await store.createAccount(
            definitionOf({
              ...{ tenant: world.tenant, account: world.accounts[0]! },
              buckets: [money(), { ...money('day'), lastsMs: 86_400_000 }],
              subscribers: world.subscribers.map((id) => `e164:${id}`),
            }),
            { main: 100, day: 1_000 },
          );
        for (const command of sequence) {
          const [theirs, mine] = [
            await reply(real, command, world),
            await reply(model, command, world),
          ];
          expect(theirs, String(command)).toEqual(mine);
          if (typeof theirs === 'object' && theirs !== null && 'kind' in theirs)
            kinds.add(theirs.kind);
        }
        expect(await left(real, world)).toEqual(await left(model, world));
        const [mine, theirs] = await records(world);
        expect(theirs).toEqual(mine);
      },
    ),
    { numRuns: 120 },
  );
  const all = ['committed', 'conflict', 'duplicate', 'insufficient', 'late', 'moved'];
  expect([...kinds].sort()).toEqual([...all, 'stale-epoch']);
});
