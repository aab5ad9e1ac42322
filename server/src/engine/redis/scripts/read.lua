-- Reads a channel's blocks, the oldest first from behind `after`, or the newest first, about so many bytes.
--
-- ARGV: prefix, channel, after, limit, bytes, 'oldest' or 'newest'.
-- Returns: whether these are all (1 or 0), records there are, the first's id, up to where is trimmed, and for each block
--   its last id, how many records and the data. Blocks at either end may have records beyond what was asked for.
-- Bound: the bytes, one block at least.

local channel = channel_of(ARGV[2])
local stream = prefix .. 's:' .. channel.name
local after, limit, most = ARGV[3], ARGV[4], tonumber(ARGV[5])
local is_newest = ARGV[6] == 'newest'
local limit_ms, limit_seq = parts_of(limit)

local found, taken, is_all = {}, 0, false
local function take(block)
  local fields = block[2]
  found[#found + 1] = { block[1], fields[2] or '', fields[4] or '' }
  taken = taken + #(fields[4] or '')
end

-- How many blocks to look at next: few at first, because these may be larger than the channel's others.
local size = channel.bytes / math.max(1, redis.call('XLEN', stream))
local largest_portion = 16
local function portion()
  local count = math.ceil((most - taken) / math.max(1, size, #found > 0 and taken / #found or 0))
  count = math.max(1, math.min(largest_portion, count))
  largest_portion = math.min(256, 2 * largest_portion)
  return count
end

local from
if is_newest then
  -- The block that ends at the limit or later may begin before it.
  local block = redis.call('XRANGE', stream, limit, '+', 'COUNT', 1)[1]
  if block then
    local ms, seq = parts_of(block[1])
    local first_seq = seq - (tonumber(block[2][2]) or 1) + 1
    if not is_before(limit_ms, limit_seq, ms, first_seq) then
      take(block)
    end
  end
  from = '(' .. limit
else
  from = '(' .. after
end
while taken < most and not is_all do
  local count = portion()
  local blocks
  if is_newest then
    blocks = redis.call('XREVRANGE', stream, from, '-', 'COUNT', count)
  else
    blocks = redis.call('XRANGE', stream, from, '+', 'COUNT', count)
  end
  is_all = #blocks < count
  for _, block in ipairs(blocks) do
    take(block)
    from = '(' .. block[1]
    local ms, seq = parts_of(block[1])
    if not is_newest and not is_before(ms, seq, limit_ms, limit_seq) then
      is_all = true
      break
    end
    if taken >= most then
      is_all = is_all and block == blocks[#blocks]
      break
    end
  end
end
return { is_all and 1 or 0, tostring(channel.records), channel.first, channel.trimmed, found }
