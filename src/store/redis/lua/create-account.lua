#!lua
-- Creates an account unless it exists; the record accounts for its opening amounts.
-- KEYS account outbox accounts
-- ARGV epoch record name {field value}
-- REPLY created | exists | stale-epoch
local account, outbox, accounts = unpack(KEYS)
local epoch, record, name = unpack(ARGV, 1, 3)
if redis.call('EXISTS', account) == 1 then return 'exists' end
local id = redis.pcall('XADD', outbox, epoch .. '-*', 'r', record)
if type(id) == 'table' then
  return string.find(id.err, 'equal or smaller', 1, true) and 'stale-epoch' or id
end
-- In pieces: more does not fit the stack.
for i = 4, #ARGV, 2000 do
  redis.call('HSET', account, unpack(ARGV, i, math.min(i + 1999, #ARGV)))
end
redis.call('ZADD', accounts, 0, name)
return 'created'
