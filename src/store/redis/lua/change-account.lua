#!lua
-- Replaces an account's definition if it is still the one that was read. The arguments after the
-- counts are pairs to set, then counters to remove, which must be 0, then other fields to remove.
-- KEYS account
-- ARGV expected pairs_to_set drained {field}
-- REPLY changed | conflict
local account = unpack(KEYS)
local expected, pairs_to_set, drained = unpack(ARGV, 1, 3)
local first_drained = 4 + 2 * pairs_to_set
local first_other = first_drained + drained
if redis.call('HGET', account, 'version') ~= expected then return 'conflict' end
for i = first_drained, first_other - 1 do
  if (redis.call('HGET', account, ARGV[i]) or '0') ~= '0' then return 'conflict' end
end
for i = 4, first_drained - 1, 2 do redis.call('HSET', account, ARGV[i], ARGV[i + 1]) end
for i = first_drained, #ARGV do redis.call('HDEL', account, ARGV[i]) end
redis.call('HSET', account, 'version', string.format('%.0f', expected + 1))
return 'changed'
