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

// The answer; or why there is none: whether it may have arrived.
function send(job, agent, batch) {
  return new Promise((resolve) => {
    const headers = { ...job.headers, 'Content-Length': batch.body.length, 'Idempotency-Key': batch.key };
    if (batch.isGzip) headers['Content-Encoding'] = 'gzip';
    const isSecure = agent instanceof https.Agent;
    const request = (isSecure ? https : http).request(job.url, { method: 'POST', headers, agent });
    const timer = setTimeout(() => request.destroy(new Error('late')), job.timeoutMs);
    const end = (answer) => { clearTimeout(timer); resolve(answer); };
    let mayBeStored = false;
    const fail = () => end({ status: 0, said: null, mayBeStored });
    request.on('error', fail);
    request.on('socket', (socket) => {
      if (request.reusedSocket) mayBeStored = true;
      else socket.once(isSecure ? 'secureConnect' : 'connect', () => { mayBeStored = true; });
    });
    request.on('response', (response) => {
      const chunks = [];
      let bytes = 0;
      response.on('data', (chunk) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > 4 * 1024 * 1024) request.destroy(new Error('endless'));
      });
      response.on('error', fail);
      response.on('close', () => {
        if (!response.complete) return fail();
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
  const [STORED, REFUSED, UNKNOWN] = [0, 1, 2];
  const settle = (batch, fate) => {
    for (let at = batch.notices; at < batch.lines.length; at += 1) Atomics.add(state, 1 + 3 * index + fate(at), 1);
  };
  if (job.pauseMs > 0) await sleep(job.pauseMs);
  for (let failures = 0; job.batches.length > 0; ) {
    const batch = job.batches[0];
    if (!batch.body) encode(batch);
    const answer = await send(job, agent, batch);
    const { status } = answer;
    const said = answer.said ?? {};
    const isGateway = said.success === true;
    if (status === 200 && isGateway) {
      const rejected = new Set((Array.isArray(said.rejected) ? said.rejected : []).map((item) => item?.index));
      settle(batch, (at) => (rejected.has(at) ? REFUSED : STORED));
    } else if ([400, 403, 422].includes(status) || (status === 429 && said.code === 'too_many_token_channels')) {
      settle(batch, () => REFUSED);
    } else if (status === 413 || (status === 429 && said.code === 'batch_over_rate')) {
      const middle = Math.ceil(batch.lines.length / 2);
      if (batch.lines.length === 1) settle(batch, () => REFUSED);
      // Under other keys, what is stored would be stored again.
      else if (batch.mayBeStored) settle(batch, () => UNKNOWN);
      else {
        const half = (from, to) => {
          const notices = Math.max(Math.min(batch.notices, to) - from, 0);
          return { key: randomUUID(), lines: batch.lines.slice(from, to), notices };
        };
        job.batches.splice(1, 0, half(0, middle), half(middle, batch.lines.length));
      }
    } else {
      if (answer.mayBeStored || status === 200 || (status >= 500 && status !== 507)) batch.mayBeStored = true;
      const waitMs = [429, 503, 507].includes(status) && answer.retryAfter > 0 ? Math.min(answer.retryAfter * 1000, 60000) : 0;
      await sleep(Math.max(waitMs, Math.random() * Math.min(100 * 2 ** failures, 10000)));
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
