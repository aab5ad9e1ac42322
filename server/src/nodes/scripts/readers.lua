-- How many streams follow each channel over all live gateways.
-- KEYS: nodes. ARGV: prefix, channel, ...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local sums = {}
for place = 2, #ARGV do
  local sum = 0
  for _, node in ipairs(live) do
    sum = sum + (tonumber(redis.call('HGET', ARGV[1] .. 'readers:' .. node, ARGV[place])) or 0)
  end
  sums[place - 1] = sum
end
return sums
