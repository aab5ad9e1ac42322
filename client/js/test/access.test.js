import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { subjectOf } from '../access.js';
import { createLogsClient } from '../client.js';
import { Endpoint } from '../endpoint.js';
import { badGateway, changed, problem, sleep, until } from './bad_gateway.js';

let count = 0;
const clients = [];
afterEach(() => clients.splice(0).forEach((client) => client.close()));

const address = () => `http://access/${(count += 1)}`;
function open(options) {
  const client = createLogsClient(options);
  clients.push(client);
  return (...channels) => {
    const given = [];
    const subscription = client.subscribe({ channels, onRecords: (records) => given.push(...records.map(({ id }) => id)) });
    return { client, given, subscription, now: () => subscription.snapshot };
  };
}
const isConnected = (part) => () => part.now().isConnected;
const isWrong = (part) => () => part.now().connectionStatus === 'ERROR';
const tokenOf = (source) => source.url.searchParams.get('token');
const line = (id, channel) => `${JSON.stringify({ type: 'log', id, channel, level: 'INFO', message: id })}\n`;
const base64 = (claims) => Buffer.from(JSON.stringify(claims)).toString('base64url');
const jwt = (sub, more = {}) => `${base64({ alg: 'HS256' })}.${base64({ sub, ...more })}.c2ln`;
const refusal = (status, code, detail, headers) => new Response(JSON.stringify({ code, detail }), { status, headers });
const isStream = ({ url }) => url.pathname.endsWith('/stream');

test('whose a token is, is what it says', () => {
  assert.equal(subjectOf(jwt('Jörg ✓')), 'Jörg ✓');
  for (const token of ['', 'opaque', 'a.b.c', `a.${base64(null)}.c`, `a.${base64({ sub: 7 })}.c`]) assert.equal(subjectOf(token), null);
});

test('each request has the token of its moment, as a text or a function gives it', async () => {
  for (const [token, first, second] of [
    ['fixed', 'fixed', 'fixed'],
    [() => `t${(count += 1)}`, /^t/, /^t/],
    [async () => ' padded\n', 'padded', 'padded'],
  ]) {
    const gateway = badGateway();
    const part = open({ gatewayUrl: address(), token })('logs:a:w');
    await until('the past', () => isConnected(part)() && gateway.requests.length > 0);
    assert.match(tokenOf(gateway.sources[0]), new RegExp(first));
    assert.match(gateway.requests[0].headers.authorization, new RegExp(`^Bearer ${String(second).replaceAll(/[/^]/g, '')}`));
    assert.equal(gateway.requests[0].url.searchParams.get('token'), null);
  }
});

test('a page has one token: the one that was given last, whichever part gave it', async () => {
  const gatewayUrl = address();
  const gateway = badGateway();
  const one = open({ gatewayUrl, token: 'one' })('logs:a:w');
  await until('connected', isConnected(one));
  const two = open({ gatewayUrl, token: () => 'two' })('logs:b:w');
  await until('connected', isConnected(two));
  open({ gatewayUrl })('logs:c:w');
  gateway.open()[0].say({ type: 'close', reason: 'closed', retry_ms: 1 }, '', 'close');
  await until('the next', () => gateway.sources.length === 2);
  assert.equal(tokenOf(gateway.sources[1]), 'two');
  // Also for what asks the gateway by itself.
  assert.equal(await new Endpoint({ gatewayUrl }).token(), 'two');
  two.client.close();
  assert.equal(await new Endpoint({ gatewayUrl }).token(), 'one', 'a token goes with the part that gave it');
  one.client.close();
  assert.equal(await new Endpoint({ gatewayUrl }).token(), '');
});

