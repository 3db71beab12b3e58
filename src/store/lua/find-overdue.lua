--[[
  Purpose    Find lanes that have waited for long and are not recorded as lagging: one page of the lanes of
             one state.
  Guarantee  Changes nothing. What keeps its state through all pages is found; a lane that changes it
             meanwhile may be missed, or found twice.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  state: "ready" | "later" | "leased" | "blocked"
             3  cursor, "0" at first
             4  lanes of a page, about
             5  the latest decision of a first effect that has waited for long, ms
  Returns    {next cursor ("0": no more pages), item, first effect, item, first effect ...}
]]
local p, channel, state, latest = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[5])
local lagging = p .. 'lagging:' .. channel
local scan = state == 'blocked' and 'HSCAN' or 'ZSCAN'
local page = redis.call(scan, p .. state .. ':' .. channel, ARGV[3], 'COUNT', ARGV[4])
local found, items = { page[1] }, {}
for i = 1, #page[2], 2 do items[#items + 1] = page[2][i] end
if #items == 0 then return found end
-- Asked first: in a long outage nearly all of them are recorded, and no effect need be read.
local records = redis.call('HMGET', lagging, unpack(items))
for i, item in ipairs(items) do
  if not records[i] then
    local effect = redis.call('LINDEX', p .. 'out:' .. channel .. ':' .. item, 0)
    if effect and tonumber(string.match(effect, '^%a (%d+) ')) <= latest then
      found[#found + 1] = item
      found[#found + 1] = effect
    end
  end
end
return found
