import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { createLogsClient } from '../client.js';
import { badGateway, changed, problem, sleep, until } from './bad_gateway.js';

let count = 0;
let client;
afterEach(() => client?.close());

function open(gateway, options = {}) {
  client = createLogsClient({ gatewayUrl: `http://gateway/${(count += 1)}`, ...options });
  return (...channels) => {
    const given = [];
    const subscription = client.subscribe({ channels, onRecords: (records) => given.push(...records.map(({ id }) => id)) });
    return { given, subscription, status: () => subscription.snapshot };
  };
}
const isConnected = (part) => () => part.status().isConnected;

test('a part that comes back to a channel is told it again where the stream cannot be changed', async () => {
  const gateway = badGateway({ answer: ({ method }) => (method === 'PATCH' ? problem(405) : new Response('')) });
  const mount = open(gateway);
  mount('logs:a:w');
  const first = mount('logs:b:w');
  await until('connected', isConnected(first));
  // The first change fails, and so the stream is known to be one that cannot be changed.
  const other = mount('logs:c:w');
  await until('the next stream', () => gateway.open()[0]?.channels.includes('logs:c:w'));
  other.subscription.close();
  first.subscription.close();
  await sleep(1_200);
  const second = mount('logs:b:w');
  await sleep(100);
  gateway.open()[0].log('1001-0', 'logs:b:w');
  await until('the record', () => second.given.length === 1);
  assert.equal(gateway.open().length, 1);
});

test('what was to be removed is not taken for followed when nobody answered', async () => {
  let end;
  const gateway = badGateway({
    answer: ({ method }) => (method === 'PATCH' ? new Promise((_, reject) => (end = reject)) : new Response('')),
  });
  const mount = open(gateway);
  mount('logs:a:w');
  const first = mount('logs:b:w');
  await until('connected', isConnected(first));
  first.subscription.close();
  await until('the change', () => end !== undefined);
  // While the change is under way.
  const second = mount('logs:b:w');
  await sleep(50);
  end(new TypeError('no network'));
  await until('another stream', () => gateway.sources.length === 2 && gateway.open().length === 1);
  gateway.open()[0].log('1001-0', 'logs:b:w');
  await until('the record', () => second.given.length === 1);
});

test('conditions where the stream cannot be changed open no stream after the other', async () => {
  const gateway = badGateway({ answer: ({ method }) => (method === 'PATCH' ? problem(405) : new Response('')) });
  const part = open(gateway)({ channel: 'logs:a:w', where: { run: '1' } });
  await until('connected', isConnected(part));
  await sleep(300);
  assert.equal(gateway.sources.length, 1);
  gateway.sources[0].log('1001-0', 'logs:a:w', { fields: { run: '2' } });
  gateway.sources[0].log('1002-0', 'logs:a:w', { fields: { run: '1' } });
  await until('the record', () => part.given.length > 0);
  assert.deepEqual(part.given, ['1002-0']);
});

test('a gateway that ends each stream at once is not hammered, whatever wait it names', async () => {
  for (const retry_ms of [0, -1, 1e12]) {
    const gateway = badGateway({
      opened(source) {
        source.connect();
        source.say({ type: 'close', reason: 'full', retry_ms }, '', 'close');
      },
    });
    open(gateway)('logs:a:w');
    await sleep(1_500);
    assert.ok(gateway.sources.length < 15, `${gateway.sources.length} streams for ${retry_ms}`);
    client.close();
  }
});

test('a heartbeat that is no time does not keep the page busy', async (context) => {
  const gateway = badGateway({ opened: (source) => source.connect({ heartbeat_ms: 1e12 }) });
  let timers = 0;
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (...args) => ((timers += 1), real(...args)));
  const part = open(gateway)('logs:a:w');
  await sleep(300);
  assert.ok(isConnected(part)());
  assert.ok(timers < 40, `${timers} timers`);
});

test('who waits for a gateway that waits for its store is told so, and when it is over', async () => {
  const gateway = badGateway({ opened: (source) => source.connect() });
  const part = open(gateway)('logs:a:w');
  await until('connected', isConnected(part));
  assert.equal(part.status().error, null);
  const [source] = gateway.open();
  source.say({ type: 'heartbeat', delayed_ms: 0 }, '1000-0', 'heartbeat');
  await until('the reason', () => part.status().error?.includes('store'));
  assert.ok(isConnected(part)());
  source.say({ type: 'heartbeat' }, '1000-0', 'heartbeat');
  await until('the end of it', () => part.status().error === null);
});

