#!lua
-- Replaces an account's definition if it is still the one that was read: validates all, then writes.
-- The arguments after the counts are pairs that must still hold (a field that is not there is 0),
-- then pairs to set, then pairs to add to, each field once, which the record accounts for (empty:
-- there are none), then fields to remove.
-- KEYS account outbox
-- ARGV expected epoch record pairs_to_hold pairs_to_set pairs_to_add {field}
-- REPLY changed | conflict | out-of-range | stale-epoch
local account, outbox = unpack(KEYS)
local expected, epoch, record, pairs_to_hold, pairs_to_set, pairs_to_add = unpack(ARGV, 1, 6)
local LIMIT = 9007199254740991
local first_set = 7 + 2 * pairs_to_hold
local first_added = first_set + 2 * pairs_to_set
local first_removed = first_added + 2 * pairs_to_add
if redis.call('HGET', account, 'version') ~= expected then return 'conflict' end
for i = 7, first_set - 1, 2 do
  if (redis.call('HGET', account, ARGV[i]) or '0') ~= ARGV[i + 1] then return 'conflict' end
end
for i = first_added, first_removed - 1, 2 do
  local sum = (redis.call('HGET', account, ARGV[i]) or '0') + ARGV[i + 1]
  if sum > LIMIT or sum < -LIMIT then return 'out-of-range' end
end
if record ~= '' then
  local id = redis.pcall('XADD', outbox, epoch .. '-*', 'r', record)
  if type(id) == 'table' then
    return string.find(id.err, 'equal or smaller', 1, true) and 'stale-epoch' or id
  end
end
for i = first_set, first_added - 1, 2 do
  redis.call('HSET', account, ARGV[i], ARGV[i + 1])
end
for i = first_added, first_removed - 1, 2 do
  redis.call('HINCRBY', account, ARGV[i], ARGV[i + 1])
end
for i = first_removed, #ARGV do redis.call('HDEL', account, ARGV[i]) end
redis.call('HSET', account, 'version', string.format('%.0f', expected + 1))
return 'changed'
