'use strict';

const assert = require('node:assert/strict');
const { after, before, beforeEach, test } = require('node:test');
const { inspect } = require('node:util');

const { createPublisher } = require('../index.js');
const { TOKEN, endAll, gateway, nowhere, proxy, until } = require('./gateway.js');

/** @type {Awaited<ReturnType<typeof gateway>>} */
let real;
let count = 0;
/** @type {string} */
let workflow_id;
/** @type {string[]} */
let problems;
before(async () => {
  real = await gateway({ SERVICE_TOKENS: `${TOKEN}=etl` });
});
beforeEach(() => {
  workflow_id = `f${(count += 1)}`;
  problems = [];
});
after(endAll);

/** @param {string} url @param {object} [options] */
const made = (url, options) =>
  createPublisher({
    url,
    token: TOKEN,
    service: 'etl',
    workspace_id: 'w',
    workflow_id,
    on_problem: (problem) => void problems.push(problem),
    ...options,
  });
const stored = () => real.stored(`logs:etl:w:${workflow_id}`);
const messages = async () => (await stored()).map(({ message }) => message);
/** @param {number} status @param {object} [body] @param {object} [headers] */
const answer =
  (status, body = {}, headers = {}) =>
  (/** @type {any} */ _request, /** @type {any} */ response) =>
    response.writeHead(status, headers).end(JSON.stringify(body)) && true;

test('what a call was given is what is stored, whatever becomes of it afterwards', async () => {
  const publisher = made(real.url);
  const logData = { message: 'm', nested: { rows: [1] } };
  publisher.publish(logData);
  logData.message = 'changed';
  logData.nested.rows.push(2);
  publisher.warn('warned', { rows: 1 });
  publisher.publish(['one', { two: 2 }]);
  assert.equal(await publisher.close(), true);
  const [first, second, ...others] = await stored();
  assert.deepEqual([first.message, first.fields], ['m', { nested: { rows: [1] } }]);
  assert.deepEqual([second.level, second.message, second.fields], ['WARN', 'warned', { rows: 1 }]);
  assert.deepEqual(
    others.map(({ message }) => message),
    ['["one",{"two":2}]'],
  );
  assert.deepEqual(publisher.stats(), { queued: 0, sent: 3, dropped: {} });
});

test('half a character does not cost its record', async () => {
  const publisher = made(real.url);
  publisher.info('cut \ud83d', { 'key \udc00': '\ud800' });
  await publisher.close();
  assert.deepEqual(
    (await stored()).map(({ message, fields }) => [message, fields]),
    [['cut \ufffd', { 'key \ufffd': '\ufffd' }]],
  );
});

test('the functions need no object, none throws whatever it is given, and each call is counted', async () => {
  const { publish, info, close, stats } = made('http://127.0.0.1:1', { close_ms: 1 });
  const no = () => {
    throw new Error('no');
  };
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const getter = Object.defineProperty({}, 'message', { get: no, enumerable: true });
  const trap = new Proxy({}, { get: no });
  const things = [undefined, null, 0, 1n, Symbol('s'), () => {}, getter, trap, revoked.proxy, [[]], new Map(), Object.create(null)];
  for (const when of ['open', 'closed']) {
    const before = stats();
    for (const thing of things) {
      assert.equal(publish(thing), undefined);
      assert.equal(publish('m', /** @type {any} */ (thing)), undefined);
      assert.equal(info(thing, thing), undefined);
    }
    const { queued, dropped } = stats();
    const count =
      queued +
      (dropped.refused ?? 0) +
      (dropped.closed ?? 0) -
      before.queued -
      Object.values(before.dropped).reduce((sum, n) => sum + n, 0);
    assert.deepEqual([when, count], [when, 3 * things.length]);
    await close(1);
  }
});

test('a call deep in a recursion without end returns too', async () => {
  const publisher = made(real.url);
  const dive = () => {
    publisher.info('deep');
    dive();
  };
  assert.throws(dive, RangeError);
  publisher.info('afterwards');
  assert.equal(await publisher.close(10_000), true);
  assert.ok((await messages()).includes('afterwards') || publisher.stats().dropped.queue_full);
});

test('the same bytes with the same key until it is answered, and it is stored once', async () => {
  const bad = await proxy(real.url, ({ n }, response) =>
    n === 0 ? answer(200, { ok: 'not a gateway' })(null, response) : n === 1 ? 'lose' : n === 2 ? answer(502)(null, response) : false,
  );
  const publisher = made(bad.url);
  for (let n = 0; n < 50; n += 1) publisher.info(`line ${n}`);
  assert.equal(await publisher.close(10_000), true);
  assert.equal(new Set(bad.seen.map(({ key }) => key)).size, 1);
  assert.ok(bad.seen.every(({ body }) => body.equals(bad.seen[0].body)));
  assert.equal(bad.seen[0].headers['content-encoding'], 'gzip');
  assert.deepEqual(
    await messages(),
    Array.from({ length: 50 }, (_, n) => `line ${n}`),
  );
  assert.equal(bad.seen.length, 4);
  assert.equal(problems.length, 1);
});

