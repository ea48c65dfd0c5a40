#!lua
-- Notes that a subscriber has arrived, unless it was moved on meanwhile.
-- KEYS account
-- ARGV field from
-- REPLY arrived | elsewhere
local account = unpack(KEYS)
local field, from = unpack(ARGV)
if redis.call('HGET', account, field) ~= from then return 'elsewhere' end
redis.call('HSET', account, field, '')
return 'arrived'
