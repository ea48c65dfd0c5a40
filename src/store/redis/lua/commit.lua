#!lua
-- The commit: validates all, then writes, because an error does not undo what was written before
-- it. No other script moves money. `subject` is the session (`expected` is the version decided on,
-- 0: must not exist), or the key of an event or a booking (`expected` is empty: must not exist).
-- `ttl` is in ms, empty for none, `keep` for the one it has; `timer` is a score, empty to leave the
-- wheel alone, or `remove`; `place` is the start time of a session that opens, `close`, or empty.
-- KEYS account outbox subject [timers sessions index]
-- ARGV epoch version expected value ttl timer place member subscriber notAfter record {field delta min max}
-- REPLY duplicate stored | conflict last session account | stale-epoch | moved | late | insufficient {counter} | out-of-range which | committed id {counter}
local account, outbox, subject, timers, sessions, index = unpack(KEYS)
local epoch, version, expected, value, ttl, timer, place, member, subscriber, notAfter, record =
  unpack(ARGV, 1, 11)
local MOVEMENTS, LIMIT = 12, 9007199254740991
local call = redis.call

local function last_record()
  local info = call('XINFO', 'STREAM', outbox)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local function conflict()
  return { 'conflict', last_record(), expected ~= '' and call('GET', subject), call('HGETALL', account) }
end

-- A newer epoch goes before every refusal; for a commit that goes through, XADD finds it out.
local function refuse(reply)
  local newest = tonumber(string.match(last_record(), '^%d+'))
  return newest > tonumber(epoch) and { 'stale-epoch' } or reply
end

if expected == '' then
  local stored = call('GET', subject)
  if stored then return { 'duplicate', stored } end
elseif call('GETRANGE', subject, 0, #expected) ~= (expected == '0' and '' or expected .. ' ') then
  return conflict()
end

local fields = { 'version' }
for i = MOVEMENTS, #ARGV, 4 do fields[#fields + 1] = ARGV[i] end
if subscriber ~= '' then fields[#fields + 1] = subscriber end
local held = call('HMGET', account, unpack(fields))
if held[1] ~= version then return conflict() end

local counters, sums, set = {}, {}, { 'HSET', account }
local short, out_of_range
for i = MOVEMENTS, #ARGV, 4 do
  local n = #sums + 1
  local before, max, min = tonumber(held[n + 1]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 2])
  if not before or (max and before > max) then return conflict() end
  local sum = before + ARGV[i + 1]
  if min and sum < min then short = true end
  if sum > LIMIT or sum < -LIMIT then out_of_range = out_of_range or n end
  counters[n] = held[n + 1]
  sums[n] = string.format('%.0f', sum)
  set[#set + 1] = ARGV[i]
  set[#set + 1] = sums[n]
end

if subscriber ~= '' and not held[#fields] then return refuse({ 'moved' }) end
if notAfter ~= '' then
  local time = call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now > tonumber(notAfter) then return refuse({ 'late' }) end
end
if short then return refuse({ 'insufficient', unpack(counters) }) end
if out_of_range then return refuse({ 'out-of-range', tostring(out_of_range) }) end

-- The first write, and the check of the epoch: a stream takes no id before its last one.
local id = redis.pcall('XADD', outbox, epoch .. '-*', 'r', record)
if type(id) == 'table' then
  return string.find(id.err, 'equal or smaller', 1, true) and { 'stale-epoch' } or id
end
if #sums > 0 then call(unpack(set)) end
if expected == '' then
  call('SET', subject, value, 'PX', ttl)
else
  local stored = string.format('%.0f %s ', expected + 1, id) .. value
  if ttl == '' then
    call('SET', subject, stored)
  elseif ttl == 'keep' then
    call('SET', subject, stored, 'KEEPTTL')
  else
    call('SET', subject, stored, 'PX', ttl)
  end
  if timer == 'remove' then
    call('ZREM', timers, member)
  elseif timer ~= '' then
    call('ZADD', timers, timer, member)
  end
  if place == 'close' then
    call('SREM', sessions, member)
    call('ZREM', index, member)
  elseif place ~= '' then
    call('SADD', sessions, member)
    call('ZADD', index, place, member)
  end
end
return { 'committed', id, unpack(sums) }
