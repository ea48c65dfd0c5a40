#!lua
-- Takes or renews the lease of one reader of a partition's outbox. A lease is free when it ran
-- out or when it belongs to the same writer: a restarted worker goes on at once. `position` is the
-- last record acknowledged by anybody, `own` the last by this writer.
-- KEYS readers
-- ARGV reader holder writer leaseMs
-- REPLY held remainingMs | leased position own
local readers = unpack(KEYS)
local reader, holder, writer, leaseMs = unpack(ARGV)
local row = redis.call('HMGET', readers, 'holder:' .. reader, 'writer:' .. reader,
  'until:' .. reader, 'position:' .. reader, 'own:' .. reader .. ':' .. writer)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local leasedUntil = tonumber(row[3] or '0')
if leasedUntil > now and row[1] ~= holder and row[2] ~= writer then
  return { 'held', string.format('%.0f', leasedUntil - now) }
end
redis.call('HSET', readers, 'holder:' .. reader, holder, 'writer:' .. reader, writer,
  'until:' .. reader, string.format('%.0f', now + leaseMs))
return { 'leased', row[4] or '0-0', row[5] or '0-0' }
