#!lua
-- Moves a reader from one record to a later one and renews its lease. A repetition of a call that
-- was applied is acknowledged again, even when the lease has gone to another meanwhile: what the
-- writer acknowledged itself is kept beside the common position. A position behind `from` is that
-- of a store that lost records which this writer has seen; it catches up.
-- KEYS readers
-- ARGV reader holder writer leaseMs from to
-- REPLY acknowledged | refused
local readers = unpack(KEYS)
local reader, holder, writer, leaseMs, from, to = unpack(ARGV)

local function later(a, b)
  local epoch_a, number_a = string.match(a, '^(%d+)-(%d+)$')
  local epoch_b, number_b = string.match(b, '^(%d+)-(%d+)$')
  if epoch_a ~= epoch_b then return tonumber(epoch_a) > tonumber(epoch_b) end
  return tonumber(number_a) > tonumber(number_b)
end

local own = 'own:' .. reader .. ':' .. writer
local row = redis.call('HMGET', readers, 'holder:' .. reader, 'position:' .. reader, own)
if row[3] and not later(to, row[3]) then return 'acknowledged' end
if row[1] ~= holder or later(row[2] or '0-0', from) then return 'refused' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', readers, 'position:' .. reader, to, own, to,
  'until:' .. reader, string.format('%.0f', now + leaseMs))
return 'acknowledged'
