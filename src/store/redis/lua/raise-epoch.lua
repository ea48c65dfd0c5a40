#!lua
-- Opens a new epoch if the partition is still as it was read (`seen`: its epoch, or empty), and
-- stamps it with the server's identity. `record` is an encoded epoch record up to and including
-- the tag of its last field, which is added here: the id of the last record before it.
-- KEYS partition outbox
-- ARGV seen runId replicationId record
-- REPLY epoch
local partition, outbox = unpack(KEYS)
local seen, runId, replicationId, record = unpack(ARGV)
local epoch = redis.call('HGET', partition, 'epoch')
if (epoch or '') ~= seen then return epoch end
local last = '0-0'
if redis.call('EXISTS', outbox) == 1 then
  local info = redis.call('XINFO', 'STREAM', outbox)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local raised = math.max(now, string.match(last, '^%d+') + 1, (tonumber(epoch) or 0) + 1)
epoch = string.format('%.0f', raised)
redis.call('XADD', outbox, epoch .. '-0', 'r', record .. string.char(#last) .. last)
redis.call('HSET', partition, 'epoch', epoch, 'run', runId, 'replication', replicationId)
return epoch
