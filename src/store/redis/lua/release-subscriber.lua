#!lua
-- Lets go of a subscriber, unless somebody else holds it by now: where its move is `done` nothing is
-- remembered of it, where it was `stopped` the next one is told what this one was told.
-- KEYS move
-- ARGV token outcome
-- REPLY released | taken
local move = unpack(KEYS)
local token, outcome = unpack(ARGV)
if redis.call('HGET', move, 'token') ~= token then return 'taken' end
if outcome == 'done' then
  redis.call('DEL', move)
else
  redis.call('HSET', move, 'until', '0')
end
return 'released'
