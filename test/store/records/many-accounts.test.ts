/** More accounts in one outbox than a Lua script can have on its stack at once. */
import { expect, it } from 'vitest';
import { audit } from '../../../src/store/records/audit.ts';
import { type KeeperProblem, startRecordKeeper } from '../../../src/store/records/keeper.ts';
import { FakeClock } from '../../peer/fake-clock.ts';
import { redisBench } from './stores.ts';
import { provision } from './workload.ts';

const ACCOUNTS = 8_100;

it('the records of a partition that opens 8,100 accounts are folded', async () => {
  const bench = await redisBench(1);
  const problems: KeeperProblem[] = [];
  const keeper = startRecordKeeper({
    log: bench.log,
    mine: () => true,
    worker: 'w1',
    holder: 'w1-run',
    clock: new FakeClock(),
    problem: (problem) => problems.push(problem),
  });
  try {
    await provision(bench.store, ACCOUNTS);
    await keeper.drain();
    expect(problems).toEqual([]);
    const { position } = await bench.view.examine(0, []);
    expect(position).toBe(await bench.log.last(0));
    const { findings, accounts } = await audit(bench.view, { name: 'audit-1' });
    expect([findings, accounts]).toEqual([[], ACCOUNTS]);
  } finally {
    await keeper.stop();
    await bench.close();
  }
}, 60_000);
