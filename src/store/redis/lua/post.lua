#!lua
-- Leaves a message in an inbox unless it is full; what nobody takes for `ttl` ms goes away.
-- KEYS inbox
-- ARGV message limit ttl
-- REPLY posted | full
local inbox = unpack(KEYS)
local message, limit, ttl = unpack(ARGV)
if redis.call('LLEN', inbox) >= tonumber(limit) then return 'full' end
redis.call('RPUSH', inbox, message)
redis.call('PEXPIRE', inbox, ttl)
return 'posted'
