#!lua flags=allow-oom
-- Renews a gateway's lease by Redis' clock, and forgets those whose lease has ended.
-- KEYS: nodes, node:{me}, users:{me}, readers:{me}, revocations. ARGV: me, lease in ms, what node:{me} says (name, value, ...).
-- Answers whether the lease had not ended, and how often something was revoked.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
for place = 2, 4 do
  redis.call('PEXPIRE', KEYS[place], ARGV[2])
end
return { known and 1 or 0, redis.call('GET', KEYS[5]) or '' }
