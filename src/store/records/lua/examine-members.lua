#!lua
-- Sessions by their members, each with whether it stands in the account's set, in the tenant's
-- index and on the timer wheel (`1` or `0`), all of it of the same instant.
-- KEYS timers sessions index {session}
-- ARGV {member}
-- REPLY {session listed indexed armed}
local timers, sessions, index = unpack(KEYS)
local reply = {}
for i, member in ipairs(ARGV) do
  local n = #reply
  reply[n + 1] = redis.call('GET', KEYS[3 + i]) or ''
  reply[n + 2] = tostring(redis.call('SISMEMBER', sessions, member))
  reply[n + 3] = redis.call('ZSCORE', index, member) and '1' or '0'
  reply[n + 4] = redis.call('ZSCORE', timers, member) and '1' or '0'
end
return reply
