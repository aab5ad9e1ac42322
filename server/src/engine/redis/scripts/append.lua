-- Appends records: gives ids, stores, trims, publishes and remembers answers. With nothing to append it begins the log where
-- there is none.
--
-- ARGV: prefix, the id that new ones must come after, a random number in case the log begins, records to keep a channel,
--   how many channels, and of each: its name and its three places in the directory;
--   how many units, and of each: its idempotency key ('' for none), what it was made from, how many blocks,
--     and of each block: which of the channels, how many records, the data.
-- Returns: the id that was given last, and for each unit either {'new', first id, last id, subscribers}, the same with
--   'repeat', {'reused'}, or {'failed', why}.
-- The ids of a unit are consecutive. Bound: the caller's; a channel is trimmed by no more than 1,024 blocks.

local LARGEST_SEQ = 2 ^ 52
local ANSWERS_MS = 600000

local keep = tonumber(ARGV[4])
local channels_at = 6
local channel_count = tonumber(ARGV[5])
local at = channels_at + 4 * channel_count

local now = now_ms()
local head_ms, head_seq = parts_of(ARGV[2])
local log = redis.call('HMGET', prefix .. 'log', 'format', 'last', 'bytes', 'channels')
if log[1] and log[1] ~= '1' then
  return redis.error_reply('FORMAT ' .. log[1])
end
local last_ms, last_seq
if log[1] then
  last_ms, last_seq = parts_of(log[2])
else
  last_ms, last_seq = now, 0
end
-- After a failover Redis may know less than its readers: ids that they have passed are not given again.
if is_before(last_ms, last_seq, head_ms, head_seq) then
  last_ms, last_seq = head_ms, head_seq
end
local bytes, channel_total = tonumber(log[3] or 0), tonumber(log[4] or 0)
if not log[1] then
  local born = id_of(last_ms, last_seq)
  redis.call('HSET', prefix .. 'log', 'format', 1, 'last', born, 'born', born, 'forgotten', '0-0', 'epoch', ARGV[3],
    'bytes', 0, 'channels', 0)
end

-- Each channel is read when its first block comes and written when all have.
local channels, order = {}, {}
local function channel_at(index)
  local channel = channels[index]
  if not channel then
    channel = channel_of(ARGV[channels_at + 4 * (index - 1)])
    channel.place = channels_at + 4 * (index - 1) + 1
    channels[index] = channel
    order[#order + 1] = channel
  end
  return channel
end

local nodes
local function subscribers_of(channel)
  if not channel.subscribers then
    nodes = nodes or redis.call('ZRANGEBYSCORE', prefix .. 'nodes', now, '+inf')
    local sum = 0
    for _, node in ipairs(nodes) do
      sum = sum + (tonumber(redis.call('HGET', prefix .. 'readers:' .. node, channel.name) or 0) or 0)
    end
    channel.subscribers = sum
  end
  return channel.subscribers
end

local function append_block(channel, records, data, seq)
  local id = id_of(last_ms, seq)
  redis.call('XADD', prefix .. 's:' .. channel.name, id, 'n', records, 'd', data)
  local size = #data + BLOCK_OVERHEAD
  if channel.records == 0 then
    channel.first = id_of(last_ms, seq - records + 1)
    channel.block, channel.block_bytes = id, size
    channel.oldest_moved = true
  end
  channel.records = channel.records + records
  channel.bytes = channel.bytes + size
  channel.last = id
  channel.is_changed = true
  bytes = bytes + size
  redis.call('PUBLISH', prefix .. 'live:' .. channel.name, id .. ' ' .. string.format('%.0f', records) .. '\n' .. data)
end

-- Where it begins with `from`. The records of a unit are next to each other.
local function append_unit(key, made_from, from, blocks)
  if key ~= '' then
    local answer = redis.call('GET', prefix .. 'k:' .. key)
    if answer then
      local was, first, last, subscribers = string.match(answer, '^(%x+) (%S+) (%S+) (%d+)$')
      if was ~= made_from then
        return { 'reused' }
      end
      return { 'repeat', first, last, subscribers }
    end
  end
  local records = 0
  for block = 0, blocks - 1 do
    records = records + tonumber(ARGV[from + 3 * block + 1])
  end
  local seq
  if now > last_ms then
    last_ms, seq = now, -1
  else
    seq = last_seq
  end
  if seq + records > LARGEST_SEQ then
    last_ms, seq = last_ms + 1, -1
  end
  local first = id_of(last_ms, seq + 1)
  last_seq = seq + records
  for block = 0, blocks - 1 do
    local channel = channel_at(tonumber(ARGV[from + 3 * block]))
    local count = tonumber(ARGV[from + 3 * block + 1])
    seq = seq + count
    append_block(channel, count, ARGV[from + 3 * block + 2], seq)
  end
  local subscribers = string.format('%d', subscribers_of(channel_at(tonumber(ARGV[from]))))
  local last = id_of(last_ms, last_seq)
  if key ~= '' then
    local answer = made_from .. ' ' .. first .. ' ' .. last .. ' ' .. subscribers
    redis.call('SET', prefix .. 'k:' .. key, answer, 'PX', ANSWERS_MS)
  end
  return { 'new', first, last, subscribers }
end

local answers = {}
local unit_count = tonumber(ARGV[at])
at = at + 1
for unit = 1, unit_count do
  local blocks = tonumber(ARGV[at + 2])
  -- What is wrong with one channel is not to keep the others from being appended to.
  local done, answer = pcall(append_unit, ARGV[at], ARGV[at + 1], at + 3, blocks)
  if not done then
    answer = { 'failed', type(answer) == 'table' and answer.err or tostring(answer) }
  end
  answers[unit] = answer
  at = at + 3 + 3 * blocks
end
-- Written even where nothing is new, so that who waits for replicas waits for what was appended before.
redis.call('HSET', prefix .. 'log', 'last', id_of(last_ms, last_seq))

for _, channel in ipairs(order) do
  if channel.is_changed then
    if channel.records > keep then
      local was = channel.first
      bytes = bytes - trim(channel, channel.records - keep, 0, { blocks = 1024, bytes = math.huge })
      channel.oldest_moved = channel.oldest_moved or channel.first ~= was
    end
    save_channel(channel)
    redis.call('ZADD', prefix .. 'recent', (parts_of(channel.last)), channel.name)
    if channel.oldest_moved then
      redis.call('ZADD', prefix .. 'oldest', (parts_of(channel.first)), channel.name)
    end
    if channel.is_new then
      channel_total = channel_total + 1
      redis.call('ZADD', prefix .. 'dir', 0, ARGV[channel.place], 0, ARGV[channel.place + 1], 0, ARGV[channel.place + 2])
    end
  end
end
if #order > 0 then
  redis.call('HSET', prefix .. 'log', 'bytes', string.format('%.0f', bytes), 'channels', channel_total)
end
return { id_of(last_ms, last_seq), answers }
