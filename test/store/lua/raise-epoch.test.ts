/** `raise-epoch.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { epochRecord } from '../../../src/store/opening.ts';
import { decodeRecord, encodeRecord, referenceTag } from '../../../src/store/record-codec.ts';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const record = Buffer.concat([encodeRecord(epochRecord(99)), Buffer.of(referenceTag)]);
const raise = (seen: string, runId = 'run') =>
  rig.run(
    scripts.raiseEpoch,
    { partition: 'm', outbox: 'o' },
    { seen, runId, replicationId: 'replication', record },
  ) as Promise<string>;

async function lastRecord() {
  const [[id, fields]] = (await rig.redis.xrevrangeBuffer('o', '+', '-', 'COUNT', 1)) as [
    [Buffer, Buffer[]],
  ];
  return { id: id.toString(), record: decodeRecord(fields[1]!) };
}

test('stamps a new partition with the time of the store', async () => {
  const epoch = await raise('');
  expect(Math.abs(Number(epoch) - Date.now())).toBeLessThan(60_000);
  expect(await rig.redis.hgetall('m')).toEqual({ epoch, run: 'run', replication: 'replication' });
  expect(await lastRecord()).toEqual({ id: `${epoch}-0`, record: epochRecord(99, '0-0') });
});

test('only the first of several that read the same raises it', async () => {
  const epochs = await Promise.all(['one', 'two', 'three'].map((runId) => raise('', runId)));
  expect(new Set(epochs).size).toBe(1);
  expect(await rig.redis.xlen('o')).toBe(1);
  expect(await rig.redis.hget('m', 'run')).toBe('one');
});

test('names the last record before it, and goes beyond it in any case', async () => {
  await rig.redis.xadd('o', '9000000000000-41', 'r', 'x');
  await rig.redis.hset('m', 'epoch', '9000000000000');
  expect(await raise('9000000000000')).toBe('9000000000001');
  const { id, record: opened } = await lastRecord();
  expect(id).toBe('9000000000001-0');
  expect(opened).toMatchObject({ kind: 'epoch', reference: '9000000000000-41' });
});

test('knows the last record of a stream that was trimmed', async () => {
  await rig.redis.xadd('o', '1700000000000-41', 'r', 'x');
  await rig.redis.xtrim('o', 'MAXLEN', 0);
  await raise('');
  expect((await lastRecord()).record.reference).toBe('1700000000000-41');
});

test('goes beyond an epoch whose records are all lost', async () => {
  await rig.redis.hset('m', 'epoch', '9000000000000');
  expect(await raise('9000000000000')).toBe('9000000000001');
});