test('a token that is refused is asked for once more, and then the gateway’s words are told', async () => {
  let tokens = 0;
  const gateway = badGateway({
    opened: (source) => source.refuse(),
    answer: () => refusal(401, 'invalid_token', 'the token is not one that this gateway knows'),
  });
  const part = open({ gatewayUrl: address(), token: () => `t${(tokens += 1)}` })('logs:a:w');
  await until('the error', isWrong(part));
  assert.equal(part.now().error, 'The token is not one that this gateway knows.');
  assert.ok(part.now().isUnauthorized);
  await sleep(1_200);
  assert.deepEqual([tokens, gateway.sources.length, gateway.requests.length], [2, 1, 1]);
});

test('a token that has ended is followed by a fresh one without anyone being told', async () => {
  let tokens = 0;
  const gateway = badGateway({
    opened: (source) => (tokenOf(source) === 't1' ? source.refuse() : source.connect()),
    answer: ({ headers }) => (headers.authorization === 'Bearer t1' ? refusal(401, 'expired_token') : new Response('')),
  });
  const part = open({ gatewayUrl: address(), token: async () => `t${(tokens += 1)}` })('logs:a:w');
  await until('connected', isConnected(part));
  assert.equal(gateway.sources.length, 2);
});

test('history that is refused is asked for again with a fresh token', async () => {
  let tokens = 0;
  let isOld = true;
  badGateway({
    answer: () => {
      if (isOld) return (isOld = false), refusal(401, 'expired_token');
      return new Response(line('900-0', 'logs:a:w'));
    },
  });
  const part = open({ gatewayUrl: address(), token: () => `t${(tokens += 1)}` })('logs:a:w');
  await until('the past', () => part.given.length === 1);
  assert.equal(part.now().error, null);
});

test('a new token is tried at once where the gateway refused the page', async () => {
  const gateway = badGateway({
    opened: (source) => (tokenOf(source) === 'good' ? source.connect() : source.refuse()),
    answer: (request) => (isStream(request) ? refusal(401, 'missing_token', 'a token is needed') : new Response('')),
  });
  const gatewayUrl = address();
  const part = open({ gatewayUrl })('logs:a:w');
  await until('the error', isWrong(part));
  part.client.setToken('good');
  await until('connected', isConnected(part));
  assert.equal(part.now().isUnauthorized, false);
  assert.equal(gateway.sources.length, 2);
});

test('before a credential ends the next stream is open, and nothing is told twice', async (context) => {
  const now = performance.now.bind(performance);
  let ahead = 0;
  context.mock.method(performance, 'now', () => now() + ahead);
  let token = 'old';
  const gateway = badGateway();
  const part = open({ gatewayUrl: address(), token: () => token })('logs:a:w');
  await until('connected', isConnected(part));
  const [old] = gateway.sources;
  ahead = 20_000;
  // The page still gives the old one.
  old.say({ type: 'expiring', within_ms: 2_500 }, '', 'expiring');
  await sleep(200);
  assert.equal(gateway.sources.length, 1);
  token = 'fresh';
  old.log('1001-0', 'logs:a:w');
  await until('the next stream', () => gateway.open().length === 1 && gateway.open()[0] !== old);
  const [next] = gateway.open();
  assert.equal(tokenOf(next), 'fresh');
  next.log('1001-0', 'logs:a:w');
  next.log('1002-0', 'logs:a:w');
  await until('both', () => part.given.length === 2);
  assert.deepEqual(part.given, ['1001-0', '1002-0']);
  assert.equal(part.now().isConnected, true);
});

test('a page that gets tokens for seconds only is not always opening streams', async () => {
  let tokens = 0;
  const gateway = badGateway({
    opened(source) {
      source.connect();
      source.say({ type: 'expiring', within_ms: 6_000 }, '', 'expiring');
    },
  });
  open({ gatewayUrl: address(), token: () => `t${(tokens += 1)}` })('logs:a:w');
  await sleep(4_000);
  assert.equal(gateway.sources.length, 2);
});

