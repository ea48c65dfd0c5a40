#!lua
-- Takes a reader out for good, with everything that was kept for it.
-- KEYS readers
-- ARGV reader
-- REPLY forgotten
local readers = unpack(KEYS)
local reader = unpack(ARGV)
for _, field in ipairs(redis.call('HKEYS', readers)) do
  local kind, name = string.match(field, '^(%a+):([^:]+)')
  if kind and kind ~= 'pin' and name == reader then redis.call('HDEL', readers, field) end
end
return 'forgotten'
