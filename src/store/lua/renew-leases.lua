--[[
  Purpose    Keep the leases of lanes whose delivery is still under way.
  Guarantee  Only the owner of a lane can lengthen its lease.
  KEYS       1  prefix of the shard
  ARGV       1  channel
             2  end of the lease, ms
             then for each lane: item, owner
  Returns    number of leases kept
]]
local p, channel = KEYS[1], ARGV[1]
local kept = 0
for i = 3, #ARGV, 2 do
  local holder = redis.call('HGET', p .. 'attempt:' .. channel, ARGV[i])
  if holder and string.match(holder, '^%d+ %a+ (.+)$') == ARGV[i + 1] then
    kept = kept + redis.call('ZADD', p .. 'leased:' .. channel, 'XX', 'CH', ARGV[2], ARGV[i])
  end
end
return kept
