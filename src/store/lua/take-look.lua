--[[
  Purpose    Decide who looks for overdue pushes.
  Guarantee  Of all processes that ask within one interval, one is told to look.
  KEYS       1  when somebody looked last
  ARGV       1  now, ms
             2  interval, ms
  Returns    1, or 0 when somebody has looked less than an interval ago
]]
local key, now = KEYS[1], tonumber(ARGV[1])
local last = tonumber(redis.call('GET', key) or '0')
if last > now - tonumber(ARGV[2]) then return 0 end
redis.call('SET', key, ARGV[1])
return 1
