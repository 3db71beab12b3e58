--[[
  Purpose    An operator has solved what blocked a lane: deliver again, or leave out its first effects.
  Guarantee  The lane is opened, its dead letter ends and the operator's decision is journalled in one
             write. A lane that is not blocked is left alone. The shard's feed tells if the journal grew.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  item
             3  dead letter id
             4  number of effects left out
             5… journal entries
  Returns    1, or 0 when the lane is not blocked
]]
local p, channel, item = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HDEL', p .. 'blocked:' .. channel, item) == 0 then return 0 end
local out = p .. 'out:' .. channel .. ':' .. item
if ARGV[4] ~= '0' then redis.call('LTRIM', out, ARGV[4], -1) end
if #ARGV > 4 then
  local length = redis.call('RPUSH', p .. 'j:' .. item, unpack(ARGV, 5))
  tellFeed(p, { item, length .. ' ' .. #ARGV - 4 })
end
redis.call('ZREM', p .. 'dead', ARGV[3])
redis.call('HDEL', p .. 'deadletters', ARGV[3])
if redis.call('LLEN', out) > 0 then redis.call('ZADD', p .. 'ready:' .. channel, 0, item) end
return 1
