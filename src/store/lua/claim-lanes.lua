--[[
  Purpose    Take lanes whose effects are to be delivered now.
  Guarantee  A lane is given to one owner at a time, for the length of its lease; its attempt is marked
             as begun before anything is sent, so that a later owner knows that the outcome is unknown.
             On another Redis server than before, which may have forgotten what it knew, the shard is
             cautious for a while: each attempt begins with outcome unknown.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  now, ms
             3  end of the lease, ms
             4  owner
             5  lanes wanted
             6  effects returned per lane
             7  for how long the shard is cautious on a new server, ms
  Returns    for each lane {item, attempt before ("" none), effect, effect ...}, urgent first
]]
local p, channel, now = KEYS[1], ARGV[1], ARGV[2]

-- Asked here and not by the client: between its question and its claim the server may be another.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', p .. 'server') ~= server then
  redis.call('SET', p .. 'server', server)
  redis.call('SET', p .. 'caution', tonumber(now) + tonumber(ARGV[7]))
end
local isCautious = tonumber(redis.call('GET', p .. 'caution') or '0') > tonumber(now)

local ready, later = p .. 'ready:' .. channel, p .. 'later:' .. channel

local function effectsOf(item)
  return redis.call('LRANGE', p .. 'out:' .. channel .. ':' .. item, 0, tonumber(ARGV[6]) - 1)
end

local waited = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, ARGV[5])
for _, item in ipairs(waited) do
  redis.call('ZREM', later, item)
  local effects = effectsOf(item)
  if #effects > 0 then redis.call('ZADD', ready, laneScore(effects), item) end
end

local lanes = {}
local popped = redis.call('ZPOPMIN', ready, ARGV[5])
for i = 1, #popped, 2 do
  local item = popped[i]
  local effects = effectsOf(item)
  if #effects > 0 then
    local before = redis.call('HGET', p .. 'attempt:' .. channel, item) or ''
    local attempts = tonumber(string.match(before, '^%d+') or '0') + 1
    -- The marketplace has reported something since: its lane begins with a look, as after a lost answer.
    if redis.call('HDEL', p .. 'look:' .. channel, item) == 1 then
      before = (attempts - 1) .. ' begun -'
    end
    if isCautious then before = (attempts - 1) .. ' forgotten -' end
    redis.call('HSET', p .. 'attempt:' .. channel, item, attempts .. ' begun ' .. ARGV[4])
    redis.call('ZADD', p .. 'leased:' .. channel, ARGV[3], item)
    lanes[#lanes + 1] = { item, before, unpack(effects) }
  end
end
return lanes
