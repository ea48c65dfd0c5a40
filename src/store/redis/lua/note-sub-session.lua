#!lua
-- Notes a sub-session under its Session-Id for `ttl` ms from now, and forgets a few whose time is
-- over. `lengthen` is GT where the note may only be lengthened, otherwise nothing.
-- KEYS subSessions
-- ARGV subSession ttl lengthen
-- REPLY noted
local subSessions = unpack(KEYS)
local subSession, ttl, lengthen = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now)
local over = redis.call('ZRANGE', subSessions, '-inf', text, 'BYSCORE', 'LIMIT', 0, 10)
if #over > 0 then redis.call('ZREM', subSessions, unpack(over)) end
local note = { 'ZADD', subSessions }
if lengthen ~= '' then note[3] = lengthen end
note[#note + 1] = string.format('%.0f', now + ttl)
note[#note + 1] = subSession
redis.call(unpack(note))
local last = redis.call('ZRANGE', subSessions, 0, 0, 'REV', 'WITHSCORES')
redis.call('PEXPIREAT', subSessions, string.format('%.0f', last[2]))
return 'noted'
