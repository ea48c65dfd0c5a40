/**
 * Requests to clients, from whichever worker they come due on to the one that has the connection:
 * workers around one store whose messages, answers and lives get lost.
 */
import { describe, expect, test } from 'vitest';
import type { Wanted } from '../../src/charging/pending.ts';
import { askClient, askClientsOf } from '../../src/engine/reauthorise.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import type { Store } from '../../src/store/store.ts';
import { asks, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { askedText } from './clients.ts';
import { ANSWER_MS, anna, charge, DEADLINE_MS, Rig, settings, type Worker } from './rig.ts';

const GW = 'gw.example';
const RELAY = 'relay.example';

interface Site {
  rig: Rig;
  /** Holds the client's connection. */
  holder: Worker;
  /** Has none. */
  other: Worker;
}

/** An open session of a client that is connected to the first of two workers. */
async function site({ via, plan }: { via?: string; plan?: ReturnType<typeof planOf> } = {}) {
  const rig = new Rig(plan);
  await rig.anna();
  const [holder, other] = [rig.worker(), rig.worker()];
  await rig.clients.connect(holder.name, via ?? GW, holder.held);
  const part = { subscriber: anna, ...(via === undefined ? {} : { via }) };
  await charge(rig, holder, requestOf('initial', 0, [asks({ asked: {} })], part));
  return { rig, holder, other } satisfies Site;
}

const wish = (part: Partial<Wanted> = {}): Wanted => ({
  ...{ kind: 'reauthorise', scope: {}, reason: 'operator' },
  ...part,
});

function want(rig: Rig, wanted: Wanted = wish(), store: Store = rig.store) {
  return askClient({ store, settings, clock: () => rig.now }, 's', {
    ...{ wanted, mayServe: () => true, deadline: rig.now + DEADLINE_MS },
  });
}

/** What happens by itself: due timers on one worker, then errands and answers on all given. */
async function pass(worker: Worker, ...others: Worker[]): Promise<void> {
  await worker.timers.pass();
  for (const one of [worker, ...others]) await one.initiator.passInbox();
  for (const one of [worker, ...others]) await one.initiator.settled();
}

const session = async (rig: Rig) =>
  (await rig.store.load({ tenant: 'blue', account: 'anna' }, 's')).session?.session;
const pending = async (rig: Rig) => (await session(rig))?.pending;
const texts = (rig: Rig) => rig.clients.asked.map(askedText);
const outcomes = (rig: Rig) =>
  rig
    .records()
    .filter(({ kind }) => kind === 'reauthorisation' || kind === 'abort-request')
    .map(({ outcome }) => outcome);

describe('a RAR', () => {
  test('C-200 says whom it is for, and of what', async () => {
    const { rig, holder } = await site();
    await want(rig, wish({ scope: { ratingGroup: 1, serviceId: 7 } }));
    await pass(holder);
    const [asked] = rig.clients.asked;
    expect(asked?.message).toEqual({
      'Session-Id': 's',
      'Origin-Host': 'w1.ocs.example',
      'Origin-Realm': 'ocs.example',
      'Origin-State-Id': 7,
      'Destination-Host': GW,
      'Destination-Realm': 'example',
      'Auth-Application-Id': 4,
      'Re-Auth-Request-Type': 0,
      'Rating-Group': 1,
      'Service-Identifier': 7,
    });
    expect(asked?.retransmitted).toBe(false);
    expect(outcomes(rig)).toEqual(['asked', 'sent', 'acknowledged']);
    checkBooks(rig);
  });

  test('C-205 goes from the worker whose timer it is to the one that has the connection', async () => {
    const { rig, holder, other } = await site();
    await want(rig);
    await pass(other, holder);
    expect(rig.clients.asked).toMatchObject([{ command: 'RAR', worker: holder.name }]);
    expect(await pending(rig)).toMatchObject({ acknowledged: true, attempts: 1 });
  });

  test('C-204 without an answer is sent again with T, on the same connection and then another', async () => {
    const { rig, holder, other } = await site();
    await rig.clients.connect(other.name, GW, other.held);
    rig.clients.behaviour = 'silent';
    await want(rig);
    const times: number[] = [];
    for (let i = 0; i < 8; i++) {
      const before = rig.clients.asked.length;
      await pass(holder, other);
      if (rig.clients.asked.length > before) times.push(rig.now);
      rig.now += 2 ** i * 2 * ANSWER_MS;
      await holder.held.renew();
      await other.held.renew();
    }
    expect(
      rig.clients.asked.map(({ worker, retransmitted: t }) => `${worker}${t ? ' T' : ''}`),
    ).toEqual([
      holder.name,
      `${holder.name} T`,
      `${other.name} T`,
      `${other.name} T`,
      `${holder.name} T`,
    ]);
    expect(new Set(rig.clients.asked.map(({ endToEnd }) => endToEnd)).size).toBe(1);
    const pauses = times.slice(1).map((at, i) => at - times[i]!);
    expect(pauses.every((pause, i) => i === 0 || pause > pauses[i - 1]!)).toBe(true);
    expect(rig.alarms).toEqual(['client-silent']);
    expect(outcomes(rig).at(-1)).toBe('given-up');
    expect((await session(rig))?.state).toBe('open');
    checkBooks(rig);
  });

  test('the holder is gone with what it was given: its successor asks again with T', async () => {
    const { rig, holder, other } = await site();
    await want(rig);
    await other.timers.pass();
    // The errand lies in the inbox of a worker that is no more; the client connects elsewhere.
    rig.clients.lose(holder.name);
    const heir = rig.worker();
    await rig.clients.connect(heir.name, GW, heir.held);
    rig.now += 10_000;
    await heir.held.renew();
    await pass(other, heir);
    expect(rig.clients.asked).toMatchObject([{ worker: heir.name, retransmitted: true }]);
    expect(await pending(rig)).toMatchObject({ acknowledged: true });
  });

  test('a worker that starts again under its name does not send what is out of date', async () => {
    const { rig, holder, other } = await site();
    await want(rig);
    await other.timers.pass();
    rig.now += 2 * ANSWER_MS;
    await holder.initiator.passInbox();
    await holder.initiator.settled();
    expect(rig.clients.asked).toEqual([]);
    await pass(other, holder);
    expect(texts(rig)).toEqual(['RAR s T']);
  });

  test('an answer that cannot be stored is a lost one', async () => {
    const rig = new Rig();
    await rig.anna();
    let away = false;
    const store = withFaults(rig.store, () => (away ? 'refuse' : 'none'));
    const holder = rig.worker(store);
    await rig.clients.connect(holder.name, GW, holder.held);
    const first = requestOf('initial', 0, [asks({ asked: {} })], { subscriber: anna });
    await charge(rig, holder, first);
    rig.clients.behaviour = async () => {
      away = true;
      return 2002;
    };
    await want(rig);
    await pass(holder);
    expect(await pending(rig)).toMatchObject({ acknowledged: false, attempts: 1 });
    away = false;
    rig.clients.behaviour = 2002;
    rig.now += 2 * ANSWER_MS;
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR s', 'RAR s T']);
    expect(await pending(rig)).toMatchObject({ acknowledged: true });
  });

  test('B-130 to a client behind an agent takes the agent that its requests come through', async () => {
    const { rig, holder, other } = await site({ via: RELAY });
    await want(rig);
    await pass(other, holder);
    expect(rig.clients.asked).toMatchObject([{ worker: holder.name }]);
    expect(rig.clients.asked[0]?.message['Destination-Host']).toBe(GW);
    const update = requestOf('update', 1, [asks({ used: { octets: 1 }, asked: {} })]);
    await charge(rig, holder, update);
    expect(await session(rig)).not.toHaveProperty('via');
  });

  test('3xxx takes another way next time', async () => {
    const { rig, holder, other } = await site();
    await rig.clients.connect(other.name, GW, other.held);
    rig.clients.behaviour = async ({ worker }) => (worker === holder.name ? 3002 : 2002);
    await want(rig);
    await pass(holder, other);
    rig.now += 2 * ANSWER_MS;
    await pass(holder, other);
    expect(rig.clients.asked.map(({ worker }) => worker)).toEqual([holder.name, other.name]);
    expect(await pending(rig)).toMatchObject({ acknowledged: true, deadEnds: 1 });
  });

  test('C-204 5002: the session is ended, its reservation released, its binding kept', async () => {
    const { rig, holder } = await site();
    rig.clients.behaviour = 5002;
    await want(rig);
    await pass(holder);
    expect((await session(rig))?.state).toBe('abandoned');
    expect(await rig.balance()).toEqual([1000, 0]);
    expect(await rig.store.bindingOf('s')).toBeDefined();
    checkBooks(rig);
  });

  test('with no connection to the client anywhere is not sent, and given up', async () => {
    const { rig, holder, other } = await site();
    rig.clients.lose(holder.name);
    await holder.held.leave();
    await want(rig);
    for (let i = 0; i < 8; i++) {
      await pass(other, holder);
      rig.now += 2 ** i * 2 * ANSWER_MS;
    }
    expect(rig.clients.asked).toEqual([]);
    expect(new Set(outcomes(rig))).toEqual(new Set(['asked', 'unreachable', 'given-up']));
  });
});

describe('never two at once', () => {
  test('two wishes become one request', async () => {
    const { rig, holder, other } = await site();
    expect(await want(rig, wish({ scope: { ratingGroup: 1 } }))).toBe('asked');
    expect(await want(rig, wish({ scope: { ratingGroup: 1 } }))).toBe('pending');
    expect(await want(rig, wish({ scope: { ratingGroup: 2 }, reason: 'plan' }))).toBe('asked');
    await pass(holder, other);
    await pass(other, holder);
    expect(texts(rig)).toEqual(['RAR s']);
  });

  test('two wishes at the same moment, too, from different processes', async () => {
    const { rig, holder } = await site();
    const both = await Promise.all([want(rig), want(rig)]);
    expect(both.sort()).toEqual(['asked', 'pending']);
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR s']);
  });

  test('two workers that are woken for the same attempt make one of it', async () => {
    const { rig, holder, other } = await site();
    await want(rig);
    const { due } = await rig.store.claimDue(
      rig.store.partitionOf({ tenant: 'blue', account: 'anna' }),
      {
        ...{ limit: 1, leaseMs: 0 },
      },
    );
    expect(due).toHaveLength(1);
    await Promise.all([holder.timers.pass(), other.timers.pass()]);
    for (const one of [holder, other]) await one.initiator.passInbox();
    await Promise.all([holder.initiator.settled(), other.initiator.settled()]);
    expect(texts(rig)).toEqual(['RAR s']);
  });

  test('a wider wish while the client is being asked waits for its turn', async () => {
    const { rig, holder } = await site();
    rig.clients.behaviour = async () => {
      rig.clients.behaviour = 2002;
      await want(rig);
      return 2002;
    };
    await want(rig, wish({ scope: { ratingGroup: 1 } }));
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR s rg=1']);
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR s rg=1']);
    rig.now += 2 * ANSWER_MS;
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR s rg=1', 'RAR s']);
  });
});

describe('C-202 a CCR that crosses', () => {
  const update = requestOf('update', 1, [asks({ used: { octets: 10 }, asked: {} })]);

  test('before the RAR is sent: there is none', async () => {
    const { rig, holder } = await site();
    await want(rig);
    await charge(rig, holder, update);
    await pass(holder);
    expect(rig.clients.asked).toEqual([]);
    expect(await session(rig)).not.toHaveProperty('pending');
  });

  test('while the RAR is under way: it is the answer, and no other RAR follows', async () => {
    const { rig, holder, other } = await site();
    rig.clients.behaviour = async () => {
      expect(await charge(rig, other, update)).toMatchObject({ outcome: 'success' });
      return 2001;
    };
    await want(rig);
    await pass(holder);
    rig.now += 10 * ANSWER_MS;
    await pass(holder, other);
    expect(texts(rig)).toEqual(['RAR s']);
    expect(await session(rig)).not.toHaveProperty('pending');
    checkBooks(rig);
  });

  test('C-203 a second CCR for the remaining services is answered like any other', async () => {
    const { rig, holder } = await site();
    await want(rig);
    await pass(holder);
    for (const [number, ratingGroup] of [
      [1, 1],
      [2, 2],
    ] as const) {
      const one = asks({
        ratingGroup,
        ...(ratingGroup === 1 && { used: { octets: 5 } }),
        asked: {},
      });
      expect(await charge(rig, holder, requestOf('update', number, [one]))).toMatchObject({
        ...{ outcome: 'success', services: [{ ratingGroup, outcome: 'success' }] },
      });
    }
    expect(texts(rig)).toEqual(['RAR s']);
  });
});

describe('an ASR', () => {
  const abort = wish({ kind: 'abort' });

  test('asks the client to end its session, which its CCR-T does', async () => {
    const { rig, holder, other } = await site();
    rig.clients.behaviour = 2001;
    await want(rig, abort);
    await pass(other, holder);
    expect(rig.clients.asked).toMatchObject([{ command: 'ASR', worker: holder.name }]);
    expect((await session(rig))?.state).toBe('open');
    const last = requestOf('termination', 1, [asks({ used: { octets: 40 } })]);
    expect(await charge(rig, holder, last)).toMatchObject({ outcome: 'success' });
    expect(await rig.balance()).toEqual([960, 0]);
    expect((await session(rig))?.state).toBe('ended');
    checkBooks(rig);
  });

  test('that nobody answers ends the session here; late usage is still charged', async () => {
    const { rig, holder } = await site();
    rig.clients.behaviour = 'silent';
    await want(rig, abort);
    for (let i = 0; i < 8; i++) {
      await pass(holder);
      rig.now += 2 ** i * 2 * ANSWER_MS;
      await holder.held.renew();
    }
    expect((await session(rig))?.state).toBe('abandoned');
    expect(await rig.balance()).toEqual([1000, 0]);
    const late = requestOf('termination', 1, [asks({ used: { octets: 40 } })]);
    expect(await charge(rig, holder, late)).toMatchObject({ outcome: 'unknown-session' });
    expect(await rig.balance()).toEqual([960, 0]);
    checkBooks(rig);
  });
});

describe('the sessions of an account', () => {
  async function exhausted() {
    const atEnd = { action: 'restrict' } as const;
    const on = await site({ plan: planOf([ruleOf({ atEnd })]) });
    const { rig, holder } = on;
    const more = { ...{ sessionId: 't', subscriber: anna } };
    const whole = asks({ asked: { octets: 1000 } });
    await charge(rig, holder, requestOf('initial', 0, [whole], more));
    return on;
  }
  const tell = (rig: Rig, reason: 'top-up' | 'plan', store: Store = rig.store) =>
    askClientsOf(
      { store, settings, clock: () => rig.now, pause: rig.pause },
      { tenant: 'blue', account: 'anna' },
      { reason, deadline: rig.now + DEADLINE_MS },
    );

  test('C-149 of which one has run out of credit: it alone is asked after a top-up', async () => {
    const { rig, holder } = await exhausted();
    expect(await tell(rig, 'top-up')).toEqual({ kind: 'done', asked: 1 });
    await pass(holder);
    expect(texts(rig)).toEqual(['RAR t rg=1']);
  });

  test('are all asked when the plan is another', async () => {
    const { rig, holder } = await exhausted();
    expect(await tell(rig, 'plan')).toEqual({ kind: 'done', asked: 2 });
    await pass(holder);
    expect(texts(rig).sort()).toEqual(['RAR s', 'RAR t']);
  });

  test('some of which could not be told are told when it is repeated', async () => {
    const { rig } = await exhausted();
    let calls = 0;
    const store = withFaults(rig.store, (call) =>
      call === 'commit' && ++calls > 1 ? 'lose-request' : 'none',
    );
    expect(await tell(rig, 'plan', store)).toEqual({ kind: 'busy', asked: 1 });
    expect(await tell(rig, 'plan')).toEqual({ kind: 'done', asked: 1 });
  });

  test('that do not exist, or may not be seen, are unknown', async () => {
    const { rig } = await site();
    const options = { store: rig.store, settings, clock: () => rig.now };
    const on = { wanted: wish(), deadline: rig.now + 1 };
    expect(await askClient(options, 'x', { ...on, mayServe: () => true })).toBe('unknown');
    expect(await askClient(options, 's', { ...on, mayServe: () => false })).toBe('unknown');
  });
});
