'use strict';

// One try to send a batch.

const http = require('node:http');
const https = require('node:https');

const AGENT = `logs-sse-publisher/${require('../package.json').version} (Node.js)`;
/** No answer of a gateway is longer. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * What came of it: an answer, or why there is none and whether the request may have arrived all the same.
 * @typedef {{ status: number, retryAfter: string | undefined, body: string }} Answer
 * @typedef {{ why: string, mayHaveArrived: boolean, isStale: boolean }} NoAnswer
 */

/** The one connection to a gateway, which is kept open between requests and keeps no program alive. */
class Connection {
  #url;
  #options;
  #agent;
  #timeoutMs;
  #isSecure;
  /** @type {http.ClientRequest | null} */
  #request = null;

  /** @param {URL} url @param {string | undefined} token @param {number} timeoutMs for a request in all */
  constructor(url, token, timeoutMs) {
    this.#url = url;
    this.#options = { method: 'POST', headers: headersOf(token) };
    this.#timeoutMs = timeoutMs;
    this.#isSecure = url.protocol === 'https:';
    this.#agent = new (this.#isSecure ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** @param {import('./batch.js').Batch} batch @returns {Promise<Answer | NoAnswer>} */
  send(batch) {
    return new Promise((resolve) => {
      const body = /** @type {Buffer} */ (batch.body);
      let mayHaveArrived = false;
      /** @type {http.ClientRequest | undefined} */
      let request;
      const timer = setTimeout(
        () => request?.destroy(Object.assign(new Error(), { code: `nothing within ${this.#timeoutMs} ms` })),
        this.#timeoutMs,
      ).unref();
      const end = (/** @type {Answer | NoAnswer} */ outcome) => {
        clearTimeout(timer);
        this.#request = null;
        resolve(outcome);
      };
      const fail = (/** @type {any} */ error) => {
        // The gateway may close an idle connection in the moment it is used again.
        const isStale = request?.reusedSocket === true && ['ECONNRESET', 'EPIPE'].includes(error?.code);
        end({ why: String(error?.code ?? 'no answer'), mayHaveArrived, isStale });
      };
      try {
        const headers = {
          ...this.#options.headers,
          'Content-Length': body.length,
          'Idempotency-Key': batch.key,
          ...(batch.isGzip ? { 'Content-Encoding': 'gzip' } : {}),
        };
        request = (this.#isSecure ? https : http).request(this.#url, { ...this.#options, headers, agent: this.#agent });
      } catch (error) {
        // A token that no header can hold.
        return fail(error);
      }
      this.#request = request;
      request.on('error', fail);
      request.on('socket', (socket) => {
        socket.unref();
        if (request?.reusedSocket) mayHaveArrived = true;
        else socket.once(this.#isSecure ? 'secureConnect' : 'connect', () => (mayHaveArrived = true));
      });
      request.on('response', (response) => {
        /** @type {Buffer[]} */
        const chunks = [];
        let bytes = 0;
        response.on('data', (chunk) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MOST_ANSWER_BYTES) request?.destroy(Object.assign(new Error(), { code: 'an answer without end' }));
        });
        response.on('error', fail);
        response.on('end', () =>
          end({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body: Buffer.concat(chunks).toString() }),
        );
        response.on('close', () => {
          if (!response.complete) fail({ code: 'an answer that is cut' });
        });
      });
      request.end(body);
    });
  }

  /** Whether a request has no answer yet. */
  get isBusy() {
    return this.#request !== null;
  }

  /** Ends what is under way. */
  abort() {
    this.#request?.destroy();
  }

  close() {
    this.abort();
    this.#agent.destroy();
  }
}

/** @param {string | undefined} token @returns {Record<string, string>} */
function headersOf(token) {
  const headers = { 'Content-Type': 'application/x-ndjson', Accept: 'application/json', 'User-Agent': AGENT };
  return token === undefined ? headers : { ...headers, 'X-Service-Token': token };
}

module.exports = { Connection, headersOf };
