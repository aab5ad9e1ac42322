'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { cpSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { endAll, folder, gateway, packages, run } = require('./gateway.js');

/** @type {Awaited<ReturnType<typeof gateway>>} */
let real;
before(async () => {
  real = await gateway({ SERVICE_TOKENS: 'l5-etl-token=etl;all=*' });
});
after(endAll);

const env = (/** @type {string} */ workflow) => ({ LOGS_GATEWAY_URL: real.url, LOGS_WORKFLOW_ID: workflow });
const messages = async (/** @type {string} */ channel) => (await real.stored(channel)).map(({ message }) => message);
const program = (/** @type {string} */ name) => path.join(packages(), 'node_modules/.bin', name);

test('a program of both kinds of modules has one publisher', async () => {
  const source = `import { createRequire } from 'node:module';
    import * as imported from '@datashop/logs-sse-publisher';
    import transport from '@datashop/logs-sse-publisher/pino';
    import { LogsTransport } from '@datashop/logs-sse-publisher/winston';
    const require = createRequire(import.meta.url);
    const required = require('@datashop/logs-sse-publisher');
    imported.configure({ service: 'configured', workflow_id: 'both' });
    required.publishLog('required', 'warning', { rows: 1 });
    imported.publishLog('imported');
    imported.publishFAASLog('w', 'both', 'a text');
    required.publishETLLog('w', 'both', { message: 'an object' });
    console.log(Object.keys(required).every((name) => required[name] === imported[name]),
      require('@datashop/logs-sse-publisher/pino') === transport, require('@datashop/logs-sse-publisher/winston').LogsTransport === LogsTransport);`;
  const { out } = await run(source, { name: 'program.mjs', env: { ...env('both'), LOGS_GATEWAY_TOKEN: 'all' } });
  assert.equal(out, 'true true true\n');
  assert.deepEqual(await messages('logs:configured:w:both'), ['required', 'imported']);
  assert.deepEqual(await messages('logs:faas:w:both'), ['a text']);
  assert.deepEqual(await messages('logs:etl:w:both'), ['an object']);
});

test('configuring again sends what was there before', async () => {
  const source = `const { configure, publishLog } = require('@datashop/logs-sse-publisher');
    publishLog('from the environment');
    configure({ workflow_id: 'second' });
    publishLog('as configured');`;
  await run(source, { env: env('first') });
  assert.deepEqual([await messages('logs:etl:w:first'), await messages('logs:etl:w:second')], [['from the environment'], ['as configured']]);
});

test('what a bundler makes of it works as before, at the end of the program too', async () => {
  const source = `import { createPublisher } from '@datashop/logs-sse-publisher';
    const publisher = createPublisher();
    publisher.info('bundled');
    process.exit();`;
  const dir = folder();
  writeFileSync(path.join(dir, 'in.mjs'), source);
  for (const format of ['cjs', 'esm']) {
    const out = path.join(dir, 'out');
    const banner = "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    const args = ['--bundle', '--platform=node', '--minify', '--target=node20', `--format=${format}`, '--log-level=warning', `--outfile=${out}`];
    execFileSync(program('esbuild'), [path.join(dir, 'in.mjs'), ...args, ...(format === 'esm' ? [banner] : [])]);
    const { code, err } = await run(readFileSync(out, 'utf8'), { name: format === 'esm' ? 'program.mjs' : 'program.cjs', env: env(`bundled-${format}`) });
    assert.deepEqual([code, err, await messages(`logs:etl:w:bundled-${format}`)], [0, '', ['bundled']]);
  }
});

test('in a context with globals of its own, as of test runners, it works as before', async () => {
  const source = `const vm = require('node:vm');
    const context = vm.createContext({ process, console, Buffer, URL, performance, setTimeout, clearTimeout, setImmediate, clearImmediate, require });
    vm.runInContext("const publisher = require('@datashop/logs-sse-publisher').createPublisher(); publisher.info('m', { error: new Error('inner'), map: new Map([[1, 2]]), list: [new Date(0)] });", context);`;
  await run(source, { env: env('context') });
  const [{ fields }] = await real.stored('logs:etl:w:context');
  assert.deepEqual([fields.error.message, fields.map, fields.list], ['inner', { 1: 2 }, ['1970-01-01T00:00:00.000Z']]);
});

test('the types are right for import and for require', () => {
  const dir = folder();
  cpSync(path.join(__dirname, 'types'), dir, { recursive: true });
  try {
    execFileSync(program('tsc'), ['--project', dir], { encoding: 'utf8' });
    execFileSync(program('tsc'), ['--project', path.join(dir, 'winston.json')], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(/** @type {any} */ (error).stdout);
  }
});

test('what the manifest names is there, and what the types name is exported', async () => {
  const manifest = require('../package.json');
  const files = JSON.stringify(manifest.exports).match(/"\.\/[^"]*\.[a-z]+"/g) ?? [];
  assert.ok(files.length > 12);
  for (const file of files) readFileSync(path.join(__dirname, '..', JSON.parse(file)));
  for (const [types, module] of [['index.d.mts', '../index.mjs'], ['winston.d.mts', '../winston.mjs']]) {
    const named = [...readFileSync(path.join(__dirname, '..', types), 'utf8').matchAll(/^export (?:function|class) (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(named.sort(), Object.keys(await import(module)).sort());
  }
});
