import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { Archive } from '../archive.js';
import { createLogsClient } from '../client.js';
import { badGateway, problem, sleep, until } from './bad_gateway.js';

// As much of IndexedDB as there is use for: transactions are done one after the other, whole or not at all.
let stores;
let fails;
let line;

const keyOf = (key) => JSON.stringify(key);
globalThis.IDBKeyRange = { bound: ([name]) => ({ has: (key) => JSON.parse(key)[0] === name }) };

class Transaction {
  #work = [];
  #draft;

  constructor() {
    line = line.then(() => this.#run());
  }
  async #run() {
    this.#draft = new Map([...stores].map(([name, rows]) => [name, new Map(rows)]));
    // Requests may be made in the callback of the one before.
    for (await sleep(0); this.#work.length > 0; await sleep(0)) {
      const { request, act } = this.#work.shift();
      try {
        request.result = act();
      } catch (error) {
        this.error = error;
        return this.onabort?.();
      }
      request.onsuccess?.();
    }
    stores = this.#draft;
    this.oncomplete?.();
  }
  objectStore(name) {
    const rows = () => this.#draft.get(name);
    const ask = (act) => {
      const request = {};
      this.#work.push({ request, act });
      return request;
    };
    return {
      get: (key) => ask(() => structuredClone(rows().get(keyOf(key)))),
      getAll: (range) => ask(() => [...rows()].filter(([key]) => !range || range.has(key)).map(([, row]) => structuredClone(row))),
      put: (row, key = row.name) => {
        const copy = structuredClone(row);
        return ask(() => {
          if (fails()) throw new DOMException('full', 'QuotaExceededError');
          rows().set(keyOf(key), copy);
        });
      },
      delete: (given) => ask(() => [...rows().keys()].forEach((key) => (given.has?.(key) ?? key === keyOf(given)) && rows().delete(key))),
    };
  }
}

beforeEach(() => {
  stores = new Map([['feeds', new Map()], ['blocks', new Map()]]);
  fails = () => false;
  line = Promise.resolve();
  globalThis.indexedDB = {
    open() {
      const request = { result: { transaction: () => new Transaction(), close() {} } };
      sleep(0).then(() => request.onsuccess());
      return request;
    },
  };
});
afterEach(() => {
  delete globalThis.indexedDB;
});

const record = (ms, message = '') => {
  const record = { id: `${ms}-0`, channel: 'logs:a:w', level: 'INFO', message };
  return { record, text: JSON.stringify(record) };
};
const ids = ({ items }) => items.map(({ record }) => Number.parseInt(record.id, 10));

test('lines that could not be kept are not passed over by the cursor of the next', async () => {
  const archive = await Archive.open('one', 100);
  archive.write([record(1)], '1-0', 'a');
  await archive.flush();
  fails = () => true;
  archive.write([record(2)], '2-0', 'a');
  const failing = archive.flush();
  // They come while the first are being written.
  archive.write([record(3)], '3-0', 'a');
  archive.flush();
  await failing;
  fails = () => false;
  archive.write([record(4)], '4-0', 'a');
  await archive.close();
  const kept = await (await Archive.open('one', 100)).load();
  assert.deepEqual(ids(kept), [1, 2, 3, 4]);
  assert.equal(kept.cursor, '4-0');
});

test('of lines that are too many characters the newest are kept, also where they were written together', async () => {
  const archive = await Archive.open('large', 1_000);
  archive.write(Array.from({ length: 900 }, (_, ms) => record(1 + ms, 'x'.repeat(10_000))), '900-0', 'a');
  await archive.flush();
  archive.write([record(901)], '901-0', 'a');
  await archive.close();
  const kept = await (await Archive.open('large', 1_000)).load();
  const shown = ids(kept);
  assert.equal(shown.at(-1), 901);
  assert.ok(shown.length > 700 && shown.length < 850, `${shown.length} lines are left`);
  assert.deepEqual(shown, Array.from({ length: shown.length }, (_, place) => 902 - shown.length + place));
});

test('two that write the same lines keep each once', async () => {
  const [one, two] = [await Archive.open('same', 100), await Archive.open('same', 100)];
  one.write([record(1), record(2)], '2-0', 'a');
  two.write([record(1), record(2), record(3)], '3-0', 'a');
  await Promise.all([one.flush(), two.flush()]);
  one.write([record(3), record(4)], '4-0', 'a');
  await Promise.all([one.close(), two.close()]);
  assert.deepEqual(ids(await (await Archive.open('same', 100)).load()), [1, 2, 3, 4]);
});

for (const [what, open] of [
  ['is blocked', () => ({})],
  ['opens and never answers', () => {
    const request = { result: { transaction: () => ({ objectStore: () => ({ get: () => ({}), getAll: () => ({}) }) }), close() {} } };
    sleep(0).then(() => request.onsuccess());
    return request;
  }],
]) {
  test(`a page whose IndexedDB ${what} has its live records all the same`, async () => {
    globalThis.indexedDB = { open };
    const gateway = badGateway();
    const client = createLogsClient({ gatewayUrl: 'http://archive' });
    const subscription = client.subscribe({ channels: ['logs:a:w'], persistence: true });
    await until('connected', () => subscription.snapshot.isConnected, 8_000);
    assert.equal(gateway.sources.length, 1);
    client.close();
    await sleep(1_100);
  });
}