test('a gateway that does not say why it refuses is asked again', async (context) => {
  const gateway = badGateway({
    opened: (source, number) => (number === 1 ? source.refuse() : source.connect()),
    // It never answers.
    answer: ({ url }) => (url.pathname.endsWith('/stream') ? new Promise(() => {}) : new Response('')),
  });
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (call, ms) => real(call, ms > 5_000 ? ms / 50 : ms));
  const part = open(gateway)('logs:a:w');
  await until('another try', isConnected(part));
});

test('an answer or a token that never comes keeps no later change from being made', async (context) => {
  for (const stalls of ['answer', 'token', 'nothing']) {
    let tokens = 0;
    const token = () => ((tokens += 1) === 3 && stalls === 'token' ? new Promise(() => {}) : 'secret');
    let changes = 0;
    const gateway = badGateway({
      answer({ method, body }) {
        if (method !== 'PATCH') return new Response('');
        changes += 1;
        if (stalls === 'nothing') return Response.json(null);
        return changes === 1 && stalls === 'answer' ? new Response(new ReadableStream()) : changed(body, '1000-5');
      },
    });
    const real = globalThis.setTimeout;
    const mock = context.mock.method(globalThis, 'setTimeout', (call, ms) => real(call, ms > 5_000 ? ms / 50 : ms));
    const mount = open(gateway, { token });
    await until('connected', isConnected(mount('logs:a:w')));
    await sleep(50);
    const late = mount('logs:b:w');
    await until(`another stream (${stalls})`, () => gateway.open().some(({ channels }) => channels.includes('logs:b:w')));
    gateway.open().forEach((source) => source.log('1001-0', 'logs:b:w'));
    await until('the record', () => late.given.length === 1);
    client.close();
    mock.mock.restore();
  }
});

test('what is no record is passed over, and what comes after it is told', async (context) => {
  const gateway = badGateway();
  const part = open(gateway)('logs:a:w');
  await until('connected', isConnected(part));
  const [source] = gateway.sources;
  const bad = ['', 'null', '5', '[]', '"log"', '{"type":"log"}', '{"type":"gap"}', '{"type":"log","id":"1001-0"}',
    { type: 'log', id: 'zzz', channel: 'logs:a:w' }, { type: 'log', id: 7, channel: 'logs:a:w' },
    { type: 'log', id: `${'9'.repeat(400)}-0`, channel: 'logs:a:w' }, { type: 'log', id: '1001-0', channel: ['logs'] },
    { type: 'gap', channel: 'logs:a:w', from: 1, to: 2 }, { type: '__proto__' }, { __proto__: null, type: 'constructor' },
    { type: 'connection' }];
  for (const event of bad) source.say(event, '9'.repeat(400));
  source.log('1001-1', 'logs:a:w', { level: { toString: null }, fields: null });
  source.log('1001-2', 'logs:a:w');
  await until('both', () => part.given.length === 2);
  assert.deepEqual(part.given, ['1001-1', '1001-2']);
  context.diagnostic(`${bad.length} events`);
});

test('a channel that may not be read keeps no other part from its records', async () => {
  const gateway = badGateway({
    opened: (source) => (source.channels.includes('logs:bad:w') ? source.refuse() : source.connect()),
    answer: ({ url }) => ((url.searchParams.get('channels') ?? '').includes('bad') ? problem(403, 'logs:bad:w may not be read') : new Response('')),
  });
  const mount = open(gateway);
  const [good, bad] = [mount('logs:good:w'), mount('logs:bad:w')];
  await until('connected', isConnected(good));
  gateway.open()[0].log('1001-0', 'logs:good:w');
  await until('the record', () => good.given.length === 1);
  assert.equal(good.status().error, null);
  assert.match(bad.status().error, /may not be read/);
  assert.equal(gateway.sources.length, 2);
});

