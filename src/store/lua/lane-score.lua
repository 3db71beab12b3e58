-- Shared by the scripts that put a lane among the ready ones: urgent lanes first, then by age. An effect
-- in the outbox opens with its class and its time: "u 1764000000000 {...}", "r 1764000000000 {...}".
local ROUTINE = 10000000000000

local function effectScore(effect)
  local class, time = string.match(effect, '^(%a) (%d+) ')
  return (class == 'u' and 0 or ROUTINE) + tonumber(time)
end

-- One urgent effect draws its whole lane forward: the effects before it must leave first.
local function laneScore(effects)
  local score = effectScore(effects[1])
  for _, effect in ipairs(effects) do
    if string.sub(effect, 1, 1) == 'u' then return score % ROUTINE end
  end
  return score
end
