// Where a gateway's paths are, and what is sent along.

import { isGap } from './item.js';

/**
 * How to reach a gateway.
 * @typedef {object} Reach
 * @property {string} [gatewayUrl] Its origin, such as `https://logs.example.com`, or the path of its stream,
 *   such as `/api/logs/stream` or that of a proxy. Left out: the page's own origin.
 * @property {() => string | Promise<string>} [token] Gives the reader's token, asked for each time a stream
 *   is opened and once again when it is about to end.
 * @property {boolean} [withCredentials] Whether cookies go to another origin. Left out: no.
 */

/** The stream's path from the gateway's origin. */
const ROOT = '/api/logs';
/** A request that is to be answered at once is given up after so many milliseconds. */
const PATIENCE_MS = 10_000;

/** A gateway's paths, and the requests to them. */
export class Endpoint {
  #root;
  /** What every request's query begins with. */
  #extra;
  #token;
  #withCredentials;

  /** @param {Reach} reach */
  constructor({ gatewayUrl, token, withCredentials = false } = {}) {
    const [given = '', extra = ''] = String(gatewayUrl ?? '').split('#')[0].split('?');
    const url = given.replace(/\/+$/, '');
    this.#extra = extra && `${extra}&`;
    this.#root = url.endsWith('/stream') ? url.slice(0, -'/stream'.length) : url + ROOT;
    this.#token = token;
    this.#withCredentials = withCredentials;
  }

  /** Whether cookies go to another origin. */
  get withCredentials() {
    return this.#withCredentials;
  }

  /** Tells gateways apart. */
  get name() {
    return this.#extra ? `${this.#root}?${this.#extra}` : this.#root;
  }

  /** @param {string} path @param {URLSearchParams} [query] */
  #url(path, query) {
    const all = `${this.#extra}${query ?? ''}`.replace(/&$/, '');
    return this.#root + path + (all && `?${all}`);
  }

  /** Uses this token from now on. @param {Reach['token']} token */
  setToken(token) {
    this.#token = token;
  }

  /**
   * The URL of a stream. A promise only where there is a token to wait for.
   * @param {Iterable<string>} channels
   * @param {string | null} cursor
   * @returns {string | Promise<string>}
   */
  streamUrl(channels, cursor) {
    const query = new URLSearchParams({ channels: [...channels].join(',') });
    if (cursor) query.set('last_event_id', cursor);
    const url = () => this.#url('/stream', query);
    if (!this.#token) return url();
    return this.#tokenNow().then((token) => {
      if (token) query.set('token', token);
      return url();
    });
  }

  /**
   * Changes what an open stream follows.
   * @param {string} streamId
   * @param {{ add: unknown[], remove: unknown[] }} change
   */
  async change(streamId, change) {
    const url = this.#url(`/streams/${encodeURIComponent(streamId)}`);
    const headers = { 'content-type': 'application/json' };
    return JSON.parse(await this.#ask(url, { method: 'PATCH', body: JSON.stringify(change), headers }));
  }

  /**
   * A page of the past, each record as its JSON text.
   * @param {Record<string, string>} query
   * @param {AbortSignal} signal
   * @returns {Promise<string[]>}
   */
  async history(query, signal) {
    const headers = { accept: 'application/x-ndjson' };
    const text = await this.#ask(this.#url('/history', new URLSearchParams(query)), { headers, signal });
    return text.split('\n').filter((line) => line !== '');
  }

  /**
   * What retention has taken of these channels after a cursor.
   * @param {string} channels
   * @param {string} after
   * @param {string} until
   * @param {AbortSignal} signal
   * @returns {Promise<import('./item.js').Gap[]>}
   */
  async gaps(channels, after, until, signal) {
    const query = new URLSearchParams({ channels, after, until, limit: '1' });
    const { gaps } = JSON.parse(await this.#ask(this.#url('/history', query), { signal }));
    return (gaps ?? []).filter(isGap);
  }

  /**
   * The text of an answer. Neither the token nor the gateway is waited for longer than it has patience; a long text may take
   * its time, as long as more of it comes.
   * @param {string} url
   * @param {RequestInit} request
   * @returns {Promise<string>}
   */
  #ask(url, { signal, headers, ...request }) {
    const end = new AbortController();
    return new Promise((resolve, reject) => {
      let timer = setTimeout(() => giveUp(), PATIENCE_MS);
      const giveUp = () => {
        end.abort();
        reject(new Error('The gateway does not answer.'));
      };
      const goOn = () => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, PATIENCE_MS);
      };
      const asked = async () => {
        const token = await this.#tokenNow();
        end.signal.throwIfAborted();
        const answer = await fetch(url, {
          ...request,
          headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
          credentials: this.#withCredentials ? 'include' : 'same-origin',
          signal: end.signal,
        });
        if (!answer.ok) throw new Refused(answer.status, await detail(answer));
        return textOf(answer, goOn);
      };
      if (signal?.aborted) giveUp();
      signal?.addEventListener('abort', giveUp);
      asked()
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', giveUp);
        });
    });
  }

  async #tokenNow() {
    return this.#token ? this.#token() : '';
  }
}

/** A URL as the page's own requests resolve it; as it is given where it is none. @param {string} url */
export function absolute(url) {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    return url;
  }
}

/** @param {Response} answer @param {() => void} more some of it has come */
async function textOf(answer, more) {
  if (!answer.body) return answer.text();
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    more();
    text += decoder.decode(value, { stream: true });
  }
}

/** The gateway's answer is an error. */
export class Refused extends Error {
  /** @param {number} status @param {string} [detail] its own words */
  constructor(status, detail) {
    super(detail ? sentence(detail) : `The gateway answered with status ${status}.`);
    this.status = status;
  }

  /** Whether it may be of one channel among several. */
  get isOfChannels() {
    return this.status === 400 || this.status === 403;
  }

  /** A status from 400 to 499 is final, but for those that say "later": 408, 425, 429 (RFC 9110, 8470, 6585). */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/** What a problem (RFC 9457) says. @param {Response} answer */
export async function detail(answer) {
  try {
    const { detail } = await answer.json();
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} words */
function sentence(words) {
  const [first = '', ...rest] = words;
  return first.toUpperCase() + rest.join('') + (/[.!?]$/.test(words) ? '' : '.');
}
