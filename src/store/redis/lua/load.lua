#!lua
-- Reads an account and, where its key is given, a session of it in one step. Where the account's
-- version is `known`, its definition is too, with all its subscribers: only version and counters
-- are read then.
-- KEYS account partition [session]
-- ARGV known
-- REPLY epoch session account counters
local account, partition, session = unpack(KEYS)
local known = unpack(ARGV)
local call = redis.call
local epoch = call('HGET', partition, 'epoch')
local stored = session and call('GET', session) or false
local version, buckets = unpack(call('HMGET', account, 'version', 'buckets'))
if version ~= known or not buckets then return { epoch, stored, call('HGETALL', account), {} } end

local fields, counters = { 'version', 'n:open' }, {}
local periods = string.find(buckets, '"renewal":', 1, true)
  or string.find(buckets, '"lastsMs":', 1, true)
for id in string.gmatch(buckets, '"id":"([^"]+)"') do
  fields[#fields + 1] = 'a:' .. id
  fields[#fields + 1] = 'r:' .. id
  if periods then fields[#fields + 1] = 'p:' .. id end
end
for i, value in ipairs(call('HMGET', account, unpack(fields))) do
  if value then
    counters[#counters + 1] = fields[i]
    counters[#counters + 1] = value
  end
end
return { epoch, stored, {}, counters }
