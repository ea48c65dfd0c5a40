#!lua
-- Takes a subscriber from an account, while its lease lasts (`notAfter`, store ms). `limited`: the
-- account has limits, of which some may be the subscriber's.
-- KEYS account
-- ARGV field notAfter
-- REPLY late | limited | free
local account = unpack(KEYS)
local field, notAfter = unpack(ARGV)
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(notAfter) then return 'late' end
if redis.call('HDEL', account, field) == 1 then
  local version = redis.call('HGET', account, 'version')
  redis.call('HSET', account, 'version', string.format('%.0f', version + 1))
end
local buckets = redis.call('HGET', account, 'buckets') or ''
return string.find(buckets, '"limits"', 1, true) and 'limited' or 'free'
