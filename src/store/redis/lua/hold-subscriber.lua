#!lua
-- Leases the moves of a subscriber: whoever holds them (`token`) is the only one that may change who
-- has it, until the lease ends. The key remembers every account that may have it by then, those of
-- moves that were stopped among them, until a move is done.
-- KEYS move
-- ARGV token leaseMs {account}
-- REPLY held until {account} | taken until
local move = unpack(KEYS)
local token, leaseMs = unpack(ARGV, 1, 2)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', move, 'token', 'until')
if held[1] and held[1] ~= token and tonumber(held[2]) >= now then return { 'taken', held[2] } end
local till = string.format('%.0f', now + leaseMs)
redis.call('HSET', move, 'token', token, 'until', till)
for i = 3, #ARGV do redis.call('HSET', move, 'a:' .. ARGV[i], '') end
local reply = { 'held', till }
for _, field in ipairs(redis.call('HKEYS', move)) do
  if string.sub(field, 1, 2) == 'a:' then reply[#reply + 1] = string.sub(field, 3) end
end
return reply
