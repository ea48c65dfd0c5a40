#!lua
-- Renews a worker's lease (0 ms: gives it up) and returns the workers that live.
-- KEYS workers
-- ARGV worker leaseMs
-- REPLY {worker}
local workers = unpack(KEYS)
local worker, leaseMs = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if leaseMs == '0' then
  redis.call('ZREM', workers, worker)
else
  redis.call('ZADD', workers, string.format('%.0f', now + leaseMs), worker)
end
redis.call('ZREMRANGEBYSCORE', workers, '-inf', string.format('%.0f', now))
return redis.call('ZRANGE', workers, 0, 9999)
