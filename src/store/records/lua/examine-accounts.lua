#!lua
-- What the audit needs of some accounts of one partition, all of it of the same instant. `last` is
-- the last record's id, `position` the checkpoint's, `gap` what the checkpointer found missing or
-- empty; of each account its hash, the size of its set of open sessions, and its sums.
-- KEYS outbox readers {account sessions sums}
-- ARGV reader
-- REPLY last position gap {account listed sums}
local outbox, readers = unpack(KEYS)
local reader = unpack(ARGV)
local last = '0-0'
if redis.call('EXISTS', outbox) == 1 then
  local info = redis.call('XINFO', 'STREAM', outbox)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local row = redis.call('HMGET', readers, 'position:' .. reader, 'gap')
local reply = { last, row[1] or '0-0', row[2] or '' }
for i = 3, #KEYS, 3 do
  reply[#reply + 1] = redis.call('HGETALL', KEYS[i])
  reply[#reply + 1] = string.format('%.0f', redis.call('SCARD', KEYS[i + 1]))
  reply[#reply + 1] = redis.call('HGETALL', KEYS[i + 2])
end
return reply