test('a batch that is too much goes in halves, in order', async () => {
  const bad = await proxy(real.url, ({ lines }, response) => lines.length > 3 && answer(413)(null, response));
  const publisher = made(bad.url);
  for (let n = 0; n < 10; n += 1) publisher.info(String(n));
  assert.equal(await publisher.close(), true);
  assert.deepEqual(await messages(), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  assert.equal(new Set(bad.seen.map(({ key }) => key)).size, bad.seen.length);
});

test('a batch that may be stored is not sent again in halves', async () => {
  const bad = await proxy(real.url, ({ n, lines }, response) => (n === 0 ? 'lose' : lines.length > 3 && answer(413)(null, response)));
  const publisher = made(bad.url);
  for (let n = 0; n < 10; n += 1) publisher.info(String(n));
  assert.equal(await publisher.close(), true);
  assert.deepEqual(publisher.stats(), { queued: 0, sent: 0, dropped: { unconfirmed: 10 } });
  const [told, ...others] = (await messages()).reverse();
  assert.deepEqual([told, others.length], ['10 records dropped by the publisher', 10]);
});

test('a channel that the token has no room for is refused, and what comes after it is sent', async () => {
  const code = 'too_many_token_channels';
  const bad = await proxy(real.url, ({ n }, response) => n === 0 && answer(429, { code }, { 'retry-after': '60' })(null, response));
  const publisher = made(bad.url);
  publisher.info('one too many');
  assert.equal(await publisher.flush(), true);
  publisher.info('m');
  assert.equal(await publisher.close(), true);
  assert.deepEqual(publisher.stats(), { queued: 0, sent: 1, dropped: { refused: 1 } });
});

test('a single record that is too much is refused', async () => {
  const bad = await proxy(real.url, answer(413));
  const publisher = made(bad.url);
  publisher.info('m');
  assert.equal(await publisher.flush(), true);
  assert.deepEqual(publisher.stats(), { queued: 0, sent: 0, dropped: { refused: 1 } });
});

test('what is refused of a batch is counted, and the channel told where it can be', async () => {
  const publisher = made(real.url);
  publisher.info('good');
  publisher.publish('other service', { service: 'faas' });
  publisher.publish('no channel', { workspace_id: 'no good' });
  publisher.publish('x'.repeat(300_000));
  assert.equal(await publisher.close(), true);
  assert.deepEqual(publisher.stats(), { queued: 0, sent: 1, dropped: { refused: 2, too_large: 1 } });
  const told = (await stored()).find(({ level }) => level === 'WARN');
  assert.equal(told.message, '1 records dropped by the publisher');
  assert.deepEqual(told.fields, { dropped: 1, reasons: { too_large: 1 }, levels: { INFO: 1 } });
});

test('a batch that had no answer for nine minutes is not sent again', async (context) => {
  let isLater = false;
  const bad = await proxy(real.url, () => (isLater ? false : 'lose'));
  const publisher = made(bad.url, { linger_ms: 0 });
  publisher.info('lost answer');
  await until('the first try', () => problems.length === 1);
  const now = Date.now();
  context.mock.method(Date, 'now', () => now + 9 * 60_000);
  isLater = true;
  assert.equal(await publisher.close(), true);
  assert.deepEqual(publisher.stats().dropped, { unconfirmed: 1 });
  const after = await stored();
  assert.deepEqual(
    after.map(({ message }) => message),
    ['lost answer', '1 records dropped by the publisher'],
  );
});

test('what was to tell of dropped records is told later, where it is not known to have arrived', async (context) => {
  let isLater = false;
  const bad = await proxy(real.url, (_, response) => !isLater && response.socket?.destroy() !== undefined);
  const publisher = made(bad.url, { linger_ms: 0 });
  publisher.info('x'.repeat(300_000));
  publisher.info('kept');
  await until('a second try', () => bad.seen.length >= 2);
  const now = Date.now();
  context.mock.method(Date, 'now', () => now + 9 * 60_000);
  isLater = true;
  assert.equal(await publisher.close(), true);
  assert.deepEqual(
    (await stored()).map(({ fields }) => fields.reasons),
    [{ too_large: 1, unconfirmed: 1 }],
  );
});

test('a gateway that was never reached may come back at any time', async (context) => {
  const url = await nowhere();
  const publisher = made(url, { linger_ms: 0 });
  publisher.info('m');
  await until('a problem', () => problems.length === 1);
  const now = Date.now();
  context.mock.method(Date, 'now', () => now + 60 * 60_000);
  assert.equal(await publisher.flush(300), false);
  assert.deepEqual(publisher.stats(), { queued: 1, sent: 0, dropped: {} });
  await publisher.close(0);
});

test('a connection that the gateway closed while it was idle costs nothing', async () => {
  const bad = await proxy(real.url);
  const publisher = made(bad.url);
  for (let n = 0; n < 5; n += 1) {
    publisher.info(String(n));
    assert.equal(await publisher.flush(), true);
    bad.seen.at(-1).socket.destroy();
  }
  await publisher.close();
  assert.deepEqual([await messages(), problems], [['0', '1', '2', '3', '4'], []]);
});

test('requests share one connection', async () => {
  const bad = await proxy(real.url);
  const publisher = made(bad.url);
  for (let n = 0; n < 5; n += 1) {
    publisher.info(String(n));
    await publisher.flush();
  }
  assert.equal(new Set(bad.seen.map(({ socket }) => socket)).size, 1);
  await publisher.close();
});

test('flush waits for what was there, not for what comes', async () => {
  const publisher = made(real.url);
  const busy = setInterval(() => publisher.info('more'), 1);
  publisher.info('first');
  assert.equal(await publisher.flush(10_000), true);
  clearInterval(busy);
  assert.equal(await publisher.close(), true);
});

test('an address below a path is kept', async () => {
  const bad = await proxy(real.url, answer(413));
  const publisher = made(`${bad.url}/logs/gateway/?a=1#b`);
  publisher.info('m');
  await publisher.close();
  assert.equal(bad.seen[0].url, '/logs/gateway/api/logs/publish');
});

test('settings that are none are told, and cost no call', async () => {
  for (const options of [{ url: 'nonsense' }, { url: 'ftp://a' }, { service: '*' }, { workspace_id: undefined }, { workflow_id: 'a:b' }]) {
    problems = [];
    const publisher = made(real.url, options);
    publisher.info('m');
    publisher.info('m');
    assert.equal(await publisher.flush(), true);
    assert.deepEqual(publisher.stats(), { queued: 0, sent: 0, dropped: { refused: 2 } });
    await until('a problem', () => problems.length === 1);
  }
  problems = [];
  made(real.url, { close_ms: 'soon', max_records: '5' });
  await until('a problem', () => problems.length === 1);
  assert.equal(problems[0], 'close_ms is no number of at least 0: it is 5000');
  const odd = /** @type {any} */ ({
    max_records: Number.NaN,
    max_bytes: -1,
    linger_ms: 'x',
    timeout_ms: null,
    close_ms: {},
    on_problem: 7,
    token: {},
  });
  assert.doesNotThrow(() => made('http://127.0.0.1:1', odd).close(0));
  assert.doesNotThrow(() => createPublisher(/** @type {any} */ (null)).close(0));
  const trap = new Proxy({}, { ownKeys: () => assert.fail('no'), get: () => assert.fail('no') });
  for (const given of [trap, { url: trap, token: trap, service: trap }])
    assert.doesNotThrow(() => createPublisher(/** @type {any} */ (given)).close(0));
});

test('a token is in nothing that is shown or said', async () => {
  const token = 'very-secret-0815';
  const echo = await proxy(real.url, ({ n }, response) =>
    answer(n === 0 ? 503 : 400, { detail: `your token is ${token}\n\u001b[31m` })(null, response),
  );
  const publisher = made(echo.url, { token });
  publisher.info('m');
  const shown = [inspect(publisher, { showHidden: true, depth: 9 }), JSON.stringify(publisher), ...Object.values(publisher).map(String)];
  await publisher.close();
  const wrong = made(real.url, { token: `${token}\u2713` });
  wrong.info('m');
  await wrong.close(100);
  // Two that are wrong, and what was left of the second.
  assert.equal(problems.length, 3);
  for (const text of [...shown, ...problems]) assert.ok(!text.includes(token), text);
  assert.ok(problems.some((problem) => problem.includes('[token]')));
  for (const problem of problems) assert.doesNotMatch(problem, /[\u0000-\u001f]/);
});

test('who is told of a problem may throw', async () => {
  const publisher = made(await nowhere(), {
    on_problem: () => {
      throw new Error('no');
    },
  });
  publisher.info('m');
  assert.equal(await publisher.close(200), false);
  assert.deepEqual(publisher.stats().dropped, { closed: 1 });
});
