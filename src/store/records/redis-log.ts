/** The record log on Redis: outboxes are streams, each with a hash of its readers beside it. */
import type { Redis } from 'ioredis';
import { accountName } from '../placement.ts';
import { decodeRecord } from '../record-codec.ts';
import { type PartitionKeys, partitionKeys } from '../redis/keys.ts';
import { type Call, callOf, type Reply } from '../redis/script-call.ts';
import { parseSum, type Sums, sumText } from './ledger.ts';
import type { CheckpointWrite, ReaderLease, RecordLog } from './log.ts';
import { START } from './record-id.ts';
import { callScript, command, listOf, recordScripts, textOf, texts } from './redis-access.ts';

export interface RedisLogOptions {
  /** Best a connection of its own: pages of records are larger than the commits' replies. */
  redis: Redis;
  partitions: number;
}

export function redisRecordLog({ redis, partitions }: RedisLogOptions): RecordLog {
  const keys = Array.from({ length: partitions }, (_, partition) => partitionKeys(partition));
  const keysOf = (partition: number): PartitionKeys => {
    const found = keys[partition];
    if (found === undefined) throw new RangeError(`no partition ${partition}`);
    return found;
  };
  const leaseArgs = ({ reader, holder, writer, leaseMs }: ReaderLease) => ({
    reader,
    holder,
    writer,
    leaseMs,
  });

  return {
    partitions,

    async read(partition, after, limit) {
      const { outbox } = keysOf(partition);
      const entries = await command(redis.xrangeBuffer(outbox, `(${after}`, '+', 'COUNT', limit));
      return entries.map(([id, fields]) => ({
        id: id.toString(),
        record: decodeRecord(fields[1] as Buffer),
      }));
    },

    async last(partition) {
      const { outbox } = keysOf(partition);
      const { last } = recordScripts;
      return textOf(await callScript(redis, last, callOf(last, { outbox }, {})));
    },

    async claim(partition, lease) {
      const { claim } = recordScripts;
      const { readers } = keysOf(partition);
      const reply = await callScript(redis, claim, callOf(claim, { readers }, leaseArgs(lease)));
      const [kind, first = '', own = START] = texts(reply);
      if (kind === 'held') return { kind, remainingMs: Number(first) };
      return { kind: 'leased', position: first, own };
    },

    async release(partition, { reader, holder }) {
      const { release } = recordScripts;
      const { readers } = keysOf(partition);
      await callScript(redis, release, callOf(release, { readers }, { reader, holder }));
    },

    async acknowledgedBy(partition, reader, writer) {
      const { readers } = keysOf(partition);
      return (await command(redis.hget(readers, `own:${reader}:${writer}`))) ?? START;
    },

    async acknowledge(partition, lease, { from, to }) {
      const { acknowledge } = recordScripts;
      const { readers } = keysOf(partition);
      const call = callOf(acknowledge, { readers }, { ...leaseArgs(lease), from, to });
      return outcome(await callScript(redis, acknowledge, call));
    },

    async checkpoints(partition, accounts) {
      if (accounts.length === 0) return [];
      const { checkpoints } = recordScripts;
      const { readers, checkpoint } = keysOf(partition);
      const call = callOf(checkpoints, { readers }, {});
      const sums = accounts.map((account) => checkpoint(accountName(account)));
      const all = { ...call, keys: [...call.keys, ...sums] };
      return listOf(await callScript(redis, checkpoints, all)).map(sumsOf);
    },

    async checkpoint(partition, lease, move, writes) {
      const script = recordScripts.checkpoint;
      const call = checkpointCall(keysOf(partition), lease, move, writes);
      return outcome(await callScript(redis, script, call));
    },

    async trim(partition, { readers: required, limit }) {
      const { trim } = recordScripts;
      const { readers, outbox } = keysOf(partition);
      const call = callOf(trim, { readers, outbox }, { limit }, required);
      return Number(textOf(await callScript(redis, trim, call)));
    },

    async forget(partition, reader) {
      const { forget } = recordScripts;
      const { readers } = keysOf(partition);
      await callScript(redis, forget, callOf(forget, { readers }, { reader }));
    },

    async pin(partition, name, ttlMs) {
      const { pin } = recordScripts;
      const { readers } = keysOf(partition);
      await callScript(redis, pin, callOf(pin, { readers }, { name, ttlMs }));
    },

    async unpin(partition, name) {
      await command(redis.hdel(keysOf(partition).readers, `pin:${name}`));
    },
  };
}

/** A checkpoint's hash; its field `at`, the record it was last written for, is left out. */
export function sumsOf(hash: Reply | undefined): Sums {
  const flat = listOf(hash).map(textOf);
  const sums: Sums = new Map();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [field, value] = flat.slice(i, i + 2) as [string, string];
    if (field !== 'at') sums.set(field, parseSum(value));
  }
  return sums;
}

function checkpointCall(
  keys: PartitionKeys,
  { reader, holder, leaseMs }: ReaderLease,
  { from, to, gap = '' }: { from: string; to: string; gap?: string },
  writes: readonly CheckpointWrite[],
): Call {
  const rest = writes.flatMap(({ sums }) => [
    sums.size,
    ...[...sums].flatMap(([field, sum]) => [field, sumText(sum)]),
  ]);
  const args = { reader, holder, leaseMs, from, to, gap };
  const call = callOf(recordScripts.checkpoint, { readers: keys.readers }, args, rest);
  const sumsKeys = writes.map(({ account }) => keys.checkpoint(accountName(account)));
  return { ...call, keys: [...call.keys, ...sumsKeys] };
}

const outcome = (reply: Reply): 'acknowledged' | 'refused' =>
  textOf(reply) === 'acknowledged' ? 'acknowledged' : 'refused';
