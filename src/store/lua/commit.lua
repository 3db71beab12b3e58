--[[
  Purpose    Commit decisions about a batch of actors of one shard.
  Guarantee  For each actor, snapshot, revision, journal, dedupe marks, outbox, due time, indexes and
             dead letters change together or not at all. An actor whose text is not the one that the
             caller read, or one of whose events was answered before, is left untouched and its present
             text is returned, so that the caller decides again without another read. One such actor does
             not hold up the others. The shard's feed tells which journals grew.
  KEYS       1  prefix of the shard, "ow:{s3}:"
  ARGV       1  number of actors
             2  life of a dedupe mark, ms
             then for each actor:
               item, opening of the text read ("" there was none), new text ("" forgets the actor),
               due time ("" none),
               old status, new status ("" none), time of the decision, order ("" none),
               since when a person should look, ms ("none" nobody need, "" as before),
               n, n x (mark, answer)          events answered here for the first time
               n, n x (mark, answer)          answers that replace an earlier "parked", digest kept
               n, n x journal entry
               n, n x (channel, effect)
               n, n x (dead letter id, dead letter)
               n, n x channel                 whose waiting effects, these among them, are looked up before
                                              they are sent
  Returns    for each actor one of
               {"committed"}
               {"stale", present text or ""}
               {"duplicate", present text or "", answer or "" for each mark, in order}
]]
local p = KEYS[1]
local at = 3
local grown = {}

local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end

local function takeList(width)
  local list = {}
  for i = 1, tonumber(take()) * width do
    list[i] = take()
  end
  return list
end

local function enqueueEffect(item, channel, entry)
  redis.call('SADD', p .. 'channels', channel)
  redis.call('RPUSH', p .. 'out:' .. channel .. ':' .. item, entry)
  -- A lane that is being delivered, waits for its back-off or is blocked comes back by itself.
  if redis.call('ZSCORE', p .. 'leased:' .. channel, item) then return end
  if redis.call('ZSCORE', p .. 'later:' .. channel, item) then return end
  if redis.call('HEXISTS', p .. 'blocked:' .. channel, item) == 1 then return end
  redis.call('ZADD', p .. 'ready:' .. channel, 'LT', effectScore(entry), item)
end

local function commitActor()
  local item, opening, text, due = take(), take(), take(), take()
  local oldStatus, newStatus, now, order = take(), take(), take(), take()
  local attention = take()
  local marks, answers = takeList(2), takeList(2)
  local entries, effects, dead, looks = takeList(1), takeList(2), takeList(2), takeList(1)
  local actorKey, seenKey = p .. 'a:' .. item, p .. 'seen:' .. item
  local present = redis.call('GET', actorKey) or ''

  local duplicate = false
  local known = {}
  for i = 1, #marks, 2 do
    local answer = redis.call('HGET', seenKey, marks[i])
    if answer then duplicate = true end
    known[#known + 1] = answer or ''
  end
  if duplicate then return { 'duplicate', present, unpack(known) } end
  local isSame = string.sub(present, 1, #opening) == opening and (opening ~= '' or present == '')
  if not isSame then return { 'stale', present } end

  if #marks + #answers > 0 then
    for i = 1, #marks, 2 do redis.call('HSET', seenKey, marks[i], marks[i + 1]) end
    for i = 1, #answers, 2 do
      local earlier = redis.call('HGET', seenKey, answers[i])
      if earlier then
        local digest = string.match(earlier, '^%S+')
        redis.call('HSET', seenKey, answers[i], digest .. ' ' .. answers[i + 1])
      end
    end
    redis.call('PEXPIRE', seenKey, ARGV[2])
  end
  if text == '' then
    redis.call('DEL', actorKey, p .. 'j:' .. item)
    redis.call('ZREM', p .. 'due', item)
  else
    redis.call('SET', actorKey, text)
    if #entries > 0 then
      grown[#grown + 1] = item
      grown[#grown + 1] = redis.call('RPUSH', p .. 'j:' .. item, unpack(entries)) .. ' ' .. #entries
    end
    if due == '' then
      redis.call('ZREM', p .. 'due', item)
    else
      redis.call('ZADD', p .. 'due', due, item)
    end
  end
  if oldStatus ~= '' and oldStatus ~= newStatus then
    redis.call('ZREM', p .. 'status:' .. oldStatus, item)
  end
  if newStatus ~= '' then redis.call('ZADD', p .. 'status:' .. newStatus, now, item) end
  if order ~= '' then redis.call('SADD', p .. 'order:' .. order, item) end
  if attention == 'none' then
    redis.call('ZREM', p .. 'attention', item)
  elseif attention ~= '' then
    redis.call('ZADD', p .. 'attention', attention, item)
  end
  for i = 1, #effects, 2 do enqueueEffect(item, effects[i], effects[i + 1]) end
  for _, channel in ipairs(looks) do
    if redis.call('EXISTS', p .. 'out:' .. channel .. ':' .. item) == 1 then
      redis.call('HSET', p .. 'look:' .. channel, item, now)
    end
  end
  for i = 1, #dead, 2 do
    redis.call('ZADD', p .. 'dead', now, dead[i])
    redis.call('HSET', p .. 'deadletters', dead[i], dead[i + 1])
  end
  return { 'committed' }
end

local results = {}
for i = 1, tonumber(ARGV[1]) do
  results[i] = commitActor()
end
tellFeed(p, grown)
return results
