--[[
  Purpose    An operator does not wait for the next attempt of a lane: deliver now, or leave out its first
             effects.
  Guarantee  Only while the lane waits for a later attempt, and only while its first effect is the one
             that the operator has seen. What is left out leaves the outbox in the same write that
             journals it. Whether the last attempt may have arrived stays known: what is delivered next
             is looked up first. The shard's feed tells if the journal grew.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  item
             3  id of the first effect
             4  number of effects left out
             5… journal entries
  Returns    1, or 0 when the lane does not wait, or has another first effect by now
]]
local p, channel, item = KEYS[1], ARGV[1], ARGV[2]
local out, later = p .. 'out:' .. channel .. ':' .. item, p .. 'later:' .. channel
local first = string.match(redis.call('LINDEX', out, 0) or '', '{.*')
if not first or cjson.decode(first).id ~= ARGV[3] then return 0 end
if redis.call('ZREM', later, item) == 0 then return 0 end
if ARGV[4] ~= '0' then
  redis.call('LTRIM', out, ARGV[4], -1)
  local attempt = redis.call('HGET', p .. 'attempt:' .. channel, item)
  -- What comes next was not tried yet: its attempts are counted from the first.
  if attempt then
    local anew = string.gsub(attempt, '^%d+', '0')
    redis.call('HSET', p .. 'attempt:' .. channel, item, anew)
  end
end
if #ARGV > 4 then
  local length = redis.call('RPUSH', p .. 'j:' .. item, unpack(ARGV, 5))
  tellFeed(p, { item, length .. ' ' .. #ARGV - 4 })
end
if redis.call('LLEN', out) > 0 then
  redis.call('ZADD', p .. 'ready:' .. channel, 0, item)
else
  redis.call('HDEL', p .. 'attempt:' .. channel, item)
  redis.call('HDEL', p .. 'look:' .. channel, item)
end
return 1
