'use strict';

// A gateway of one's own, a proxy in front of it that is no good, and programs that publish.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { gunzipSync } = require('node:zlib');

const TOKEN = 'l5-etl-token';
const PATIENCE_MS = 20_000;

/** Ends what the tests of a file have started. @type {(() => unknown)[]} */
const ends = [];
async function endAll() {
  for (const end of ends.splice(0).reverse()) await end();
}

/** @param {string} name */
function setByXtask(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; \`cargo xtask test\` sets it`);
  return value;
}

/** The real one. @param {Record<string, string>} [settings] */
async function gateway(settings = {}) {
  const child = spawn(setByXtask('LOGS_GATEWAY_BIN'), { env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', STORE: 'memory', ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  ends.push(() => child.kill('SIGKILL'));
  let said = '';
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    said += line;
    url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0] ?? '';
    if (url) break;
  }
  assert.ok(url, `the gateway does not listen: ${said}`);
  child.stdout.resume();
  child.stderr.resume();
  return {
    url,
    /** @param {string} [channels] @returns {Promise<any[]>} */
    async stored(channels = 'logs:*:*:*') {
      const answer = await fetch(`${url}/api/logs/history?limit=10000&since=0-0&channels=${channels}`);
      return (await answer.json()).records;
    },
  };
}

/**
 * A proxy that does with each request what it is told: nothing amiss where that is nothing.
 * @param {string} upstream
 * @param {(request: { key: string, n: number, lines: string[] }, response: http.ServerResponse) => unknown} fault whether it has dealt with it: true; or `'lose'`: the answer is lost
 */
async function proxy(upstream, fault = () => false) {
  /** @type {any[]} */
  const seen = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const one = { key: request.headers['idempotency-key'], n: seen.length, body, headers: request.headers, url: request.url, lines: text.toString().trim().split('\n'), socket: request.socket };
    seen.push(one);
    const done = await fault(/** @type {any} */ (one), response);
    if (done === true) return;
    const { host, connection, ...headers } = request.headers;
    const answer = await fetch(upstream + request.url, { method: 'POST', headers: /** @type {any} */ (headers), body });
    const said = await answer.text();
    if (done === 'lose') return request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(said);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}` };
}

/** An address where nobody listens. */
async function nowhere() {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {any} */ (server.address());
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

/** @param {string} what @param {() => unknown} holds */
async function until(what, holds) {
  for (const end = performance.now() + PATIENCE_MS; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 10))) {
    assert.ok(performance.now() < end, `waited in vain: ${what}`);
  }
}

/** Where the tests' packages are, ours among them by its name. */
const packages = () => path.dirname(setByXtask('LOGS_WEB_DIR'));

/** A folder in which packages are found. */
function folder() {
  const dir = mkdtempSync(path.join(packages(), 'publisher-'));
  ends.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Runs a program to its end.
 * @param {string} source
 * @param {{ env?: Record<string, string>, name?: string, args?: string[] }} [how]
 */
async function run(source, { env = {}, name = 'program.cjs', args = [] } = {}) {
  const file = path.join(folder(), name);
  writeFileSync(file, source);
  const start = performance.now();
  const base = { PATH: process.env.PATH ?? '', LOGS_GATEWAY_TOKEN: TOKEN, LOGS_SERVICE: 'etl', LOGS_WORKSPACE_ID: 'w', LOGS_WORKFLOW_ID: 'f' };
  const child = spawn(process.execPath, [...args, file], { env: { ...base, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const [code, signal] = await once(child, 'close');
  return { code, signal, out, err, ms: performance.now() - start };
}

module.exports = { TOKEN, endAll, folder, gateway, nowhere, packages, proxy, run, until };
