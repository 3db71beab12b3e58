--[[
  Purpose    Keep the leases of lanes whose delivery is still under way.
  Guarantee  Only the owner of a lane can lengthen its lease.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  end of the lease, ms
             then for each lane: item, owner
  Returns    for each lane 1, or 0 when its lease was lost
]]
local p, channel = KEYS[1], ARGV[1]
local kept = {}
for i = 3, #ARGV, 2 do
  local holder = redis.call('HGET', p .. 'attempt:' .. channel, ARGV[i])
  local isOurs = holder and string.match(holder, '^%d+ %a+ (.+)$') == ARGV[i + 1]
  isOurs = isOurs and redis.call('ZSCORE', p .. 'leased:' .. channel, ARGV[i])
  if isOurs then redis.call('ZADD', p .. 'leased:' .. channel, ARGV[2], ARGV[i]) end
  kept[#kept + 1] = isOurs and 1 or 0
end
return kept
