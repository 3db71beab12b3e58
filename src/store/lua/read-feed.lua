--[[
  Purpose    Read a shard's feed on from a place.
  Guarantee  List and count of one moment: nothing is passed over because the list is cut meanwhile.
  KEYS       1  prefix of the shard
  ARGV       1  records before the place, those cut off among them; -1: all
             2  most records
  Returns    {"read", the record in front of the place ("" there is none), records behind it}
             {"end", records that there ever were, the last of them ("" none)}  where the place is not
             within what is kept, and for -1
]]
local feed = KEYS[1] .. 'feed'
local cut = tonumber(redis.call('GET', KEYS[1] .. 'feedcut') or '0')
local place = tonumber(ARGV[1])
local last = cut + redis.call('LLEN', feed)
if place < 0 or place > last or (place <= cut and cut > 0) then
  return { 'end', last, redis.call('LINDEX', feed, -1) or '' }
end
local from = place - cut
local before = from > 0 and redis.call('LINDEX', feed, from - 1) or ''
return { 'read', before, unpack(redis.call('LRANGE', feed, from, from + ARGV[2] - 1)) }
