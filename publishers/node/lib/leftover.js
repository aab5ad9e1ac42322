'use strict';

// What the thread does that sends what is left. As a text, because a bundler would lose a file, and may rewrite a function.

const source = String.raw`
'use strict';
const { randomUUID } = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { setTimeout: sleep } = require('node:timers/promises');
const { workerData: { jobs, state } } = require('node:worker_threads');
const { gzipSync } = require('node:zlib');

function encode(batch) {
  const text = Buffer.from(batch.lines.map((line) => line + '\n').join(''));
  batch.isGzip = text.length >= 1024;
  batch.body = batch.isGzip ? gzipSync(text, { level: 1 }) : text;
}

function send(job, agent, batch) {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/x-ndjson', 'User-Agent': 'logs-sse-publisher-node', 'Content-Length': batch.body.length, 'Idempotency-Key': batch.key };
    if (batch.isGzip) headers['Content-Encoding'] = 'gzip';
    if (job.token !== undefined) headers['X-Service-Token'] = job.token;
    const request = (agent instanceof https.Agent ? https : http).request(job.url, { method: 'POST', headers, agent });
    const timer = setTimeout(() => request.destroy(new Error('late')), job.timeoutMs);
    const end = (answer) => { clearTimeout(timer); resolve(answer); };
    request.on('error', () => end(null));
    request.on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => end(null));
      response.on('close', () => {
        if (!response.complete) return end(null);
        let said = null;
        try { said = JSON.parse(Buffer.concat(chunks).toString()); } catch {}
        end({ status: response.statusCode, said, retryAfter: Number(response.headers['retry-after']) });
      });
    });
    request.end(batch.body);
  });
}

async function run(job, index) {
  const agent = new (job.url.startsWith('https:') ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
  const settle = (batch, rejected) => {
    let refused = 0;
    for (let at = batch.notices; at < batch.lines.length; at += 1) if (rejected(at)) refused += 1;
    Atomics.add(state, 1 + 2 * index, batch.lines.length - batch.notices - refused);
    Atomics.add(state, 2 + 2 * index, refused);
  };
  if (job.pauseMs > 0) await sleep(job.pauseMs);
  for (let failures = 0; job.batches.length > 0; ) {
    const batch = job.batches[0];
    if (!batch.body) encode(batch);
    const answer = await send(job, agent, batch);
    const status = answer === null ? 0 : answer.status;
    const code = answer !== null && answer.said !== null ? answer.said.code : undefined;
    if (status === 200 && answer.said !== null && answer.said.success === true) {
      const rejected = new Set((answer.said.rejected || []).map((item) => item.index));
      settle(batch, (at) => rejected.has(at));
    } else if (status === 400 || status === 403 || status === 422) {
      settle(batch, () => true);
    } else if (status === 413 || (status === 429 && code === 'batch_over_rate')) {
      const middle = Math.ceil(batch.lines.length / 2);
      if (batch.lines.length === 1) settle(batch, () => true);
      else {
        const half = (from, to) => ({ key: randomUUID(), lines: batch.lines.slice(from, to), notices: Math.max(Math.min(batch.notices, to) - from, 0) });
        job.batches.splice(1, 0, half(0, middle), half(middle, batch.lines.length));
      }
    } else {
      const isWait = [401, 429, 503, 507].includes(status) && answer.retryAfter > 0;
      await sleep(Math.max(isWait ? answer.retryAfter * 1000 : 0, Math.random() * Math.min(100 * 2 ** failures, 10000)));
      failures += 1;
      continue;
    }
    failures = 0;
    job.batches.shift();
  }
}

Promise.allSettled(jobs.map(run)).then(() => {
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
});
`;

module.exports = { source };
