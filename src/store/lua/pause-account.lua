--[[
  Purpose    Nobody gets a permit of the account for a while, because the marketplace asked so.
  Guarantee  A pause is never shortened; two replies that ask for different pauses give the longer.
  KEYS       1  the account's hash, see take-permits.lua
  ARGV       1  for how long from now, in ms of Redis's clock
  Returns    when the pause ends, unix ms
]]

local time = redis.call("TIME")
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local earlierMs = tonumber(redis.call("HGET", KEYS[1], "pausedUntilMs") or 0)
local untilMs = math.max(earlierMs, nowMs + tonumber(ARGV[1]))
redis.call("HSET", KEYS[1], "pausedUntilMs", string.format("%d", untilMs))
return untilMs
