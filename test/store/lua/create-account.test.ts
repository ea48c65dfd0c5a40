/** `create-account.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const create = (epoch: string, fields: string[]) =>
  rig.run(
    scripts.createAccount,
    { account: 'a', outbox: 'o', accounts: 'n' },
    { epoch, record: 'record', name: 'one' },
    fields,
  );

test('writes record, fields and name once', async () => {
  await rig.redis.xadd('o', '5-0', 'r', 'epoch');
  expect(await create('5', ['version', '1', 'a:main', '9007199254740991'])).toBe('created');
  expect(await create('5', ['version', '7'])).toBe('exists');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '1', 'a:main': '9007199254740991' });
  expect(await rig.redis.xlen('o')).toBe(2);
  expect(await rig.redis.zrange('n', '0', '-1')).toEqual(['one']);
});

test('with a stale epoch writes nothing', async () => {
  await rig.redis.xadd('o', '5-0', 'r', 'epoch');
  expect(await create('4', ['version', '1'])).toBe('stale-epoch');
  expect(await rig.redis.exists('a', 'n')).toBe(0);
});
