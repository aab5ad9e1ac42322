import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { createLogsClient } from '../client.js';
import { hubOf } from '../hub.js';
import { badGateway, changed, sleep, until } from './bad_gateway.js';

let count = 0;
const closers = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A subscription as the hub gives it, with all that it is given. */
function follow(channels, gatewayUrl) {
  const batches = [];
  const subscription = hubOf({ gatewayUrl }).subscribe(
    { channels },
    { batch: (items, cursor) => batches.push({ ids: items.map(({ record, gap }) => record?.id ?? gap), cursor }) },
  );
  closers.push(() => subscription.close());
  return { subscription, batches, ids: () => batches.flatMap(({ ids }) => ids) };
}

const line = (id, channel) => `${JSON.stringify({ type: 'log', id, channel, level: 'INFO', message: id })}\n`;

test('a stream that is behind history gives nothing twice, and no cursor steps back', async () => {
  const gatewayUrl = `http://subscription/${(count += 1)}`;
  const gateway = badGateway({
    answer: ({ method, body, url }) => {
      if (method === 'PATCH') return changed(body, '2000-0');
      return new Response(url.searchParams.get('channels').includes('logs:b') ? line('1500-0', 'logs:a:w') + line('1600-0', 'logs:b:w') : '');
    },
  });
  follow(['logs:a:w'], gatewayUrl);
  await until('connected', () => gateway.open().length === 1 && hubOf({ gatewayUrl }).status === 'CONNECTED');
  const both = follow(['logs:a:w', 'logs:b:w'], gatewayUrl);
  await until('the past', () => both.batches.length > 0);
  // What history had comes on the stream only now.
  gateway.sources[0].log('1500-0', 'logs:a:w');
  await sleep(400);
  gateway.sources[0].log('2001-0', 'logs:b:w');
  await until('the next', () => both.ids().includes('2001-0'));
  assert.deepEqual(both.ids(), ['1500-0', '1600-0', '2001-0']);
  assert.deepEqual(both.batches.map(({ cursor }) => cursor), ['2000-0', '2001-0']);
});

test('a part that throws keeps no other part from its records', async () => {
  const gatewayUrl = `http://subscription/${(count += 1)}`;
  const gateway = badGateway();
  const thrown = [];
  const caught = (error) => thrown.push(error.message);
  const others = process.listeners('uncaughtException');
  const rejections = [];
  const rejected = (error) => rejections.push(error);
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', caught).on('unhandledRejection', rejected);
  try {
    const bad = createLogsClient({ gatewayUrl });
    const fail = () => {
      throw new Error('mine');
    };
    closers.push(() => bad.close());
    bad.subscribe({ channels: ['logs:a:w'], onRecords: fail }).onChange(fail);
    const good = follow(['logs:a:w'], gatewayUrl);
    await until('the past', () => good.batches.length > 0);
    gateway.sources[0].log('1001-0', 'logs:a:w');
    await until('the record', () => good.ids().length === 1);
    bad.close();
    await sleep(50);
  } finally {
    process.off('uncaughtException', caught).off('unhandledRejection', rejected);
    others.forEach((listener) => process.on('uncaughtException', listener));
  }
  assert.deepEqual(rejections, []);
  assert.ok(thrown.length > 0 && thrown.every((message) => message === 'mine'), thrown.join());
});

test('history that cannot be reached is asked for until there is a network again', async (context) => {
  const gatewayUrl = `http://subscription/${(count += 1)}`;
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (call, ms) => real(call, ms >= 500 && ms <= 4_000 ? ms / 20 : ms));
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true });
  let isOffline = true;
  badGateway({
    answer: () => {
      if (isOffline) throw new TypeError('Failed to fetch');
      return new Response(line('900-0', 'logs:a:w'));
    },
  });
  const part = follow(['logs:a:w'], gatewayUrl);
  await sleep(1_500);
  isOffline = false;
  globalThis.navigator.onLine = true;
  await until('the past', () => part.ids().length === 1);
  assert.equal(part.subscription.error, null);
  delete globalThis.navigator;
});

test('a number of lines that is none keeps the usual number', async () => {
  const gateway = badGateway();
  for (const maxLogs of [0, -1, Number.NaN, 1.5]) {
    const client = createLogsClient({ gatewayUrl: `http://subscription/${(count += 1)}` });
    closers.push(() => client.close());
    const subscription = client.subscribe({ channels: ['logs:a:w'], maxLogs });
    const before = gateway.sources.length;
    await until('connected', () => subscription.snapshot.isConnected);
    for (let id = 0; id < 1_100; id += 1) gateway.sources[before].log(`${1001 + id}-0`, 'logs:a:w');
    await until('records', () => subscription.snapshot.logs.at(-1)?.id === '2100-0');
    assert.ok(subscription.snapshot.logs.length <= 1_000, `${subscription.snapshot.logs.length} lines for ${maxLogs}`);
  }
});
