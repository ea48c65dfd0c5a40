/** One-time events on a real Redis: copies and rivals at the same time, on workers of their own. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { EventRequest } from '../../src/charging/event.ts';
import { startTemporary } from '../../src/embedded/redis.ts';
import { Charging } from '../../src/engine/charge.ts';
import { Knowledge } from '../../src/engine/knowledge.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { eventOf, sms, units } from '../charging/events.ts';
import { asks, main, planOf } from '../charging/till.ts';
import { recordsOf, silent } from '../store/redis-rig.ts';
import { eventIncomingOf, settings } from './rig.ts';

const WORKERS = 3;
const account = { tenant: 'blue', account: 'anna' };
const plan = planOf([sms]);

let redis: Awaited<ReturnType<typeof startTemporary>>;
const stores: RedisStore[] = [];
const workers: Charging[] = [];

/** A worker with a connection and hints of its own. */
async function worker(): Promise<Charging> {
  const store = await openRedisStore({
    ...{ url: redis.url, partitions: 4, durability: 'memory', log: silent },
  });
  stores.push(store);
  const ignore = () => undefined;
  return new Charging({
    ...{ store, settings, pause, clock: () => performance.now() },
    knowledge: new Knowledge({ sessions: 100, accounts: 100 }),
    events: { alarm: ignore, conflict: ignore, trips: ignore },
  });
}

beforeAll(async () => {
  redis = await startTemporary();
  for (let i = 0; i < WORKERS; i++) workers.push(await worker());
  const definition = {
    ...{ ...account, plan: 'p', status: 'active' as const, buckets: [main], maxSessions: 10 },
    subscribers: ['e164:49170'],
  };
  await stores[0]!.createAccount(definition, { main: 100_000 });
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await redis.stop();
});

async function ask(charging: Charging, request: EventRequest): Promise<Answer> {
  const charged = await charging.charge(
    eventIncomingOf(request, { plans: { planOf: () => plan } }),
    performance.now() + 20_000,
  );
  if (charged.kind === 'busy') throw new Error('busy');
  return charged.answer;
}

async function balance(): Promise<number> {
  const { account: found } = await stores[0]!.load(account);
  return found?.counters['a:main'] ?? Number.NaN;
}

describe('at the same time on every worker', () => {
  test('copies of a debit are one debit with one answer', async () => {
    const before = await balance();
    const events = Array.from({ length: 100 }, (_, i) =>
      eventOf('debit', [units(1 + (i % 3))], { sessionId: `copies-${i}` }),
    );
    const answers = await Promise.all(
      events.map((event) => Promise.all(workers.map((one) => ask(one, event)))),
    );
    let cost = 0;
    for (const [first, ...others] of answers) {
      cost += first?.cost ?? Number.NaN;
      expect(first).toMatchObject({ outcome: 'success' });
      for (const other of others) expect(other).toEqual(first);
    }
    expect(await balance()).toBe(before - cost);
    expect(await ask(await worker(), events[0]!)).toEqual(answers[0]?.[0]);
  });

  test('of all who ask for one debit back one gets it', async () => {
    const before = await balance();
    for (let i = 0; i < 30; i++) {
      const debit = eventOf('debit', [units(2)], { sessionId: `debit-${i}` });
      const { refundInformation } = await ask(workers[0]!, debit);
      if (refundInformation === undefined) throw new Error('nothing proves the debit');
      const refunds = workers.map((_, n) =>
        eventOf('refund', [asks({})], { sessionId: `refund-${i}-${n}`, refundInformation }),
      );
      const given = await Promise.all(refunds.map((refund, n) => ask(workers[n]!, refund)));
      expect(given.map(({ outcome }) => outcome).sort()).toEqual([
        ...['service-denied', 'service-denied', 'success'],
      ]);
    }
    expect(await balance()).toBe(before);
  });

  test('no more is debited than there is', async () => {
    const left = Math.floor((await balance()) / 10);
    const whole = eventOf('debit', [units(left - 10)], { sessionId: 'all-but-ten' });
    await ask(workers[0]!, whole);
    const events = Array.from({ length: 30 }, (_, i) =>
      eventOf('debit', [units(1)], { sessionId: `last-${i}`, level: 'command' }),
    );
    const answers = await Promise.all(events.map((event, i) => ask(workers[i % 3]!, event)));
    const paid = answers.filter(({ outcome }) => outcome === 'success').length;
    expect(paid).toBe(10);
    expect(await balance()).toBeLessThan(10);
  });
});

test('in the end the records are the balance', async () => {
  const records = await recordsOf(stores[0]!, account);
  const sum = records
    .flatMap(({ record }) => record.changes)
    .reduce((all, { available }) => all + available, 0);
  expect(sum).toBe(await balance());
});
