-- What all scripts know of the log. Every script begins with this text, and its first argument is what all keys begin with.
--
-- Redis does one script at a time and nothing else meanwhile, so what a script does happens at once for everybody, and
-- each has a bound to what it does. A number is exact up to 2^53 here: ids stay far below.

local prefix = ARGV[1]

-- What Redis keeps beside the data of a block, about.
local BLOCK_OVERHEAD = 64

-- Numbers are given to Redis as text: it would write them as floats, which takes long.
local function text_of(number)
  return string.format('%d', number)
end

local function id_of(ms, seq)
  return string.format('%d-%d', ms, seq)
end

local function parts_of(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function is_before(ms, seq, other_ms, other_seq)
  return ms < other_ms or (ms == other_ms and seq < other_seq)
end

-- Milliseconds since 1970.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- What is known of a channel. `is_new` where nothing is.
--   records, bytes  how many there are, and what their blocks take
--   first, last     the oldest record that is left, the newest that there ever was
--   trimmed         up to here retention has taken everything ('0-0' where it has taken nothing)
--   block...        the oldest block that is left, of which the first records may count as gone already: its name (which is
--                   its last record's id) and what it takes. So trimming record by record reads no block.
local function channel_of(name)
  local row = redis.call('HMGET', prefix .. 'c:' .. name, 'n', 'b', 'f', 'l', 't', 'block', 'block_b')
  -- What a channel had that was forgotten just now is missing also to who reads it when it has begun again.
  local forgotten = not row[1] and redis.call('GET', prefix .. 'gone:' .. name)
  return {
    name = name,
    is_new = not row[1],
    records = tonumber(row[1] or 0),
    bytes = tonumber(row[2] or 0),
    first = row[3] or '0-0',
    last = row[4] or '0-0',
    trimmed = row[5] or forgotten or '0-0',
    block = row[6] or '0-0',
    block_bytes = tonumber(row[7] or 0),
  }
end

local function save_channel(channel)
  redis.call('HSET', prefix .. 'c:' .. channel.name, 'n', text_of(channel.records), 'b', text_of(channel.bytes),
    'f', channel.first, 'l', channel.last, 't', channel.trimmed, 'block', channel.block, 'block_b', text_of(channel.block_bytes))
end

-- Lets a channel go of its oldest records: of so many, and of those in blocks of a millisecond before `before_ms`; of no
-- more than `budget.blocks` blocks, and of no more once `budget.bytes` are freed. Returns the bytes that gave. The caller
-- saves the channel and its place among the oldest.
local function trim(channel, excess, before_ms, budget)
  local stream = prefix .. 's:' .. channel.name
  local freed = 0
  local waiting, at = {}, 1
  local is_cut = false
  while channel.records > 0 do
    local first_ms, first_seq = parts_of(channel.first)
    local _, block_seq = parts_of(channel.block)
    local left = block_seq - first_seq + 1
    local is_old = first_ms < before_ms
    if not is_old and excess < left then
      if excess > 0 then
        channel.records = channel.records - excess
        channel.trimmed = id_of(first_ms, first_seq + excess - 1)
        channel.first = id_of(first_ms, first_seq + excess)
      end
      break
    end
    if budget.blocks <= 0 or freed >= budget.bytes then
      break
    end
    budget.blocks = budget.blocks - 1
    excess = excess - left
    freed = freed + channel.block_bytes
    channel.records = channel.records - left
    channel.bytes = channel.bytes - channel.block_bytes
    channel.trimmed = channel.block
    is_cut = true
    if at > #waiting then
      -- One at a time where one is needed, as mostly: a block is copied to be looked at.
      local count = (excess > 0 or is_old) and 16 or 1
      waiting, at = redis.call('XRANGE', stream, '(' .. channel.block, '+', 'COUNT', count), 1
    end
    local next_block = waiting[at]
    at = at + 1
    if not next_block then
      -- Whatever was counted: there are none.
      freed = freed + channel.bytes
      channel.records, channel.bytes = 0, 0
      break
    end
    local ms, seq = parts_of(next_block[1])
    local records = tonumber(next_block[2][2]) or 1
    channel.block, channel.block_bytes = next_block[1], #(next_block[2][4] or '') + BLOCK_OVERHEAD
    channel.first = id_of(ms, seq - records + 1)
  end
  budget.bytes = budget.bytes - freed
  if channel.records == 0 then
    redis.call('DEL', stream)
  elseif is_cut then
    redis.call('XTRIM', stream, 'MINID', '=', channel.block)
  end
  return freed
end
