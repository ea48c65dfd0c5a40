#!lua
-- The checkpointed sums of some accounts of one partition, as field and value pairs.
-- KEYS readers {sums}
-- ARGV
-- REPLY {sums}
local readers = unpack(KEYS)
local reply = {}
for i = 2, #KEYS do reply[i - 1] = redis.call('HGETALL', KEYS[i]) end
return reply
