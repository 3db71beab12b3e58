-- Shared by the scripts that write to journals: tells the shard's feed which ones grew, as item and
-- "<entries it has now> <entries added>" in turn. One record for a whole batch, and none of the entries
-- themselves: whoever listens reads them from the journals, so the feed costs those who commit as little
-- as can be. A record is some 35 bytes for each item in it; feed-store.ts knows how many are kept.
local FEED_RECORDS = 10000

local function tellFeed(p, grown)
  if #grown == 0 then return end
  redis.call('XADD', p .. 'feed', 'MAXLEN', '~', FEED_RECORDS, '*', unpack(grown))
end
