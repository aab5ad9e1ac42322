-- Lets go of what is not to be kept: of records that are too old, of the oldest of all where together they take too much, of
-- what is too much for its channel, and of channels that have nothing left. It only frees memory, so it is done also where
-- memory is full.
--
-- ARGV: prefix, who sweeps, for how many milliseconds nobody else does then, after how many milliseconds
--   records are too old, bytes that may be kept, records to keep a channel, after which place in the directory to look for those that
--   have more, how many channels to look at for that.
-- Returns: whether this one sweeps (1 or 0), whether there is more to do at once (1 or 0), and the place to go on from ('' at
--   the end).
-- Bound: 256 blocks, some 4 MiB, 64 channels that are forgotten, and the channels that are looked at.

-- For how long it is known what a channel had that is forgotten: for readers that had not read it.
local GONE_MS = '3600000'

local me, lock_ms = ARGV[2], tonumber(ARGV[3])
local before_ms, most, keep = now_ms() - tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local place, looked_at = ARGV[7], tonumber(ARGV[8])

local lock = prefix .. 'sweeps'
if not redis.call('SET', lock, me, 'NX', 'PX', lock_ms) then
  if redis.call('GET', lock) ~= me then
    return { 0, 0, place }
  end
  redis.call('PEXPIRE', lock, lock_ms)
end
local log = redis.call('HMGET', prefix .. 'log', 'format', 'bytes', 'channels', 'forgotten')
if log[1] ~= '1' then
  -- There is none, or one of another version, which is let alone.
  return { 1, 0, '' }
end
local bytes, channel_total, forgotten = tonumber(log[2]), tonumber(log[3]), log[4]
local bytes_before = bytes
local budget = { blocks = 256, bytes = 4194304 }
local channels_left = 64

-- The channel's places in the directory: tag, then its segments in each of three orders, each with a zero byte behind it.
local function forget(channel)
  local service, workspace, resource = string.match(channel.name, '^logs:([^:]*):([^:]*):?(.*)$')
  redis.call('DEL', prefix .. 'c:' .. channel.name, prefix .. 's:' .. channel.name)
  redis.call('SET', prefix .. 'gone:' .. channel.name, channel.trimmed, 'PX', GONE_MS)
  redis.call('ZREM', prefix .. 'recent', channel.name)
  redis.call('ZREM', prefix .. 'oldest', channel.name)
  if service then
    redis.call('ZREM', prefix .. 'dir', 'w' .. workspace .. '\0' .. service .. '\0' .. resource .. '\0',
      's' .. service .. '\0' .. resource .. '\0' .. workspace .. '\0',
      'r' .. resource .. '\0' .. workspace .. '\0' .. service .. '\0')
  end
  if not channel.is_new then
    channel_total = channel_total - 1
  end
  local ms, seq = parts_of(channel.trimmed)
  local forgotten_ms, forgotten_seq = parts_of(forgotten)
  if is_before(forgotten_ms, forgotten_seq, ms, seq) then
    forgotten = channel.trimmed
  end
end

local function cut(channel, excess, before)
  bytes = bytes - trim(channel, excess, before, budget)
  if channel.records == 0 then
    channels_left = channels_left - 1
    forget(channel)
  else
    save_channel(channel)
    redis.call('ZADD', prefix .. 'oldest', text_of((parts_of(channel.first))), channel.name)
  end
end

local function has_budget()
  return budget.blocks > 0 and budget.bytes > 0 and channels_left > 0
end

-- Too old.
while has_budget() do
  local name = redis.call('ZRANGEBYSCORE', prefix .. 'oldest', '-inf', '(' .. string.format('%.0f', before_ms), 'LIMIT', 0, 1)[1]
  if not name then
    break
  end
  cut(channel_of(name), 0, before_ms)
end

-- Too much together: the channel with the oldest record gives of its own until another has an older one.
while bytes > most and has_budget() do
  local oldest = redis.call('ZRANGE', prefix .. 'oldest', 0, 1, 'WITHSCORES')
  if not oldest[1] then
    bytes = 0
    break
  end
  local before = math.max(tonumber(oldest[4]) or math.huge, tonumber(oldest[2]) + 1)
  local others = { blocks = budget.blocks, bytes = math.min(budget.bytes, bytes - most) }
  local rest_of_bytes = budget.bytes - others.bytes
  budget = others
  cut(channel_of(oldest[1]), 0, before)
  budget.bytes = budget.bytes + rest_of_bytes
end

-- Too much for its channel. Appending trims as well: this is for channels to which nothing is appended.
if looked_at > 0 and has_budget() then
  local from = place == '' and '[w' or '(' .. place
  local places = redis.call('ZRANGEBYLEX', prefix .. 'dir', from, '(x', 'LIMIT', 0, looked_at)
  for _, found in ipairs(places) do
    local workspace, service, resource = string.match(found, '^w(%Z*)%z(%Z*)%z(%Z*)%z$')
    local name = 'logs:' .. (service or '') .. ':' .. (workspace or '')
    if resource and resource ~= '' then
      name = name .. ':' .. resource
    end
    local records = tonumber(redis.call('HGET', prefix .. 'c:' .. name, 'n') or 0)
    if records > keep then
      local channel = channel_of(name)
      cut(channel, channel.records - keep, 0)
    end
    if not has_budget() then
      break
    end
    place = found
  end
  if #places < looked_at then
    place = ''
  end
end

if budget.blocks < 256 or channels_left < 64 or bytes ~= bytes_before then
  redis.call('HSET', prefix .. 'log', 'bytes', text_of(bytes), 'channels', text_of(channel_total), 'forgotten', forgotten)
end
return { 1, has_budget() and 0 or 1, place }
