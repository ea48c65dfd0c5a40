#!lua
-- Writes the sums of some accounts and moves the checkpoint to the record that they reach, in one
-- step; refused unless the holder has the lease and the position is exactly the one that the sums
-- were worked out from. The sums come whole, so nothing is added up here. After the arguments, for
-- each of the keys `sums`: the number of its pairs, and the pairs. `gap` is what was found missing
-- on the way, or empty.
-- KEYS readers {sums}
-- ARGV reader holder leaseMs from to gap {pairs field sum}
-- REPLY acknowledged | refused
local readers = unpack(KEYS)
local reader, holder, leaseMs, from, to, gap = unpack(ARGV, 1, 6)
local row = redis.call('HMGET', readers, 'holder:' .. reader, 'position:' .. reader)
if row[1] ~= holder or (row[2] or '0-0') ~= from then return 'refused' end
local at = 7
for i = 2, #KEYS do
  local last = at + 2 * ARGV[at]
  redis.call('HSET', KEYS[i], 'at', to, unpack(ARGV, at + 1, last))
  at = last + 1
end
if gap ~= '' then redis.call('HSETNX', readers, 'gap', gap) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', readers, 'position:' .. reader, to,
  'until:' .. reader, string.format('%.0f', now + leaseMs))
return 'acknowledged'
