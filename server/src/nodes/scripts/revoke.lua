#!lua flags=allow-oom
-- Keeps revocations, of each the newest. KEYS: revoked. ARGV: field, when it was said, until when it holds, ...
for place = 1, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[place])
  local at = known and tonumber(string.match(known, '^%d+')) or -1
  if tonumber(ARGV[place + 1]) > at then
    redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1] .. ' ' .. ARGV[place + 2])
  end
end
return 0
