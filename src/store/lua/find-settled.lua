--[[
  Purpose    Find, in one page of the lanes recorded as lagging, those whose record is not up to date: its
             effect is not the lane's first any more, or is not told yet.
  Guarantee  Changes nothing. What is recorded through all pages is found, perhaps twice.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  cursor, "0" at first
             3  records of a page, about
  Returns    {next cursor ("0": no more pages), then for each such record
              item, record, first effect ("" when it is another than the record's, or there is none)}
]]
local p, channel = KEYS[1], ARGV[1]
local page = redis.call('HSCAN', p .. 'lagging:' .. channel, ARGV[2], 'COUNT', ARGV[3])
local found = { page[1] }
for i = 1, #page[2], 2 do
  local item, record = page[2][i], page[2][i + 1]
  local state, id = string.match(record, '^(%a+) (.+)$')
  local effect = redis.call('LINDEX', p .. 'out:' .. channel .. ':' .. item, 0) or ''
  local isFirst = string.find(effect, '"id":' .. id, 1, true) ~= nil
  if state ~= 'told' or not isFirst then
    found[#found + 1] = item
    found[#found + 1] = record
    found[#found + 1] = isFirst and effect or ''
  end
end
return found
