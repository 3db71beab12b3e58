--[[
  Purpose    Keep a dead letter that no commit and no settlement carries.
  Guarantee  The letter and its place in the list are written together; the same letter is kept once.
  KEYS       1  prefix of the shard
  ARGV       1  dead letter id
             2  when, ms
             3  dead letter as JSON
  Returns    1
]]
local p = KEYS[1]
redis.call('ZADD', p .. 'dead', ARGV[2], ARGV[1])
redis.call('HSET', p .. 'deadletters', ARGV[1], ARGV[3])
return 1
