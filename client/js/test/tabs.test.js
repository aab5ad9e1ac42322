import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { Endpoint } from '../endpoint.js';
import { SharedConnection } from '../tabs.js';
import { badGateway, sleep, until } from './bad_gateway.js';

// A tab, where another one leads that the test plays.
let count = 0;
let tab;
let leader;
let heard;
let asked;
let request;

beforeEach(() => {
  asked = [];
  // Granted never: another tab holds it.
  request = () => new Promise(() => {});
  const locks = {
    request(name, options, lead) {
      asked.push({ name, ...options });
      return request(name, options, lead);
    },
    query: async () => ({ held: [] }),
  };
  Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });
  const gatewayUrl = `http://tabs/${(count += 1)}`;
  heard = { items: [], rejoins: 0 };
  const item = ({ record }) => heard.items.push(record.id);
  const rejoin = () => (heard.rejoins += 1);
  tab = new SharedConnection(new Endpoint({ gatewayUrl }), { item, changed() {}, rejoin });
  leader = new BroadcastChannel(`logs-sse-gateway.1 ${gatewayUrl}/api/logs`);
  leader.wants = [];
  leader.onmessage = ({ data }) => data.type === 'want' && leader.wants.push(data);
});

afterEach(() => {
  tab.close();
  leader.close();
  delete globalThis.navigator;
});

const wanted = (...channels) => new Map(channels.map((channel) => [channel, { channel }]));

function state(name, position, covered, more = {}) {
  const { tab, revision } = leader.wants.at(-1);
  const own = { leader: name, status: 'CONNECTED', streamId: name, error: null, heartbeatMs: 15_000 };
  leader.postMessage({
    ...own, type: 'state', position, covered: new Map(covered.map((key) => [key, '1000-0'])), refused: new Map(), heard: new Map([[tab, revision]]), ...more,
  });
}

test('a channel that is given up and wanted again is told only from when the leader follows it again', async () => {
  tab.follow(wanted('a', 'b'));
  await until('the first', () => leader.wants.length === 1);
  state('one', '1000-0', ['a', 'b']);
  await until('covered', () => tab.covers('b') === '1000-0');
  tab.follow(wanted('a'));
  await until('the second', () => leader.wants.length === 2);
  // What the leader says of the second is on its way when there is a third.
  tab.follow(wanted('a', 'b'));
  assert.equal(tab.covers('b'), null);
  const second = leader.wants.at(-1);
  await until('the third', () => leader.wants.length === 3);
  state('one', '1001-0', ['a', 'b'], { heard: new Map([[second.tab, second.revision]]) });
  await sleep(30);
  assert.equal(tab.covers('b'), null);
  state('one', '1002-0', ['a', 'b'], { covered: new Map([['a', '1000-0'], ['b', '1002-0']]) });
  await until('covered again', () => tab.covers('b') === '1002-0');
});

test('what a leader that was taken for frozen still says moves nothing', async () => {
  tab.follow(wanted('a'));
  await until('the want', () => leader.wants.length === 1);
  state('one', '1000-0', ['a']);
  state('two', '1001-0', ['a']);
  const text = JSON.stringify({ type: 'log', id: '1500-0', channel: 'b', level: 'INFO', message: '' });
  leader.postMessage({ type: 'items', leader: 'one', texts: [text], position: '2000-0' });
  const next = JSON.stringify({ type: 'log', id: '1400-0', channel: 'a', level: 'INFO', message: '' });
  leader.postMessage({ type: 'items', leader: 'two', texts: [next, '{"type":"gap"}', 'null'], position: '1400-0' });
  await until('the record', () => heard.items.length > 0);
  assert.deepEqual(heard.items, ['1400-0']);
  assert.equal(tab.position, '1400-0');
});

test('a tab whose browser gives it no locks has a stream of its own', async () => {
  request = () => Promise.reject(new DOMException('shut off', 'SecurityError'));
  const gateway = badGateway();
  tab.follow(wanted('logs:a:w'));
  await until('a stream', () => tab.status === 'CONNECTED');
  assert.equal(gateway.sources.length, 1);
});

test('a leader whose gateway is quieter than usual is given its time', async (context) => {
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (call, ms) => real(call, ms >= 1_000 ? ms / 500 : ms));
  tab.follow(wanted('a'));
  await until('the want', () => leader.wants.length === 1);
  state('one', '1000-0', ['a'], { heartbeatMs: 60_000 });
  await sleep(200);
  assert.ok(!asked.some(({ steal }) => steal), 'robbed after 45 s');
  await until('the lock is taken', () => asked.some(({ steal }) => steal));
});

test('tabs share with those of the same reader, and with no other', async () => {
  const jwt = (sub) => `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.c2ln`;
  const endpoint = new Endpoint({ gatewayUrl: `http://tabs/readers/${(count += 1)}` });
  endpoint.show({ token: async () => jwt('ann') });
  tab.close();
  tab = new SharedConnection(endpoint, { item() {}, changed() {}, rejoin() {} });
  tab.follow(wanted('a'));
  await until('a place in the line', () => asked.length > 0);
  const names = () => asked.map(({ name }) => name).filter((name) => name.endsWith(' leader'));
  assert.deepEqual(names(), [`logs-sse-gateway.1 ${endpoint.place} ann leader`]);
  tab.renewed(jwt('ann'));
  endpoint.show({ token: jwt('bob') });
  tab.renewed(jwt('bob'));
  await until('another line', () => names().length === 2);
  assert.equal(names()[1], `logs-sse-gateway.1 ${endpoint.place} bob leader`);
  endpoint.release();
});
