'use strict';

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');

const { endAll, gateway, nowhere, proxy, run } = require('./gateway.js');

/** @type {Awaited<ReturnType<typeof gateway>>} */
let real;
before(async () => {
  real = await gateway();
});
after(endAll);

/** @param {string} workflow @param {string} source @param {Record<string, string>} [env] */
async function logged(workflow, source, env = {}) {
  const ended = await run(source, { env: { LOGS_GATEWAY_URL: real.url, LOGS_WORKFLOW_ID: workflow, ...env } });
  return { ...ended, stored: await real.stored(`logs:etl:w:${workflow}`) };
}
const all = (/** @type {number} */ count) => Array.from({ length: count }, (_, n) => n);

const PINO = `const pino = require('pino');
const logger = pino({ level: 'trace' }, pino.transport({ target: '@datashop/logs-sse-publisher/pino', options: { close_ms: 5000 } }));
`;
const MANY = `for (let n = 0; n < 500; n += 1) logger.info({ n }, 'line');\n`;

test('pino: what is logged is stored, with its time, level and fields', async () => {
  const { stored, code, err } = await logged(
    'pino',
    `${PINO}
    logger.child({ rows: 42 }).warn('loaded');
    logger.error(new Error('broken'));
    logger.fatal({ big: { deep: [1] } }, 'línea 🚀\\n2');
    logger.info({ only: 'fields' });`,
  );
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(
    stored.map(({ level, message }) => [level, message]),
    [
      ['WARN', 'loaded'],
      ['ERROR', 'broken'],
      ['FATAL', 'línea 🚀\n2'],
      ['INFO', ''],
    ],
  );
  assert.deepEqual(
    [stored[0].fields.rows, stored[1].fields.err.type, stored[2].fields.big, stored[3].fields.only],
    [42, 'Error', { deep: [1] }, 'fields'],
  );
  assert.deepEqual([typeof stored[0].fields.pid, stored[0].fields.time, stored[0].fields.msg], ['number', undefined, undefined]);
  assert.ok(Math.abs(Date.parse(stored[0].timestamp) - Date.now()) < 60_000);
});

test('pino: nothing is lost where the program exits', async () => {
  const ready = `logger.info('first'); setTimeout(() => {`;
  for (const [name, source] of Object.entries({
    natural: MANY,
    exit: `${ready} ${MANY} process.exit(3); }, 1000);`,
    thrown: `${ready} ${MANY} throw new Error('uncaught'); }, 1000);`,
  })) {
    const { stored, code } = await logged(`pino-${name}`, PINO + source);
    assert.deepEqual([name, code], [name, { natural: 0, exit: 3, thrown: 1 }[name]]);
    assert.deepEqual(
      stored.flatMap(({ fields }) => fields?.n ?? []),
      all(500),
    );
  }
});

test('pino: a gateway that hangs holds neither the program nor its end', async () => {
  const hangs = await proxy(real.url, () => true);
  const { ms, code } = await logged('pino-hangs', PINO.replace('5000', '500') + MANY, { LOGS_GATEWAY_URL: hangs.url });
  assert.equal(code, 0);
  assert.ok(ms < 8_000, String(ms));
});

test('pino: its flush sends what waits', async () => {
  const { out } = await logged(
    'pino-flush',
    `${PINO.replace('5000', '5000, linger_ms: 60000')}
    logger.info('m');
    logger.flush(async () => {
      const history = await fetch(process.env.LOGS_GATEWAY_URL + '/api/logs/history?channels=logs:etl:w:pino-flush');
      console.log((await history.json()).records.length);
    });`,
  );
  assert.equal(out, '1\n');
});

test('pino: the same as a stream, with other keys and times', async () => {
  const { stored } = await logged(
    'pino-stream',
    `const pino = require('pino');
    const stream = require('@datashop/logs-sse-publisher/pino');
    const options = { messageKey: 'message', timestamp: () => ',"time":"2025-09-25T10:30:00.000Z"', formatters: { level: (label) => ({ level: label }) } };
    const logger = pino(options, stream({ messageKey: 'message' }));
    logger.warn({ rows: 1 }, 'loaded');
    process.exit();`,
  );
  assert.deepEqual(
    stored.map(({ level, message, timestamp }) => [level, message, timestamp]),
    [['WARN', 'loaded', '2025-09-25T10:30:00.000Z']],
  );
});