test('a part that throws at its kept lines has its live records all the same', async () => {
  const archive = await Archive.open(JSON.stringify(['http://throws/api/logs', null, 1_000, 'logs:a:w']), 1_000);
  archive.write([record(1)], '1-0', null);
  await archive.close();
  badGateway();
  const errors = [];
  const caught = (error) => errors.push(error.message);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', caught);
  const client = createLogsClient({ gatewayUrl: 'http://throws' });
  const onRecords = () => {
    throw new Error('mine');
  };
  const subscription = client.subscribe({ channels: ['logs:a:w'], persistence: true, onRecords });
  try {
    await until('connected', () => subscription.snapshot.isConnected);
    await until('told', () => errors.length > 0);
  } finally {
    client.close();
    process.removeListener('uncaughtException', caught);
    others.forEach((listener) => process.on('uncaughtException', listener));
  }
  assert.deepEqual(errors, ['mine']);
});

const base64 = (claims) => Buffer.from(JSON.stringify(claims)).toString('base64url');
const jwt = (sub) => `${base64({})}.${base64({ sub })}.c2ln`;

/** A page that keeps its lines, for a reader with this token: what it shows, as it is shown. */
function page(gatewayUrl, token) {
  const shown = [];
  const client = createLogsClient({ gatewayUrl, token });
  const options = { channels: ['logs:a:w', 'logs:b:w'], persistence: true };
  const subscription = client.subscribe({ ...options, onRecords: (records) => shown.push(...records.map(({ id }) => id)) });
  return { client, subscription, shown, logs: () => subscription.snapshot.logs.map(({ id }) => id) };
}

/** Leaves the page, and waits until it has written what it keeps. */
async function leave({ client }) {
  client.close();
  // As with a page that is gone, nothing of it is there for the next.
  await until('no stream', () => globalThis[Symbol.for('logs-sse-gateway.hubs.1')].hubs.size === 0);
  await line;
  await sleep(20);
}

async function keep(gatewayUrl, token, user_id, id) {
  const gateway = badGateway({ opened: (source) => source.connect({ user_id }) });
  const kept = page(gatewayUrl, token);
  await until('connected', () => kept.subscription.snapshot.isConnected);
  gateway.sources[0].log(id, 'logs:a:w');
  await until('the line', () => kept.shown.length > 0);
  await leave(kept);
}

for (const [what, tokens] of [
  ['whose token says who it is', { ann: jwt('ann'), bob: async () => jwt('bob') }],
  ['whom the gateway knows by a cookie', {}],
  ['whose token says nothing', { ann: 'opaque', bob: 'other' }],
]) {
  test(`lines of one reader are not left on screen for another, ${what}`, async () => {
    const gatewayUrl = `http://archive/${what}`;
    await keep(gatewayUrl, tokens.ann, 'ann', '1001-0');
    badGateway({ opened: (source) => source.connect({ user_id: 'ann' }) });
    const same = page(gatewayUrl, tokens.ann);
    await until('her lines', () => same.logs().length === 1);
    await leave(same);
    badGateway({ opened: (source) => source.connect({ user_id: 'bob' }) });
    const other = page(gatewayUrl, tokens.bob);
    await until('connected', () => other.subscription.snapshot.isConnected);
    await sleep(100);
    assert.deepEqual(other.logs(), []);
    // Where it is known who reads before anything is shown, nothing was.
    if (what.includes('says who')) assert.deepEqual(other.shown, []);
    else assert.deepEqual(other.shown, ['1001-0']);
    await leave(other);
    // What is dropped is not kept either.
    if (!what.includes('says who')) assert.ok(!JSON.stringify([...stores.get('blocks')]).includes('1001-0'));
  });
}

for (const status of [401, 403]) {
  test(`saved lines go where the gateway refuses with ${status}`, async () => {
    const gatewayUrl = `http://archive/refused/${status}`;
    await keep(gatewayUrl, jwt('ann'), 'ann', '1001-0');
    badGateway({ opened: (source) => source.refuse(), answer: () => problem(status, 'no') });
    const refused = page(gatewayUrl, jwt('ann'));
    await until('refused', () => refused.subscription.snapshot.connectionStatus === 'ERROR');
    await until('nothing on screen', () => refused.logs().length === 0);
    await leave(refused);
    assert.ok(!JSON.stringify([...stores.get('blocks')]).includes('1001-0'), 'and nothing kept');
  });
}

test('saved lines of a channel that is refused go, and the others stay', async () => {
  const archive = await Archive.open('some', 100);
  const other = { ...record(2).record, channel: 'logs:b:w' };
  archive.write([record(1), { record: other, text: JSON.stringify(other) }, record(3)], '3-0', 'ann');
  await archive.flush();
  await archive.forget(['logs:b:*']);
  archive.write([record(4)], '4-0', 'ann');
  await archive.close();
  const kept = await (await Archive.open('some', 100)).load();
  assert.deepEqual(ids(kept), [1, 3, 4]);
  assert.deepEqual([kept.cursor, kept.reader], ['4-0', 'ann']);
});

test('what was kept before it was known whose it is is dropped', async () => {
  const there = new Set(['feeds', 'blocks', 'other']);
  const done = [];
  const result = {
    get objectStoreNames() {
      return [...there];
    },
    deleteObjectStore: (name) => (there.delete(name), done.push(`delete ${name}`)),
    createObjectStore: (name) => (there.add(name), done.push(`create ${name}`)),
    close() {},
  };
  globalThis.indexedDB = {
    open(_, version) {
      assert.equal(version, 2);
      const request = { result };
      sleep(0).then(() => (request.onupgradeneeded(), request.onsuccess()));
      return request;
    },
  };
  await Archive.open('old', 100);
  assert.deepEqual(done, ['delete feeds', 'delete blocks', 'delete other', 'create feeds', 'create blocks']);
});
