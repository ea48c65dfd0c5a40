/**
 * A worker that only keeps records, in a process of its own: it drains the store's records into
 * files and ends, or kills itself (SIGKILL) at a chosen operation of the disk or of the store.
 */
import { startRecordKeeper } from '../../../src/store/records/keeper.ts';
import { redisRecordLog } from '../../../src/store/records/redis-log.ts';
import { createClient } from '../../../src/store/redis/connect.ts';
import { type Fault, FaultyDisk } from './faulty-disk.ts';

const [socketPath = '', directory = '', partitions, failAt, fault] = process.argv.slice(2);
const disk = new FaultyDisk({
  failAt: Number(failAt),
  fault: fault as Fault,
  fail() {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  },
});
const redis = createClient({ socketPath }, () => undefined);
await redis.connect();
const log = redisRecordLog({ redis, partitions: Number(partitions) });
const keeper = startRecordKeeper({
  log: {
    ...log,
    acknowledge: (partition, lease, move) =>
      disk.step('acknowledge', () => log.acknowledge(partition, lease, move)),
    trim: (partition, options) => disk.step('trim', () => log.trim(partition, options)),
    checkpoint: (partition, lease, move, writes) =>
      disk.step('checkpoint', () => log.checkpoint(partition, lease, move, writes)),
  },
  mine: () => true,
  worker: 'w1',
  holder: `w1-${process.pid}`,
  files: { directory, maxBytes: 8_192, maxAgeMs: 1e9, keep: 0, now: Date.now, disk },
  clock: {
    now: () => performance.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  },
  problem(problem) {
    throw new Error(`a keeper in trouble: ${problem.kind}`, { cause: problem });
  },
  // Small rounds: more blocks, more rotations and more points to be killed at.
  settings: { roundRecords: 16 },
});
await keeper.drain();
await keeper.stop();
redis.disconnect();
