#!lua
-- Replaces an account's definition if it is still the one that was read. The arguments after the
-- counts are pairs that must still hold (a field that is not there is 0), then pairs to set, then
-- fields to remove.
-- KEYS account
-- ARGV expected pairs_to_hold pairs_to_set {field}
-- REPLY changed | conflict
local account = unpack(KEYS)
local expected, pairs_to_hold, pairs_to_set = unpack(ARGV, 1, 3)
local first_set = 4 + 2 * pairs_to_hold
local first_removed = first_set + 2 * pairs_to_set
if redis.call('HGET', account, 'version') ~= expected then return 'conflict' end
for i = 4, first_set - 1, 2 do
  if (redis.call('HGET', account, ARGV[i]) or '0') ~= ARGV[i + 1] then return 'conflict' end
end
for i = first_set, first_removed - 1, 2 do
  redis.call('HSET', account, ARGV[i], ARGV[i + 1])
end
for i = first_removed, #ARGV do redis.call('HDEL', account, ARGV[i]) end
redis.call('HSET', account, 'version', string.format('%.0f', expected + 1))
return 'changed'
