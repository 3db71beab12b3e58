--[[
  Purpose    Append an entry to the audit journal.
  Guarantee  Only behind the entry that it was made to follow, so the chain never forks, however many
             append at the same time.
  KEYS       1  the journal
  ARGV       1  the entry that it follows, as it is stored; "" when it is the first
             2  the new entry
  Returns    1, or the last entry as it is stored ("" for none) when that is another by now
]]
local last = redis.call('LRANGE', KEYS[1], -1, -1)[1] or ''
if last ~= ARGV[1] then return last end
redis.call('RPUSH', KEYS[1], ARGV[2])
return 1
