/** Due sessions: each is woken once in effect, and one session's trouble is not the others'. */
import { describe, expect, test } from 'vitest';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { CounterOutOfRange } from '../../src/store/store.ts';
import { asks, requestOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, Rig } from './rig.ts';

const HOUR = 3_600_000;

async function opened(count: number): Promise<Rig> {
  const rig = new Rig();
  await rig.anna({ main: 100 * count });
  const worker = rig.worker();
  for (let i = 0; i < count; i++)
    await charge(
      rig,
      worker,
      requestOf('initial', 0, [asks({ asked: {} })], { sessionId: `s${i}`, subscriber: anna }),
    );
  expect(await rig.balance()).toEqual([0, 100 * count]);
  return rig;
}

describe('due sessions', () => {
  test('are ended once, whichever and however many workers look', async () => {
    const rig = await opened(5);
    rig.now += HOUR;
    const workers = [rig.worker(), rig.worker(), rig.worker()];
    await Promise.all(workers.map(({ timers }) => timers.pass()));
    expect(await rig.balance()).toEqual([500, 0]);
    expect(rig.fired).toEqual(Array(5).fill('supervision'));
    checkBooks(rig);
  });

  test('one that cannot be charged does not keep the others waiting', async () => {
    const rig = await opened(5);
    rig.now += HOUR;
    const store = withFaults(rig.store, (call, args) => {
      const commit = args[0] as { session?: { key: string } };
      if (call === 'commit' && commit.session?.key === 's0') throw new Error('a defect');
      return 'none';
    });
    await rig.worker(store).timers.pass();
    expect(await rig.balance()).toEqual([400, 100]);
    expect(rig.fired.filter((what) => what.startsWith('failed'))).toEqual([
      'failed: Error: a defect',
    ]);
    rig.now += 10_000;
    await rig.worker().timers.pass();
    expect(await rig.balance()).toEqual([500, 0]);
  });

  test('a commit that no counter can hold is decided again on what is there', async () => {
    const rig = await opened(1);
    rig.now += HOUR;
    let failures = 1;
    const store = withFaults(rig.store, (call) => {
      if (call === 'commit' && failures-- > 0) throw new CounterOutOfRange('a:main');
      return 'none';
    });
    await rig.worker(store).timers.pass();
    expect(await rig.balance()).toEqual([100, 0]);
  });

  test('a lease that ran out brings back what its worker did not finish', async () => {
    const rig = await opened(2);
    rig.now += HOUR;
    const dead = withFaults(rig.store, (call) => (call === 'load' ? 'lose-reply' : 'none'));
    await rig.worker(dead).timers.pass();
    expect(await rig.worker().timers.pass()).toBe(0);
    rig.now += 10_000;
    expect(await rig.worker().timers.pass()).toBe(2);
    expect(await rig.balance()).toEqual([200, 0]);
  });

  test('the first wake-up keeps the binding of a session whose own word for it was lost', async () => {
    const rig = new Rig();
    await rig.anna();
    let lost = true;
    const store = withFaults(rig.store, (call) =>
      call === 'keepBinding' && lost ? 'lose-request' : 'none',
    );
    const worker = rig.worker(store);
    await charge(rig, worker, requestOf('initial', 0, [asks({ asked: {} })], { subscriber: anna }));
    rig.now += 541_000;
    await worker.timers.pass();
    lost = false;
    rig.now += 10_000;
    await worker.timers.pass();
    rig.now += 60_000;
    const update = requestOf('update', 1, [asks({ used: { octets: 5 } })]);
    expect(await charge(rig, rig.worker(), update)).toMatchObject({ outcome: 'success' });
  });
});
