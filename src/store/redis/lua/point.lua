#!lua
-- Changes a subscriber's pointer if it is still what was read; empty stands for no pointer.
-- KEYS pointer
-- ARGV from to
-- REPLY pointed | elsewhere
local pointer = unpack(KEYS)
local from, to = unpack(ARGV)
if (redis.call('GET', pointer) or '') ~= from then return 'elsewhere' end
if to == '' then
  redis.call('DEL', pointer)
else
  redis.call('SET', pointer, to)
end
return 'pointed'
