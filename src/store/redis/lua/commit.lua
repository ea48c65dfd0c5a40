#!lua
-- The commit: validates all, then writes, because an error does not undo what was written before
-- it. Once an account is there, no other script moves what pays. `subject` is the session (`expected`
-- is the version decided on, 0: must not exist), or the key of an event or a booking (`expected` is
-- empty: must not exist). `ttl` is in ms, empty for none, `keep` for the one it has; `timer` is a
-- score, empty to leave the wheel alone, or `remove`; `place` is the start time of a session that
-- opens, `close`, or empty. `spent` is a second key that an event uses up: must not exist.
-- KEYS account outbox subject [timers sessions index spent]
-- ARGV epoch version expected value ttl timer place member subscriber notAfter record {field delta min max}
-- REPLY duplicate stored | conflict last session account counters | stale-epoch | moved | late | insufficient {counter} | out-of-range which | committed id {counter}
local account, outbox, subject, timers, sessions, index, spent = unpack(KEYS)
local epoch, version, expected, value, ttl, timer, place, member, subscriber, notAfter, record =
  unpack(ARGV, 1, 11)
local MOVEMENTS, LIMIT = 12, 9007199254740991
local call, tonumber, format = redis.call, tonumber, string.format
local refusal

if expected == '' then
  local stored = call('GET', subject) or (spent and call('GET', spent))
  if stored then return { 'duplicate', stored } end
elseif call('GETRANGE', subject, 0, #expected) ~= (expected == '0' and '' or expected .. ' ') then
  refusal = 'conflict'
end

local get = { 'HMGET', account, 'version' }
for i = MOVEMENTS, #ARGV, 4 do get[#get + 1] = ARGV[i] end
if subscriber ~= '' then get[#get + 1] = subscriber end
local held = call(unpack(get))
if held[1] ~= version then refusal = 'conflict' end

local reply, set, last, beyond = { 'committed', '' }, { 'HSET', account }, 1, nil
for i = MOVEMENTS, #ARGV, 4 do
  last = last + 1
  local before, min, max = tonumber(held[last]), ARGV[i + 2], ARGV[i + 3]
  if not before or (max ~= '' and before > tonumber(max)) then
    refusal = 'conflict'
    break
  end
  local sum = before + ARGV[i + 1]
  if min ~= '' and sum < tonumber(min) then
    refusal = refusal == 'conflict' and refusal or 'insufficient'
  elseif sum > LIMIT or sum < -LIMIT then
    refusal, beyond = refusal or 'out-of-range', beyond or last - 1
  end
  local text = format('%.0f', sum)
  reply[last + 1] = text
  set[#set + 1] = ARGV[i]
  set[#set + 1] = text
end

if refusal ~= 'conflict' then
  if subscriber ~= '' and not held[last + 1] then
    refusal = 'moved'
  elseif notAfter ~= '' then
    local time = call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    if now > tonumber(notAfter) then refusal = 'late' end
  end
end

if refusal then
  local info, newest = call('XINFO', 'STREAM', outbox), nil
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then newest = info[i + 1] end
  end
  if refusal == 'conflict' then
    local stored = expected ~= '' and call('GET', subject)
    local buckets = held[1] == version and call('HGET', account, 'buckets')
    if not buckets then return { refusal, newest, stored, call('HGETALL', account), {} } end
    -- The definition is the one decided on, with all its subscribers: the counters tell the rest.
    local fields, counters = { 'version', 'n:open' }, {}
    local periods = string.find(buckets, '"renewal":', 1, true)
      or string.find(buckets, '"lastsMs":', 1, true)
    for id in string.gmatch(buckets, '"id":"([^"]+)"') do
      fields[#fields + 1] = 'a:' .. id
      fields[#fields + 1] = 'r:' .. id
      if periods then fields[#fields + 1] = 'p:' .. id end
    end
    for i, counter in ipairs(call('HMGET', account, unpack(fields))) do
      if counter then
        counters[#counters + 1] = fields[i]
        counters[#counters + 1] = counter
      end
    end
    return { refusal, newest, stored, {}, counters }
  end
  -- A newer epoch goes before the other refusals; for a commit that goes through, XADD finds out.
  if tonumber(string.match(newest, '^%d+')) > tonumber(epoch) then return { 'stale-epoch' } end
  if refusal == 'insufficient' then return { refusal, unpack(held, 2, last) } end
  return { refusal, beyond and tostring(beyond) }
end

-- The first write, and the check of the epoch: a stream takes no id before its last one.
local id = redis.pcall('XADD', outbox, epoch .. '-*', 'r', record)
if type(id) == 'table' then
  return string.find(id.err, 'equal or smaller', 1, true) and { 'stale-epoch' } or id
end
if last > 1 then call(unpack(set)) end
if expected == '' then
  call('SET', subject, value, 'PX', ttl)
  if spent then call('SET', spent, value, 'PX', ttl) end
else
  local stored = format('%.0f ', expected + 1) .. id .. ' ' .. value
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
reply[2] = id
return reply