test('more channels than one stream has keep the first ones from nothing', async () => {
  const isTooMuch = ({ url }) => (url.searchParams.get('channels') ?? '').split(',').length > 128;
  const gateway = badGateway({
    opened: (source) => (isTooMuch(source) ? source.refuse() : source.connect()),
    answer: (request) => (isTooMuch(request) ? problem(400, 'at most 128 channels') : new Response('')),
  });
  const mount = open(gateway);
  const parts = Array.from({ length: 130 }, (_, number) => mount(`logs:a${number}:w`));
  await until('connected', isConnected(parts[0]));
  assert.equal(gateway.open()[0].channels.length, 128);
  assert.equal(parts[127].status().error, null);
  assert.match(parts[128].status().error, /too many/);
});

test('a channel that was refused is not asked for when the gateway comes back', async () => {
  const gateway = badGateway({
    // Once it is away, as behind a proxy that says so.
    opened: (source, number) => (number === 2 ? source.refuse() : source.connect()),
    answer({ method, body, url }) {
      if (method === 'PATCH') return Response.json({ from_id: '1000-0', results: body.add.map(() => ({ status: 'denied' })) });
      if (!url.pathname.endsWith('/stream')) return new Response('');
      return url.searchParams.get('channels').includes('bad') ? problem(403, 'no') : problem(502);
    },
  });
  const mount = open(gateway);
  const good = mount('logs:good:w');
  await until('connected', isConnected(good));
  const bad = mount('logs:bad:w');
  await until('refused', () => bad.status().error !== null);
  gateway.sources[0].onerror();
  await until('connected again', () => gateway.sources.length === 3 && isConnected(good)());
});

test('a token that is about to end is not renewed without end', async () => {
  const gateway = badGateway({
    opened(source) {
      source.connect();
      source.say({ type: 'expiring' }, '', 'expiring');
    },
  });
  open(gateway, { token: () => 'old' })('logs:a:w');
  await sleep(1_000);
  assert.ok(gateway.sources.length < 12, `${gateway.sources.length} streams`);
});

test('a token callback that rejects, throws or never answers is asked again', async (context) => {
  // Clock and timers are fifty times as fast, both: with only the long ones shorter, what was left of one was waited for in full.
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (call, ms = 0) => real(call, ms / 50));
  const now = performance.now.bind(performance);
  context.mock.method(performance, 'now', () => now() * 50);
  let tokens = 0;
  const token = () => {
    tokens += 1;
    if (tokens === 1) return Promise.reject(new Error('not yet'));
    if (tokens === 2) throw new Error('not yet');
    return tokens === 3 ? new Promise(() => {}) : 'secret';
  };
  const part = open(badGateway(), { token })('logs:a:w');
  await until('connected', isConnected(part));
});

test('a token that cannot be had is told, and not that the gateway is away', async () => {
  for (const token of [
    () => {
      throw new Error('of the page');
    },
    () => Promise.reject(new Error('of the page')),
  ]) {
    const part = open(badGateway(), { token })('logs:a:w');
    await until('the reason', () => part.status().error !== null);
    assert.equal(part.status().error, 'The token could not be had: what gives it failed.');
    assert.equal(part.status().connectionStatus, 'RECONNECTING');
    client.close();
  }
});

test('a query of the address goes with each request', async () => {
  const gateway = badGateway();
  client = createLogsClient({ gatewayUrl: 'http://gateway/tenant/stream?tenant=7#top' });
  client.subscribe({ channels: ['logs:a:w'] });
  await until('history', () => gateway.requests.length > 0);
  for (const { url } of [gateway.sources[0], gateway.requests[0]]) {
    assert.equal(url.searchParams.get('tenant'), '7');
    assert.equal(url.searchParams.get('channels'), 'logs:a:w');
  }
  assert.equal(gateway.sources[0].url.pathname, '/tenant/stream');
});

test('an address that is none is told', async () => {
  badGateway();
  globalThis.location = { href: 'about:blank' };
  try {
    for (const gatewayUrl of [null, 'http://', 'http://[']) {
      client = createLogsClient({ gatewayUrl });
      client.subscribe({ channels: ['logs:a:w'] });
      await sleep(20);
      client.close();
    }
  } finally {
    delete globalThis.location;
  }
});
