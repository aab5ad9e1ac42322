#!lua flags=allow-oom
-- Keeps revocations, of each the newest, and counts that something was kept, so that gateways which are not told find it.
-- KEYS: revoked, revocations. ARGV: field, when it was said, until when it holds, ...
local is_news = false
for place = 1, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[place])
  local at = known and tonumber(string.match(known, '^%d+')) or -1
  if tonumber(ARGV[place + 1]) > at then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1] .. ' ' .. ARGV[place + 2])
    is_news = true
  end
end
if is_news then
  local count = tonumber(redis.call('GET', KEYS[2])) or 0
  redis.call('SET', KEYS[2], string.format('%d', count + 1))
end
return 0
