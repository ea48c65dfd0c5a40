#!lua
-- Binds a Session-Id to another account if it still names the old one, or none.
-- KEYS binding
-- ARGV from to ttl
-- REPLY binding
local binding = unpack(KEYS)
local from, to, ttl = unpack(ARGV)
local held = redis.call('GET', binding)
if held and string.sub(held, 2) ~= from then return held end
redis.call('SET', binding, 'b' .. to, 'PX', ttl)
return 'b' .. to
