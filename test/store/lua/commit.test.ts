/** `commit.lua` on a real Redis. */
import { describe, expect, test } from 'vitest';
import type { Arg } from '../../../src/store/redis/script-call.ts';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const EPOCH = '1763727887000';
const keys = { account: 'a', outbox: 'o', subject: 's', timers: 't', sessions: 'as', index: 'i' };
const update = {
  ...{ epoch: EPOCH, version: '3', expected: '0', value: 'body', ttl: '', timer: '', place: '' },
  ...{ member: 'm', subscriber: '', notAfter: '', record: 'record' },
};
type Args = typeof update;

const run = (args: Partial<Record<keyof Args, Arg>>, movements: Arg[] = []) =>
  rig.run(scripts.commit, keys, { ...update, ...args }, movements);

async function prepare(fields: Record<string, string> = {}): Promise<void> {
  await rig.redis.hset('a', { version: '3', 'a:main': '100', 'r:main': '0', ...fields });
  await rig.redis.xadd('o', `${EPOCH}-0`, 'r', 'epoch');
}

async function everything(): Promise<Record<string, Buffer | null>> {
  const dump: Record<string, Buffer | null> = {};
  for (const key of await rig.redis.keys('*')) dump[key] = await rig.redis.dumpBuffer(key);
  return dump;
}

describe('calls', () => {
  test('an update makes five, however many counters it moves', async () => {
    await prepare({ 'a:x': '1', 'r:x': '2', 'n:open': '3' });
    await run({});
    await rig.calls();
    const fields = ['a:main', 'r:main', 'a:x', 'r:x', 'n:open'];
    await run(
      { expected: '1' },
      fields.flatMap((field) => [field, '1', '', '']),
    );
    expect(await rig.calls()).toEqual({ getrange: 1, hmget: 1, xadd: 1, hset: 1, set: 1 });
  });

  test('only a commit with a not-after asks for the time', async () => {
    await prepare();
    await rig.calls();
    await run({ notAfter: '9000000000000' });
    expect(await rig.calls()).toMatchObject({ time: 1 });
  });
});

test('a refused commit leaves everything as it was', async () => {
  await prepare();
  await run({ timer: '5', place: '1' }, ['a:main', '-10', '', '']);
  const before = await everything();
  const one = { expected: '1' };
  await run({ ...one, version: '2' }, ['a:main', '-10', '', '']);
  await run({}, ['a:main', '-10', '', '']);
  await run(one, ['a:main', '-10', '', '', 'a:gone', '1', '', '']);
  await run(one, ['r:main', '10', '', '', 'a:main', '-10', '', '89']);
  await run(one, ['r:main', '10', '', '', 'a:main', '-10', '81', '']);
  await run(one, ['r:main', '10', '', '', 'a:main', '9007199254740991', '', '']);
  await run({ ...one, subscriber: 's:e164:1' }, ['a:main', '-10', '', '']);
  await run({ ...one, notAfter: '1' }, ['a:main', '-10', '', '']);
  await run({ ...one, epoch: '1763727886999' }, ['a:main', '-10', '', '']);
  expect(await everything()).toEqual(before);
});

test('the value of a session begins with its version and the id of its record', async () => {
  await prepare();
  expect(await run({ value: Uint8Array.of(0, 255, 10) })).toEqual(['committed', `${EPOCH}-1`]);
  expect(await rig.redis.getBuffer('s')).toEqual(
    Buffer.concat([Buffer.from(`1 ${EPOCH}-1 `), Buffer.of(0, 255, 10)]),
  );
});

test('a version is not taken for one that it begins', async () => {
  await prepare();
  await rig.redis.set('s', '12 1-1 body');
  expect((await run({ expected: '1' }))?.[0]).toBe('conflict');
  expect((await run({ expected: '12' }))?.[0]).toBe('committed');
  expect(await rig.redis.get('s')).toMatch(/^13 /);
});

test('versions and counters have no exponent', async () => {
  await prepare({ 'a:main': '100000000000000' });
  await rig.redis.set('s', '99999999999999 1-1 body');
  const reply = await run({ expected: '99999999999999' }, [
    'a:main',
    '-1',
    '',
    '',
    'r:main',
    '1e14',
    '',
    '',
  ]);
  expect(reply).toEqual(['committed', `${EPOCH}-1`, '99999999999999', '100000000000000']);
  expect(await rig.redis.hmget('a', 'a:main', 'r:main')).toEqual([
    '99999999999999',
    '100000000000000',
  ]);
  expect(await rig.redis.get('s')).toMatch(/^100000000000000 /);
});

