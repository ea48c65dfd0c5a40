#!lua
-- Removes records that every reader has acknowledged: whole blocks of the stream, about `limit`
-- records at most, and nothing while an audit has the outbox pinned or a required reader has no
-- position yet. The last record acknowledged by all stays.
-- KEYS readers outbox
-- ARGV limit {reader}
-- REPLY removed
local readers, outbox = unpack(KEYS)
local limit = unpack(ARGV)

local function earlier(a, b)
  local epoch_a, number_a = string.match(a, '^(%d+)-(%d+)$')
  local epoch_b, number_b = string.match(b, '^(%d+)-(%d+)$')
  if epoch_a ~= epoch_b then return tonumber(epoch_a) < tonumber(epoch_b) end
  return tonumber(number_a) < tonumber(number_b)
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local row = redis.call('HGETALL', readers)
local positions, lowest, pinned = {}, nil, false
for i = 1, #row, 2 do
  local kind, name = string.match(row[i], '^(%a+):(.+)$')
  if kind == 'position' then
    positions[name] = true
    if not lowest or earlier(row[i + 1], lowest) then lowest = row[i + 1] end
  elseif kind == 'pin' then
    if tonumber(row[i + 1]) > now then pinned = true else redis.call('HDEL', readers, row[i]) end
  end
end
for i = 2, #ARGV do
  if not positions[ARGV[i]] then return '0' end
end
if pinned or not lowest then return '0' end
local removed = redis.call('XTRIM', outbox, 'MINID', '~', lowest, 'LIMIT', limit)
return string.format('%.0f', removed)
