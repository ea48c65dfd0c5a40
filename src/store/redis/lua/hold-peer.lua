#!lua
-- Leases a peer to a worker that has a connection to it (0 ms: gives the lease up). The key ends
-- with its last lease.
-- KEYS peer
-- ARGV worker leaseMs
-- REPLY held | given-up
local peer = unpack(KEYS)
local worker, leaseMs = unpack(ARGV)
if leaseMs == '0' then
  redis.call('ZREM', peer, worker)
  return 'given-up'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', peer, '-inf', string.format('%.0f', now))
redis.call('ZADD', peer, string.format('%.0f', now + leaseMs), worker)
local last = redis.call('ZRANGE', peer, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', peer, last[2])
return 'held'