test('who was revoked is told so, and asks no more until there is a new token', async () => {
  const gateway = badGateway();
  const part = open({ gatewayUrl: address(), token: 'old' })('logs:a:w');
  await until('connected', isConnected(part));
  gateway.sources[0].log('1001-0', 'logs:a:w');
  await until('a line', () => part.now().logs.length === 1);
  gateway.sources[0].say({ type: 'close', reason: 'revoked' }, '', 'close');
  await until('the error', isWrong(part));
  assert.match(part.now().error, /taken back/);
  assert.ok(part.now().isUnauthorized);
  assert.deepEqual(part.now().logs, [], 'what was shown is not for this reader any more');
  await sleep(1_200);
  assert.equal(gateway.sources.length, 1);
  part.client.setToken('new');
  await until('connected again', isConnected(part));
});

test('who is sent away for a while comes back with a fresh token', async () => {
  let tokens = 0;
  const gateway = badGateway();
  const part = open({ gatewayUrl: address(), token: () => `t${(tokens += 1)}` })('logs:a:w');
  await until('connected', isConnected(part));
  const before = Date.now();
  gateway.sources[0].say({ type: 'close', reason: 'expired', retry_ms: 700 }, '', 'close');
  await until('the next', () => gateway.sources.length === 2 && isConnected(part)());
  assert.ok(Date.now() - before >= 690, 'it waits as long as it was told');
  assert.notEqual(tokenOf(gateway.sources[1]), tokenOf(gateway.sources[0]));
});

test('a gateway that asks to be left alone is', async () => {
  const gateway = badGateway({
    opened: (source, number) => (number === 1 ? source.refuse() : source.connect()),
    answer: (request) =>
      isStream(request) ? refusal(429, 'stream_rate_exceeded', 'you open streams faster than you may', { 'retry-after': '1' }) : new Response(''),
  });
  const part = open({ gatewayUrl: address() })('logs:a:w');
  await until('the reason', () => part.now().error !== null);
  const told = Date.now();
  assert.equal(part.now().connectionStatus, 'RECONNECTING');
  await until('connected', isConnected(part));
  assert.ok(Date.now() - told >= 950, `${Date.now() - told} ms`);
  assert.equal(gateway.sources.length, 2);
});

test('connecting asks again for a channel that was refused among others, and for its past', async () => {
  let isAllowed = false;
  const history = { 'logs:good:w': line('800-0', 'logs:good:w'), 'logs:bad:w': line('700-0', 'logs:bad:w') };
  const gateway = badGateway({
    answer({ method, body, url }) {
      if (method !== 'PATCH') return new Response(history[url.searchParams.get('channels')] ?? '');
      return isAllowed ? changed(body, '1001-0') : Response.json({ from_id: '1000-0', results: body.add.map(() => ({ status: 'denied' })) });
    },
  });
  const gatewayUrl = address();
  const mount = open({ gatewayUrl });
  const good = mount('logs:good:w');
  await until('connected', isConnected(good));
  const both = mount('logs:good:w', 'logs:bad:w');
  await until('refused', () => both.now().error !== null && both.given.length === 1);
  isAllowed = true;
  both.client.connect();
  await until('its past', () => both.given.includes('700-0'));
  assert.deepEqual(both.now().logs.map(({ id }) => id), ['700-0', '800-0']);
  assert.equal(both.now().error, null);
  gateway.open()[0].log('1002-0', 'logs:bad:w');
  await until('the record', () => both.given.includes('1002-0'));
  assert.deepEqual(both.given, ['800-0', '700-0', '1002-0']);
  assert.equal(gateway.sources.length, 1);
});

test('another reader begins anew and sees nothing of the one before', async () => {
  let reader = 'ann';
  const gateway = badGateway({
    opened: (source) => source.connect({ user_id: reader }),
    answer: ({ url }) => new Response(url.searchParams.get('limit') === '1' ? '' : line('900-0', `logs:a:${reader}`)),
  });
  const part = open({ gatewayUrl: address(), token: jwt('ann') })('logs:a:*');
  await until('her past', () => part.now().logs.length === 1);
  gateway.open()[0].log('1001-0', 'logs:a:ann');
  await until('her line', () => part.now().logs.length === 2);
  reader = 'bob';
  part.client.setToken(jwt('bob'));
  await until('his past', () => part.now().logs.length === 1 && part.now().logs[0].channel === 'logs:a:bob');
  assert.equal(gateway.sources.length, 2);
  // The same reader's next token is for the next stream.
  part.client.setToken(jwt('bob', { iat: 2 }));
  await sleep(300);
  assert.equal(gateway.sources.length, 2);
});

