#!lua
-- Changes a subscriber's pointer if it is still what was read, while its lease lasts (`notAfter`, store
-- ms); empty stands for no pointer.
-- KEYS pointer
-- ARGV from to notAfter
-- REPLY late | pointed | elsewhere
local pointer = unpack(KEYS)
local from, to, notAfter = unpack(ARGV)
local time = redis.call('TIME')
if time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(notAfter) then return 'late' end
if (redis.call('GET', pointer) or '') ~= from then return 'elsewhere' end
if to == '' then
  redis.call('DEL', pointer)
else
  redis.call('SET', pointer, to)
end
return 'pointed'
