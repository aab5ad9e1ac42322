-- What each live gateway says of itself. KEYS: nodes. ARGV: prefix.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rows = {}
for place, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do
  local said = redis.call('HGETALL', ARGV[1] .. 'node:' .. node)
  said[#said + 1] = 'node'
  said[#said + 1] = node
  rows[place] = said
end
return rows
