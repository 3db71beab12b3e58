--[[
  Purpose    Append an entry to the audit journal, and keep something about the request behind it.
  Guarantee  Only behind the entry that it was made to follow, so the chain never forks, however many
             append at the same time. What is kept about a request is kept with the entry or not at all,
             and is never replaced: of two that would keep the same, one appends.
  KEYS       1  the journal
  ARGV       1  the entry that it follows, as it is stored; "" when it is the first
             2  the new entry
             3  name of the request; absent, as all that follows, when nothing is kept
             4  what is kept: a field
             5  its value
             6  how long what is known of the request is kept from now on, ms
  Returns    1, 0 when that is kept already, or the last entry as it is stored ("" for none) when that is
             another by now
]]
local last = redis.call('LRANGE', KEYS[1], -1, -1)[1] or ''
if last ~= ARGV[1] then return last end
if ARGV[3] then
  -- In the journal's slot: its name is the hash tag.
  local kept = KEYS[1] .. ':{' .. KEYS[1] .. '}:' .. ARGV[3]
  if redis.call('HSETNX', kept, ARGV[4], ARGV[5]) == 0 then return 0 end
  redis.call('PEXPIRE', kept, ARGV[6])
end
redis.call('RPUSH', KEYS[1], ARGV[2])
return 1
