#!lua
-- Marks a binding as opened and lets it live for `ttl` ms, unless it names another account by now.
-- A binding is one letter for its state (b: bound, o: opened) and the account's name.
-- KEYS binding
-- ARGV account ttl
-- REPLY kept | elsewhere
local binding = unpack(KEYS)
local account, ttl = unpack(ARGV)
local held = redis.call('GET', binding)
if held and string.sub(held, 2) ~= account then return 'elsewhere' end
redis.call('SET', binding, 'o' .. account, 'PX', ttl)
return 'kept'
