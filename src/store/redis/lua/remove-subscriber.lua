#!lua
-- Takes a subscriber from the account that it was moved away from.
-- KEYS account
-- ARGV field
-- REPLY absent | removed
local account = unpack(KEYS)
local field = unpack(ARGV)
if redis.call('HDEL', account, field) == 0 then return 'absent' end
local version = redis.call('HGET', account, 'version')
redis.call('HSET', account, 'version', string.format('%.0f', version + 1))
return 'removed'
