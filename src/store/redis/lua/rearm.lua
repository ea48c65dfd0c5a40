#!lua
-- Sets the score of a session's member unless the session has moved on; a closed session has no
-- member, and none is made.
-- KEYS session timers
-- ARGV version at member
-- REPLY rearmed | moved-on
local session, timers = unpack(KEYS)
local version, at, member = unpack(ARGV)
if redis.call('GETRANGE', session, 0, #version) ~= version .. ' ' then return 'moved-on' end
redis.call('ZADD', timers, 'XX', at, member)
return 'rearmed'
