--[[
  Purpose    Grant up to `want` requests of one marketplace account, or say when to ask again.
  Guarantee  Over all processes, no 60 seconds hold more granted permits than the limit, wherever
             they begin. Permits are counted per second of Redis's clock, and the last window + 1
             seconds are summed: any 60 seconds touch at most 61 of them. While the account is held
             or paused nobody gets a permit, whatever the limit.
  KEYS       1  the account's hash: <unix second> -> permits granted in it, `held` -> reason,
                `pausedUntilMs` -> unix ms. It never expires, because a hold must not; it has one
                field per second of the window at most.
  ARGV       1  ceiling: permits that the window may hold after this grant; -1 is no limit
             2  want: permits asked for; 0 only looks
             3  window, in seconds
  Returns    { granted, retryAfterMs, used, second, pausedUntilMs, held }
             granted       0 to want
             retryAfterMs  until a permit can be had, when granted < want; not known while held
             used          permits in the window, these included
             second        the bucket these are counted in, for giving them back
             pausedUntilMs 0 when not paused
             held          the reason, or null
]]

local key = KEYS[1]
local ceiling = tonumber(ARGV[1])
local want = tonumber(ARGV[2])
local window = tonumber(ARGV[3])

local time = redis.call("TIME")
local now = tonumber(time[1])
local nowMs = now * 1000 + math.floor(tonumber(time[2]) / 1000)

local held = false
local pausedUntilMs = 0
local used = 0
local counts = {}
local expired = {}

local fields = redis.call("HGETALL", key)
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == "held" then
    held = value
  elseif name == "pausedUntilMs" then
    pausedUntilMs = tonumber(value)
  else
    local second = tonumber(name)
    -- A second from the future was counted under a clock that has been set back since, or by a
    -- server that failed over: near ones still bind, far ones would block the account for as long.
    if second < now - window or second > now + window then
      expired[#expired + 1] = name
    else
      -- Giving back more than was taken must not make room for more than the limit.
      counts[second] = math.max(0, tonumber(value))
      used = used + counts[second]
    end
  end
end

if pausedUntilMs ~= 0 and pausedUntilMs <= nowMs then
  pausedUntilMs = 0
  expired[#expired + 1] = "pausedUntilMs"
end
if #expired > 0 then
  redis.call("HDEL", key, unpack(expired))
end

local granted = 0
if not held and pausedUntilMs == 0 then
  granted = want
  if ceiling >= 0 then
    granted = math.min(want, math.max(0, ceiling - used))
  end
end
if granted > 0 and ceiling >= 0 then
  counts[now] = (counts[now] or 0) + granted
  used = used + granted
  redis.call("HSET", key, now, counts[now])
end

local retryAfterMs = 0
if granted < want then
  retryAfterMs = math.max(0, pausedUntilMs - nowMs)
  local surplus = used + 1 - ceiling
  if ceiling >= 0 and surplus > 0 then
    local seconds = {}
    for second in pairs(counts) do
      seconds[#seconds + 1] = second
    end
    table.sort(seconds)
    for _, second in ipairs(seconds) do
      surplus = surplus - counts[second]
      if surplus <= 0 then
        retryAfterMs = math.max(retryAfterMs, (second + window + 1) * 1000 - nowMs)
        break
      end
    end
  end
end

return { granted, retryAfterMs, used, now, pausedUntilMs, held }
