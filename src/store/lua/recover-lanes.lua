--[[
  Purpose    Give back the lanes whose owner has died, and say whether a channel has work.
  Guarantee  A lane is given back only after its lease has ended. Its attempt stays marked as begun, so
             the next owner reads the item upstream before it sends again.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  now, ms
  Returns    {lanes given back, 1 when anything can be delivered now else 0}
]]
local p, channel, now = KEYS[1], ARGV[1], ARGV[2]
local leased, ready = p .. 'leased:' .. channel, p .. 'ready:' .. channel
local lost = redis.call('ZRANGEBYSCORE', leased, '-inf', now, 'LIMIT', 0, 1000)
for _, item in ipairs(lost) do
  redis.call('ZREM', leased, item)
  -- Work that was interrupted is the oldest there is: it goes before everything of its channel.
  redis.call('ZADD', ready, 0, item)
end
local waiting = redis.call('ZCOUNT', p .. 'later:' .. channel, '-inf', now)
local work = redis.call('ZCARD', ready) + waiting > 0
return { #lost, work and 1 or 0 }
