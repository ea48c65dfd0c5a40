#!lua
-- Reads an account and, where its key is given, a session of it in one step.
-- KEYS account partition [session]
-- ARGV
-- REPLY epoch session account
local account, partition, session = unpack(KEYS)
return {
  redis.call('HGET', partition, 'epoch'),
  session and redis.call('GET', session) or false,
  redis.call('HGETALL', account),
}