test('lines of a channel that may be read no more are shown no more', async () => {
  const denied = ({ url }) => (url.searchParams.get('channels') ?? '').includes('b');
  let isDenied = false;
  const gateway = badGateway({
    opened: (source) => (isDenied && denied(source) ? source.refuse() : source.connect()),
    answer: (request) => (isDenied && denied(request) ? problem(403, 'ann may not read logs:b:w') : new Response('')),
  });
  const part = open({ gatewayUrl: address() })('logs:a:w', 'logs:b:w');
  await until('connected', isConnected(part));
  gateway.open()[0].log('1001-0', 'logs:a:w');
  gateway.open()[0].log('1002-0', 'logs:b:w');
  await until('both', () => part.now().logs.length === 2);
  isDenied = true;
  gateway.open()[0].say({ type: 'close', reason: 'closed', retry_ms: 1 }, '', 'close');
  await until('the reason', () => part.now().error !== null && part.now().isConnected);
  assert.deepEqual(part.now().logs.map(({ id }) => id), ['1001-0']);
});

test('cookies go to another origin where a part of the page says so, with every request', async () => {
  for (const withCredentials of [undefined, true]) {
    const gateway = badGateway();
    const part = open({ gatewayUrl: address(), withCredentials })('logs:a:w');
    await until('the past', () => isConnected(part)() && gateway.requests.length > 0);
    assert.equal(gateway.sources[0].withCredentials, withCredentials === true);
    assert.equal(gateway.requests[0].credentials, withCredentials ? 'include' : 'same-origin');
  }
});

test('a gateway that wants nothing that a page could give asks for no token', async () => {
  for (const code of ['auth_not_configured', 'missing_identity']) {
    badGateway({ opened: (source) => source.refuse(), answer: () => refusal(401, code, 'no') });
    const part = open({ gatewayUrl: address() })('logs:a:w');
    await until('the error', isWrong(part));
    assert.equal(part.now().isUnauthorized, false);
  }
});

test('whose time is up keeps what is on screen', async () => {
  let hasEnded = false;
  const gateway = badGateway({
    opened: (source) => (hasEnded ? source.refuse() : source.connect({ user_id: 'ann' })),
    answer: (request) => (hasEnded && isStream(request) ? refusal(401, 'expired_token', 'the token has expired') : new Response('')),
  });
  const part = open({ gatewayUrl: address(), token: jwt('ann') })('logs:a:w');
  await until('connected', isConnected(part));
  gateway.open()[0].log('1001-0', 'logs:a:w');
  await until('a line', () => part.now().logs.length === 1);
  hasEnded = true;
  gateway.open()[0].say({ type: 'close', reason: 'expired', retry_ms: 1 }, '', 'close');
  await until('the error', isWrong(part));
  assert.ok(part.now().isUnauthorized);
  assert.deepEqual(part.now().logs.map(({ id }) => id), ['1001-0']);
  // And goes on after it.
  hasEnded = false;
  part.client.setToken(jwt('ann', { iat: 2 }));
  await until('connected again', isConnected(part));
  assert.equal(gateway.open()[0].url.searchParams.get('last_event_id'), '1001-0');
});

test('a gateway is the same one however its address is written', () => {
  globalThis.location = { href: 'https://page.example/app/' };
  try {
    const places = ['', '/', 'https://page.example', 'https://page.example/', '/api/logs/stream', 'https://page.example/api/logs/stream/'];
    assert.deepEqual(new Set(places.map((gatewayUrl) => new Endpoint({ gatewayUrl }).place)), new Set(['https://page.example/api/logs']));
  } finally {
    delete globalThis.location;
  }
});
