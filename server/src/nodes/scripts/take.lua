#!lua flags=allow-oom
-- Takes a place for a stream, where its owner and its address have one left over all gateways.
-- KEYS: nodes. ARGV: prefix, me, lease in ms, then for each limit: field, streams of this gateway with the new one, the most.
-- Answers 0, or which limit stands against it.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local prefix, me = ARGV[1], ARGV[2]
local mine = prefix .. 'users:' .. me
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
for place = 4, #ARGV, 3 do
  local sum = tonumber(ARGV[place + 1])
  for _, node in ipairs(live) do
    if node ~= me then
      sum = sum + (tonumber(redis.call('HGET', prefix .. 'users:' .. node, ARGV[place])) or 0)
    end
  end
  if sum > tonumber(ARGV[place + 2]) then
    return (place - 1) / 3
  end
end
for place = 4, #ARGV, 3 do
  -- Of two that this gateway takes at once the later may come first.
  local now_there = tonumber(redis.call('HGET', mine, ARGV[place])) or 0
  redis.call('HSET', mine, ARGV[place], math.max(now_there, tonumber(ARGV[place + 1])))
end
redis.call('PEXPIRE', mine, ARGV[3])
return 0
