/** What an error of the Redis client says of a call: not applied, or unknown. */
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { classify } from '../../src/store/redis/failure.ts';
import { StoreUnavailable } from '../../src/store/store.ts';

test.each([
  ["Stream isn't writeable and enableOfflineQueue options is false", 'no'],
  ["READONLY You can't write against a read only replica.", 'no'],
  ['LOADING Redis is loading the dataset in memory', 'no'],
  ['BUSY Redis is busy running a script.', 'no'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'no'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'no'],
  ['NOAUTH Authentication required.', 'no'],
  ['MOVED 3999 127.0.0.1:6381', 'no'],
  ['ASK 3999 127.0.0.1:6381', 'no'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'no'],
  ['CLUSTERDOWN Hash slot not served', 'no'],
  ['MISCONF Redis is configured to save RDB snapshots', 'no'],
  ['NOREPLICAS Not enough good replicas to write.', 'no'],
  ['Command timed out', 'unknown'],
  ['Connection is closed.', 'unknown'],
  ['Reached the max retries per request limit (which is 0).', 'unknown'],
  ['Command aborted due to connection close', 'unknown'],
  ['write EPIPE', 'unknown'],
  ['read ECONNRESET', 'unknown'],
  ['Socket timeout. Expecting data, but did not receive any', 'unknown'],
  ['ERR something new', 'unknown'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'unknown'],
  ['', 'unknown'],
])('%s: %s', (message, applied) => {
  const failure = classify(new Error(message));
  expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(failure.applied).toBe(applied);
});

test('what is no error at all is unknown', () => {
  expect(classify('?')).toMatchObject({ applied: 'unknown' });
});

test('a classified failure stays what it is', () => {
  const failure = new StoreUnavailable('no', 'closed');
  expect(classify(failure)).toBe(failure);
});

test('neither the command nor the arguments in a text are passed on', () => {
  const error = Object.assign(
    new Error("ERR unknown command 'X', with args beginning with: '999700000123'"),
    { command: { name: 'set', args: ['999700000123'] } },
  );
  expect(inspect(classify(error), { depth: 9 })).not.toContain('999700000123');
});
