#!lua
-- Gives an account a subscriber, while its lease lasts (`notAfter`, store ms). The field's value is
-- the account that it is being moved from; it is empty when the subscriber has arrived.
-- KEYS account
-- ARGV field from notAfter
-- REPLY absent | late | added | present
local account = unpack(KEYS)
local field, from, notAfter = unpack(ARGV)
local version = redis.call('HGET', account, 'version')
if not version then return 'absent' end
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(notAfter) then return 'late' end
local added = redis.call('HSET', account, field, from) == 1
if added then redis.call('HSET', account, 'version', string.format('%.0f', version + 1)) end
return added and 'added' or 'present'
