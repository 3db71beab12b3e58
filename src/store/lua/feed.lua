-- Shared by the scripts that write to journals: tells the shard's feed which ones grew, as item and
-- "<entries it has now> <entries added>" in turn. One record for a whole batch, and none of the entries
-- themselves: whoever listens reads them from the journals. A list costs those who commit a tenth of what
-- a stream does. It is cut seldom, and what was cut off is counted, so that a record's place never changes.
local FEED_KEPT = 10000
local FEED_CUT_EVERY = 1000

local function tellFeed(p, grown)
  if #grown == 0 then return end
  local length = redis.call('RPUSH', p .. 'feed', table.concat(grown, '\n'))
  if length < FEED_KEPT + FEED_CUT_EVERY then return end
  redis.call('LTRIM', p .. 'feed', -FEED_KEPT, -1)
  redis.call('INCRBY', p .. 'feedcut', length - FEED_KEPT)
end
