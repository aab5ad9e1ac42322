'use strict';

const assert = require('node:assert/strict');
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { endAll, folder, gateway, nowhere, proxy, run } = require('./gateway.js');

/** @type {Awaited<ReturnType<typeof gateway>>} */
let real;
before(async () => {
  real = await gateway();
});
after(endAll);

const PUBLISHES = `const { createPublisher } = require('@datashop/logs-sse-publisher');
const publisher = createPublisher({ timeout_ms: 15000, close_ms: Number(process.env.CLOSE_MS ?? 10000) });
const many = (count) => { for (let n = 0; n < count; n += 1) publisher.info('line ' + n, { n }); };
process.on('exit', () => setImmediate(() => {}));
`;
const TELLS = `process.on('exit', () => console.log(JSON.stringify(publisher.stats())));\n`;

/**
 * Runs a program that publishes to a workflow of its own.
 * @param {string} workflow
 * @param {string} source
 * @param {{ url?: string, env?: Record<string, string>, args?: string[] }} [how]
 */
async function publishing(workflow, source, { url = real.url, env = {}, args = [] } = {}) {
  const ended = await run(PUBLISHES + source, { args, env: { LOGS_GATEWAY_URL: url, LOGS_WORKFLOW_ID: workflow, ...env } });
  const stored = await real.stored(`logs:etl:w:${workflow}`);
  return { ...ended, stored, numbers: stored.map(({ fields }) => fields?.n) };
}
const all = (/** @type {number} */ count) => Array.from({ length: count }, (_, n) => n);

test('a program that just ends has sent everything', async () => {
  const { numbers, code, err } = await publishing('ends', 'many(2500);');
  assert.deepEqual([code, err, numbers], [0, '', all(2500)]);
});

test('a program that exits has sent everything, with its own exit code', async () => {
  const { numbers, code, out } = await publishing('exits', `many(2500);${TELLS} process.exit(3);`);
  assert.deepEqual([code, numbers, JSON.parse(out)], [3, all(2500), { queued: 0, sent: 2500, dropped: {} }]);
});

test('what was under way when a program exits is stored once', async () => {
  const slow = await proxy(real.url, async ({ n }) => (n === 0 ? 'lose' : false));
  const { numbers, code } = await publishing('under-way', 'many(50); publisher.flush(); setTimeout(() => process.exit(0), 300);', {
    url: slow.url,
  });
  assert.deepEqual([code, numbers], [0, all(50)]);
  assert.ok(slow.seen.length >= 2 && slow.seen.every(({ key, body }) => key === slow.seen[0].key && body.equals(slow.seen[0].body)));
});

test('what may be stored when a program exits is not sent again in halves', async () => {
  const refuse = (/** @type {any} */ response) => response.writeHead(413).end('{}') && true;
  const bad = await proxy(real.url, ({ n, lines }, response) => (n === 0 ? 'lose' : lines.length > 3 && refuse(response)));
  const { numbers, code, out } = await publishing(
    'may-be-stored',
    `many(50); publisher.flush(); ${TELLS} setImmediate(() => process.exit(0));`,
    { url: bad.url },
  );
  assert.deepEqual([code, numbers, JSON.parse(out)], [0, all(50), { queued: 0, sent: 0, dropped: { unconfirmed: 50 } }]);
});

test('an error that nobody caught is the end, and its records are sent', async () => {
  for (const [name, source] of Object.entries({
    thrown: "throw new Error('uncaught');",
    rejected: "Promise.reject(new Error('uncaught'));",
  })) {
    const { numbers, code, err } = await publishing(name, `many(10); ${source}`);
    assert.deepEqual([code, numbers], [1, all(10)]);
    assert.match(err, /uncaught/);
  }
});

test('what is loaded before a program is not loaded for its end', async () => {
  const first = path.join(folder(), 'first.cjs');
  writeFileSync(first, "require('node:fs').writeSync(1, 'loaded ');");
  for (const how of [{ env: { NODE_OPTIONS: `--require ${first}` } }, { args: ['--require', first] }]) {
    const { numbers, code, out } = await publishing(`preload-${Object.keys(how)[0]}`, "many(10); console.log('ran'); process.exit();", how);
    assert.deepEqual([code, numbers, out], [0, all(10), 'loaded ran\n']);
  }
});

