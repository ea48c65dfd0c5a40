#!lua
-- Leases the members that are due: their scores move behind the lease, so that another worker
-- finds them again if this one does not commit or re-arm them.
-- KEYS timers
-- ARGV leaseMs limit
-- REPLY now {member}
local timers = unpack(KEYS)
local leaseMs, limit = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now)
local due = redis.call('ZRANGE', timers, '-inf', text, 'BYSCORE', 'LIMIT', 0, limit)
if #due > 0 then
  local leased, add = string.format('%.0f', now + leaseMs), { 'ZADD', timers, 'XX' }
  for _, member in ipairs(due) do
    add[#add + 1] = leased
    add[#add + 1] = member
  end
  redis.call(unpack(add))
end
return { text, unpack(due) }
