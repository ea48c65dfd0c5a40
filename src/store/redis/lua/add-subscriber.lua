#!lua
-- Gives an account a subscriber. The field's value is the account that it is being moved from, so
-- that a move which was interrupted can be completed; it is empty when the subscriber has arrived.
-- KEYS account
-- ARGV field from
-- REPLY absent | added | present
local account = unpack(KEYS)
local field, from = unpack(ARGV)
local version = redis.call('HGET', account, 'version')
if not version then return 'absent' end
local added = redis.call('HSET', account, field, from) == 1
if added then redis.call('HSET', account, 'version', string.format('%.0f', version + 1)) end
return added and 'added' or 'present'