test('sums are exact at 2^53 - 1, and beyond it nothing is written', async () => {
  await prepare({ 'a:main': '9007199254740990', 'r:main': '-9007199254740990' });
  const by = (figure: string) => ['a:main', figure, '', '', 'r:main', `-${figure}`, '', ''];
  expect(await run({}, by('2'))).toEqual(['out-of-range', '1']);
  expect(await run({}, ['a:main', '0', '', '', 'r:main', '-2', '', ''])).toEqual([
    'out-of-range',
    '2',
  ]);
  expect(await run({}, by('1'))).toEqual([
    'committed',
    `${EPOCH}-1`,
    '9007199254740991',
    '-9007199254740991',
  ]);
});

describe('epochs', () => {
  test('one that the stream has not seen yet is taken', async () => {
    await prepare();
    expect(await run({ epoch: '1763727887001' })).toEqual(['committed', '1763727887001-0']);
  });

  test('an older one is stale even when the stream was trimmed to nothing', async () => {
    await prepare();
    await rig.redis.xtrim('o', 'MAXLEN', 0);
    expect(await run({ epoch: '1763727886999' })).toEqual(['stale-epoch']);
    expect(await run({})).toEqual(['committed', `${EPOCH}-1`]);
  });

  test('a conflict says which one holds, and what is stored', async () => {
    await prepare({ version: '4' });
    expect(await run({})).toEqual([
      'conflict',
      `${EPOCH}-0`,
      null,
      ['version', '4', 'a:main', '100', 'r:main', '0'],
      [],
    ]);
  });

  test('a conflict leaves out the definition that was decided on', async () => {
    await prepare({ buckets: JSON.stringify([{ id: 'main' }]), 'n:open': '2', 's:e164:1': '' });
    expect(await run({ expected: '7' })).toEqual([
      'conflict',
      `${EPOCH}-0`,
      null,
      [],
      ['version', '3', 'n:open', '2', 'a:main', '100', 'r:main', '0'],
    ]);
  });

  test('a conflict has the periods of buckets that have any', async () => {
    const buckets = JSON.stringify([{ id: 'b', lastsMs: 5 }, { id: 'main' }]);
    await prepare({ buckets, 'n:open': '2', 'a:b': '1', 'r:b': '0', 'p:b': '77' });
    const reply = await run({ expected: '7' });
    expect(reply?.[4]).toEqual([
      ...['version', '3', 'n:open', '2', 'a:b', '1', 'r:b', '0', 'p:b', '77'],
      ...['a:main', '100', 'r:main', '0'],
    ]);
  });

  test('an error of the stream that is none of the epoch stays an error', async () => {
    await prepare();
    await rig.redis.set('o2', 'not a stream');
    const wrong = rig.run(scripts.commit, { ...keys, outbox: 'o2' }, update);
    await expect(wrong).rejects.toThrow('WRONGTYPE');
    expect(await rig.redis.exists('s')).toBe(0);
  });
});

describe('time to live', () => {
  test('a tombstone has its own, and late usage keeps it', async () => {
    await prepare();
    await run({});
    expect(await rig.redis.pttl('s')).toBe(-1);
    await run({ expected: '1', ttl: 600_000 });
    expect(await rig.redis.pttl('s')).toBeGreaterThan(590_000);
    await run({ expected: '2', ttl: 'keep', value: 'more' });
    expect(await rig.redis.pttl('s')).toBeGreaterThan(590_000);
    expect(await rig.redis.get('s')).toMatch(/^3 .* more$/);
  });

  test('what happens once is kept as it is, with a time to live', async () => {
    await prepare();
    const once = { expected: '', value: Uint8Array.of(0, 128), ttl: 60_000 };
    expect((await run(once))?.[0]).toBe('committed');
    expect(await rig.redis.getBuffer('s')).toEqual(Buffer.of(0, 128));
    expect(await rig.redis.pttl('s')).toBeGreaterThan(50_000);
    expect(await run({ ...once, version: 'other' })).toEqual(['duplicate', '\0\x80']);
  });
});

test('index and timer entries come with the opening and go with the close', async () => {
  await prepare();
  await run({ timer: '1763727887123', place: '1763727887000' });
  expect(await rig.redis.zrange('t', '0', '-1', 'WITHSCORES')).toEqual(['m', '1763727887123']);
  expect(await rig.redis.zrange('i', '0', '-1', 'WITHSCORES')).toEqual(['m', '1763727887000']);
  expect(await rig.redis.smembers('as')).toEqual(['m']);
  await run({ expected: '1', timer: 'remove', place: 'close', ttl: 1_000 });
  expect(await rig.redis.exists('t', 'i', 'as')).toBe(0);
});
