#!lua
-- Gives a reader's lease up, if the holder still has it.
-- KEYS readers
-- ARGV reader holder
-- REPLY released | refused
local readers = unpack(KEYS)
local reader, holder = unpack(ARGV)
if redis.call('HGET', readers, 'holder:' .. reader) ~= holder then return 'refused' end
redis.call('HDEL', readers, 'holder:' .. reader, 'writer:' .. reader, 'until:' .. reader)
return 'released'
