/**
 * The epoch of each partition. It is stamped with the run id and the replication id of the server:
 * where they differ the server was restarted or replaced, and may have lost what it acknowledged.
 * A new epoch then opens with a record that names the last one before it, older epochs are refused
 * from there on, and readers that had got further know what was lost.
 */
import type { Redis } from 'ioredis';
import { epochRecord } from '../opening.ts';
import { encodeRecord, referenceTag } from '../record-codec.ts';
import type { ServerIdentity } from './check.ts';
import type { PartitionKeys } from './keys.ts';
import type { Script } from './script.ts';
import type { Call, Reply } from './script-call.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';

/** Partitions read in one go. */
const BATCH = 512;

export interface RaiseEpochs {
  redis: Redis;
  call(script: Script, call: Call): Promise<Reply>;
  partitions: readonly PartitionKeys[];
  server: ServerIdentity;
  now: number;
}

/** Raises the epoch of every partition that another server stamped; workers may race in this. */
export async function raiseEpochs(context: RaiseEpochs): Promise<number> {
  let raised = 0;
  for (let first = 0; first < context.partitions.length; first += BATCH)
    raised += await raiseBatch(context, context.partitions.slice(first, first + BATCH));
  return raised;
}

async function raiseBatch(
  { redis, call, server, now }: RaiseEpochs,
  batch: readonly PartitionKeys[],
): Promise<number> {
  const stamps = await Promise.all(
    batch.map(({ partition }) => redis.hmget(partition, 'epoch', 'run', 'replication')),
  );
  const tag = Uint8Array.of(referenceTag);
  const record = Buffer.concat([encodeRecord(epochRecord(now)), tag]);
  const calls = batch.flatMap(({ partition, outbox }, i) => {
    const [epoch, run, replication] = stamps[i]!;
    if (run === server.runId && replication === server.replicationId) return [];
    const { runId, replicationId } = server;
    return callOf(
      scripts.raiseEpoch,
      { partition, outbox },
      { seen: epoch ?? '', runId, replicationId, record },
    );
  });
  await Promise.all(calls.map((one) => call(scripts.raiseEpoch, one)));
  return calls.length;
}
