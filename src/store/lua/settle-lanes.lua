--[[
  Purpose    End the delivery of a batch of lanes of one channel of one shard.
  Guarantee  What was delivered leaves the outbox in the same write that journals it. An owner that has
             lost its lease to another changes nothing: the present owner will find out by itself. The
             shard's feed tells which journals grew.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  now, ms
             3  number of lanes, then for each:
                  item, owner,
                  verb: "done" | "again" | "block",
                  number of effects that leave the outbox,
                  "done", "again": the attempt to remember ("" none); "block": the problem as JSON,
                  "again": not before, ms; "block": the attempt to remember ("" none); else "",
                  dead letter id and dead letter ("" none),
                  n, n x journal entry
  Returns    for each lane 1, or 0 when the lease was lost
]]
local p, channel, now = KEYS[1], ARGV[1], ARGV[2]
local attempt, leased = p .. 'attempt:' .. channel, p .. 'leased:' .. channel
local at = 4
local grown = {}

local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

local function settleLane()
  local item, owner, verb, dropped = take(), take(), take(), tonumber(take())
  local note, notBefore, deadId, deadText = take(), take(), take(), take()
  local entries = {}
  for i = 1, tonumber(take()) do entries[i] = take() end
  local holder = string.match(redis.call('HGET', attempt, item) or '', '^%d+ %a+ (.+)$')
  if holder ~= owner or not redis.call('ZSCORE', leased, item) then return 0 end

  local out = p .. 'out:' .. channel .. ':' .. item
  if dropped > 0 then redis.call('LTRIM', out, dropped, -1) end
  if #entries > 0 then
    grown[#grown + 1] = item
    grown[#grown + 1] = redis.call('RPUSH', p .. 'j:' .. item, unpack(entries)) .. ' ' .. #entries
  end
  redis.call('ZREM', leased, item)
  if verb == 'again' then
    if note == '' then
      redis.call('HDEL', attempt, item)
    else
      redis.call('HSET', attempt, item, note)
    end
    redis.call('ZADD', p .. 'later:' .. channel, notBefore, item)
    return 1
  end
  redis.call('HDEL', attempt, item)
  if verb == 'block' then
    if notBefore ~= '' then redis.call('HSET', attempt, item, notBefore) end
    redis.call('HSET', p .. 'blocked:' .. channel, item, note)
    redis.call('ZADD', p .. 'dead', now, deadId)
    redis.call('HSET', p .. 'deadletters', deadId, deadText)
    return 1
  end
  local effects = redis.call('LRANGE', out, 0, 31)
  if #effects > 0 then
    if note ~= '' then redis.call('HSET', attempt, item, note) end
    redis.call('ZADD', p .. 'ready:' .. channel, laneScore(effects), item)
  else
    redis.call('HDEL', p .. 'look:' .. channel, item)
  end
  return 1
end

local results = {}
for i = 1, tonumber(ARGV[3]) do
  results[i] = settleLane()
end
tellFeed(p, grown)
return results