test('a thread of its own sends at its end too', async () => {
  const thread = `const { Worker, isMainThread } = require('node:worker_threads');
    if (isMainThread) new Worker(__filename).on('exit', () => { many(1); });
    else { publisher.info('in the thread'); if (process.env.EXITS) process.exit(); }`;
  for (const EXITS of ['', '1']) {
    const { stored } = await publishing(`thread${EXITS}`, thread, { env: { EXITS } });
    assert.deepEqual(
      stored.map(({ message }) => message),
      ['in the thread', 'line 0'],
    );
  }
});

test('what tells of dropped records at the exit is no record of the program', async () => {
  const { out, stored } = await publishing('told', `publisher.info('x'.repeat(300000)); many(3);${TELLS} process.exit();`);
  assert.deepEqual(JSON.parse(out), { queued: 0, sent: 3, dropped: { too_large: 1 } });
  assert.deepEqual(
    stored.map(({ message }) => message),
    ['1 records dropped by the publisher', 'line 0', 'line 1', 'line 2'],
  );
});

test('a halves-only gateway and one that refuses are heard at the exit too', async () => {
  const picky = await proxy(real.url, ({ lines }, response) => lines.length > 3 && response.writeHead(413).end() && true);
  const { numbers } = await publishing('halves', 'many(10); process.exit();', { url: picky.url });
  assert.deepEqual(numbers, all(10));
  const { out, stored } = await publishing(
    'refused',
    `many(1);
    publisher.publish('m', { workspace_id: 'w' });
    publisher.publish('m', { service: 'faas' });
    publisher.publish('x'.repeat(300000), { service: 'faas' });
    ${TELLS} process.exit();`,
  );
  assert.deepEqual([JSON.parse(out), stored.length], [{ queued: 0, sent: 2, dropped: { too_large: 1, refused: 1 } }, 2]);
});

test('a gateway that is down or hangs holds no end longer than close_ms', async () => {
  const hangs = await proxy(real.url, () => true);
  for (const url of [hangs.url, await nowhere()]) {
    for (const how of ['', 'setTimeout(() => {}, 300);', 'process.exit();', 'setTimeout(() => process.exit(), 300);']) {
      const { ms, out, err } = await publishing('away', `many(10);${TELLS} ${how}`, { url, env: { CLOSE_MS: '500' } });
      assert.ok(ms >= 500 && ms < 5_000, `${url} ${how}: ${ms}`);
      assert.deepEqual(JSON.parse(out), { queued: 0, sent: 0, dropped: { closed: 10 } });
      // What is wrong, where there was time to find out, and what is left over.
      assert.match(err, /^(logs-sse-publisher: .*\n)?logs-sse-publisher: 10 records could not be sent before the end\n$/);
    }
  }
});

test('a program with nothing to send, or that has sent it, ends at once', async () => {
  const hangs = await proxy(real.url, () => true);
  const nothing = await publishing('nothing', `console.log('ran');`, { url: hangs.url });
  assert.deepEqual([nothing.out, hangs.seen.length], ['ran\n', 0]);
  // The connection is still open, and keeps nothing alive.
  const sent = await publishing('sent', `many(1); publisher.flush().then((isSent) => console.log(isSent, performance.now() < 5000));`);
  assert.equal(sent.out, 'true true\n');
  assert.ok(sent.ms < 5_000);
});

test('top-level await of flush ends', async () => {
  const source = `import { createPublisher } from '@datashop/logs-sse-publisher';
    const publisher = createPublisher({ linger_ms: 60_000 });
    publisher.info('m');
    console.log(await publisher.flush(), await publisher.close());`;
  const { out, code } = await run(source, { name: 'program.mjs', env: { LOGS_GATEWAY_URL: real.url } });
  assert.deepEqual([out, code], ['true true\n', 0]);
});

test('without threads, the end is in time and counted', async () => {
  const args = process.allowedNodeEnvironmentFlags.has('--permission') ? ['--permission'] : ['--experimental-permission'];
  const { out, code } = await publishing('forbidden', `many(1);${TELLS} process.exit(4);`, {
    args: [...args, '--allow-fs-read=*', '--no-warnings'],
  });
  assert.deepEqual([code, JSON.parse(out)], [4, { queued: 0, sent: 0, dropped: { closed: 1 } }]);
});

test('standard error that nobody reads costs nothing', async () => {
  const { code, out } = await publishing('deaf', `require('node:fs').closeSync(2); many(1);${TELLS}`, {
    url: await nowhere(),
    env: { CLOSE_MS: '200' },
  });
  assert.deepEqual([code, JSON.parse(out).dropped], [0, { closed: 1 }]);
});
