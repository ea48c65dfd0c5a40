#!lua
-- Keeps a partition's outbox from being trimmed for a while.
-- KEYS readers
-- ARGV name ttlMs
-- REPLY pinned
local readers = unpack(KEYS)
local name, ttlMs = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', readers, 'pin:' .. name, string.format('%.0f', now + ttlMs))
return 'pinned'
