#!lua
-- Takes a member off the timer wheel whose session does not exist.
-- KEYS session timers
-- ARGV member
-- REPLY dropped | kept
local session, timers = unpack(KEYS)
local member = unpack(ARGV)
if redis.call('EXISTS', session) == 1 then return 'kept' end
redis.call('ZREM', timers, member)
return 'dropped'
