--[[
  Purpose    End a dead letter: what it told of was solved or given up.
  Guarantee  The letter and its place in the list go together.
  KEYS       1  prefix of the shard
  ARGV       1  dead letter id
  Returns    1, or 0 when it had ended before
]]
local p = KEYS[1]
redis.call('HDEL', p .. 'deadletters', ARGV[1])
return redis.call('ZREM', p .. 'dead', ARGV[1])
