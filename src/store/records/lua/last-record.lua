#!lua
-- The id of the last record ever written to an outbox, trimmed or not.
-- KEYS outbox
-- ARGV
-- REPLY id
local outbox = unpack(KEYS)
if redis.call('EXISTS', outbox) == 0 then return '0-0' end
local info = redis.call('XINFO', 'STREAM', outbox)
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then return info[i + 1] end
end
return '0-0'
