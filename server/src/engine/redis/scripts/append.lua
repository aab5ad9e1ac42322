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
local ANSWERS_MS = '600000'

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

local function append_block(channel, ms, seq, count, data)
  local id = id_of(ms, seq)
  redis.call('XADD', prefix .. 's:' .. channel.name, id, 'n', count, 'd', data)
  local records, size = tonumber(count), #data + BLOCK_OVERHEAD
  if channel.records == 0 then
    channel.first, channel.first_ms = id_of(ms, seq - records + 1), ms
    channel.block, channel.block_bytes = id, size
  end
  channel.records = channel.records + records
  channel.bytes = channel.bytes + size
  channel.last, channel.last_ms = id, ms
  bytes = bytes + size
  local message = id .. ' ' .. count .. '\n' .. data
  redis.call('PUBLISH', prefix .. 'live:' .. channel.name, message)
  -- Who follows a workspace has one topic for it: Redis would look at a pattern for each with every message.
  local workspace = string.match(channel.name, '^logs:[^:]*:([^:]*)') or ''
  redis.call('PUBLISH', prefix .. 'in:' .. workspace, channel.name .. ' ' .. message)
end

-- Whether the unit in hand has put its answer where repeats look for it.
local is_remembered

-- Of these blocks, the first of which begins at this argument. The records of a unit are next to each other.
local function append_unit(key, made_from, from, blocks)
  local records = 0
  for block = 0, blocks - 1 do
    records = records + tonumber(ARGV[from + 3 * block + 1])
  end
  local ms, seq = last_ms, last_seq
  if now > ms then
    ms, seq = now, -1
  end
  if seq + records > LARGEST_SEQ then
    ms, seq = ms + 1, -1
  end
  local first, last = id_of(ms, seq + 1), id_of(ms, seq + records)
  local subscribers = text_of(subscribers_of(channel_at(tonumber(ARGV[from]))))
  if key ~= '' then
    local answer = made_from .. ' ' .. first .. ' ' .. last .. ' ' .. subscribers
    -- Looked for and remembered in one.
    local before = redis.call('SET', prefix .. 'k:' .. key, answer, 'NX', 'GET', 'PX', ANSWERS_MS)
    if before then
      local was, first_before, last_before, subscribers_before = string.match(before, '^(%x+) (%S+) (%S+) (%d+)$')
      if was ~= made_from then
        return { 'reused' }
      end
      return { 'repeat', first_before, last_before, subscribers_before }
    end
    is_remembered = true
  end
  last_ms, last_seq = ms, seq + records
  for block = 0, blocks - 1 do
    local at_block = from + 3 * block
    local count = ARGV[at_block + 1]
    seq = seq + tonumber(count)
    append_block(channel_at(tonumber(ARGV[at_block])), ms, seq, count, ARGV[at_block + 2])
  end
  return { 'new', first, last, subscribers }
end

local answers = {}
local unit_count = tonumber(ARGV[at])
at = at + 1
if unit_count == 0 then
  -- Nobody hears this. It finds out whether publishing is allowed.
  redis.call('PUBLISH', prefix .. 'live:', '')
end
for unit = 1, unit_count do
  local blocks = tonumber(ARGV[at + 2])
  is_remembered = false
  -- What is wrong with one channel is not to keep the others from being appended to.
  local done, answer = pcall(append_unit, ARGV[at], ARGV[at + 1], at + 3, blocks)
  if not done then
    -- What was not appended whole is no answer to a repeat.
    if is_remembered then
      redis.call('DEL', prefix .. 'k:' .. ARGV[at])
    end
    answer = { 'failed', type(answer) == 'table' and answer.err or tostring(answer) }
  end
  answers[unit] = answer
  at = at + 3 + 3 * blocks
end
-- Written even where nothing is new, so that who waits for replicas waits for what was appended before.
redis.call('HSET', prefix .. 'log', 'last', id_of(last_ms, last_seq))

for _, channel in ipairs(order) do
  if channel.last_ms then
    if channel.records > keep then
      local was = channel.first
      bytes = bytes - trim(channel, channel.records - keep, 0, { blocks = 1024, bytes = math.huge })
      if channel.first ~= was then
        channel.first_ms = parts_of(channel.first)
      end
    end
    save_channel(channel)
    redis.call('ZADD', prefix .. 'recent', text_of(channel.last_ms), channel.name)
    if channel.first_ms then
      redis.call('ZADD', prefix .. 'oldest', text_of(channel.first_ms), channel.name)
    end
    if channel.is_new then
      channel_total = channel_total + 1
      redis.call('ZADD', prefix .. 'dir', '0', ARGV[channel.place], '0', ARGV[channel.place + 1], '0', ARGV[channel.place + 2])
    end
  end
end
if #order > 0 then
  redis.call('HSET', prefix .. 'log', 'bytes', text_of(bytes), 'channels', text_of(channel_total))
end
return { id_of(last_ms, last_seq), answers }