test('pino: what is no record of it is a text', async () => {
  const { stored } = await logged(
    'pino-text',
    `const stream = require('@datashop/logs-sse-publisher/pino')();
    stream.write('plain\\n\\n{"msg":"in two ');
    stream.write(Buffer.from('parts"}\\n[1]\\n7\\nlast'));
    stream.end();`,
  );
  assert.deepEqual(
    stored.map(({ message }) => message),
    ['plain', 'in two parts', '[1]', '7', 'last'],
  );
});

const WINSTON = `const winston = require('winston');
const { LogsTransport } = require('@datashop/logs-sse-publisher/winston');
const transport = new LogsTransport(JSON.parse(process.env.OPTIONS ?? '{}'));
const logger = winston.createLogger({ level: 'silly', transports: [transport] });
`;

test('winston: what is logged is stored, with its level and fields', async () => {
  const { stored, err } = await logged(
    'winston',
    `${WINSTON}
    logger.info('loaded', { rows: 42 });
    logger.child({ request: 7 }).warn('slow');
    logger.http('asked'); logger.verbose('more'); logger.silly('most');
    logger.error(new Error('broken'));
    logger.error('failed', { error: new Error('inner'), big: 1n });`,
  );
  assert.equal(err, '');
  const levels = stored.map(({ level, message }) => [level, message]);
  assert.deepEqual(levels, [
    ['INFO', 'loaded'],
    ['WARN', 'slow'],
    ['DEBUG', 'asked'],
    ['DEBUG', 'more'],
    ['TRACE', 'most'],
    ['ERROR', 'broken'],
    ['ERROR', 'failed'],
  ]);
  assert.deepEqual(
    [stored[0].fields, stored[1].fields.request, stored[6].fields.error.message, stored[6].fields.big],
    [{ rows: 42 }, 7, 'inner', '1'],
  );
  assert.match(stored[5].fields.stack, /Error: broken/);
});

test("winston: levels, format and silence are the transport's own", async () => {
  const { stored } = await logged(
    'winston-own',
    `${WINSTON}
    logger.info('not wanted');
    logger.warn('wanted');
    transport.format = winston.format((info) => (info.secret ? false : { ...info, added: true }))();
    logger.warn('formatted');
    logger.warn('dropped', { secret: 1 });
    transport.format = winston.format(() => { throw new Error('bad format'); })();
    logger.warn('thrown');
    transport.format = undefined;
    transport.silent = true;
    logger.warn('silent');`,
    { OPTIONS: '{"level":"warn"}' },
  );
  assert.deepEqual(
    stored.map(({ message, fields }) => [message, fields?.added]),
    [
      ['wanted', undefined],
      ['formatted', true],
    ],
  );
});

test('winston: nothing is lost where the program or the logger ends', async () => {
  for (const [name, end] of Object.entries({
    natural: '',
    exit: 'process.exit();',
    ended: 'logger.end();',
    removed: 'logger.remove(transport);',
    closed: 'logger.close();',
  })) {
    const { stored } = await logged(`winston-${name}`, WINSTON + MANY.replace("{ n }, 'line'", "'line', { n }") + end);
    assert.deepEqual([name, stored.map(({ fields }) => fields.n)], [name, all(500)]);
  }
});

test('winston: an exception that nobody caught is stored where it was asked for', async () => {
  const { stored, code } = await logged('winston-exception', `${WINSTON} setTimeout(() => { throw new Error('uncaught'); });`, {
    OPTIONS: '{"handleExceptions":true}',
  });
  assert.equal(code, 1);
  assert.match(stored[0].message, /uncaught/);
});

test('winston: a gateway that is down is not noticed', async () => {
  const { code, err } = await logged('winston-down', WINSTON + MANY, { LOGS_GATEWAY_URL: await nowhere(), OPTIONS: '{"close_ms":300}' });
  assert.equal(code, 0);
  assert.match(err, /^logs-sse-publisher: .*\nlogs-sse-publisher: \d+ records could not be sent before the end\n$/);
});
