#!lua
-- Replaces the configuration if its version is still the one that the change was made from (0: there
-- is none). The arguments after the count are pairs to set, then fields to remove. The stamp tells
-- versions apart that have the same number because a failover lost the first of them.
-- KEYS configuration
-- ARGV expected document pairs_to_set {field}
-- REPLY written | conflict
local configuration = unpack(KEYS)
local expected, document, pairs_to_set = unpack(ARGV, 1, 3)
if (redis.call('HGET', configuration, 'version') or '0') ~= expected then return 'conflict' end
local time, version = redis.call('TIME'), string.format('%.0f', expected + 1)
local first_other = 4 + 2 * pairs_to_set
for i = 4, first_other - 1, 2 do redis.call('HSET', configuration, ARGV[i], ARGV[i + 1]) end
for i = first_other, #ARGV do redis.call('HDEL', configuration, ARGV[i]) end
local stamp = version .. '@' .. time[1] .. '.' .. time[2]
redis.call('HSET', configuration, 'version', version, 'stamp', stamp, 'document', document)
return 'written'
