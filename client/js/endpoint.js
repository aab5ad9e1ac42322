// Where a gateway's paths are, and what is sent along.

import { accessOf } from './access.js';
import { isGap } from './item.js';

/**
 * How to reach a gateway.
 * @typedef {object} Reach
 * @property {string} [gatewayUrl] Its origin, such as `https://logs.example.com`, or the path of its stream,
 *   such as `/api/logs/stream` or that of a proxy. Left out: the page's own origin.
 * @property {import('./access.js').Token} [token] The reader's token, or a function that gives it, also as a promise. It is
 *   asked before each request: one that takes its time to get a token keeps it until it ends.
 * @property {boolean} [withCredentials] Whether cookies go to another origin. Left out: no.
 */

/** The stream's path from the gateway's origin. */
const ROOT = '/api/logs';
/** A request that is to be answered at once is given up after so many milliseconds. */
const PATIENCE_MS = 10_000;

/** A gateway's paths, and the requests to them, with what the page shows that gateway. */
export class Endpoint {
  #root;
  /** What every request's query begins with. */
  #extra;
  #access;
  /** @type {import('./access.js').Shown} */
  #shown = {};

  /** @param {Pick<Reach, 'gatewayUrl'>} reach */
  constructor({ gatewayUrl } = {}) {
    const [given = '', extra = ''] = String(gatewayUrl ?? '').split('#')[0].split('?');
    const url = given.replace(/\/+$/, '');
    this.#extra = extra && `${extra}&`;
    this.#root = url.endsWith('/stream') ? url.slice(0, -'/stream'.length) : url + ROOT;
    this.#access = accessOf(this.place);
  }

  /** Whether cookies go to another origin. */
  get withCredentials() {
    return this.#access.withCredentials;
  }

  /** Tells gateways apart. */
  get name() {
    return this.#extra ? `${this.#root}?${this.#extra}` : this.#root;
  }

  /** The same however it was given: with the page's origin or without. */
  get place() {
    return absolute(this.name);
  }

  /** @param {string} path @param {URLSearchParams} [query] */
  #url(path, query) {
    const all = `${this.#extra}${query ?? ''}`.replace(/&$/, '');
    return this.#root + path + (all && `?${all}`);
  }

  /** Uses this token from now on. @param {Reach['token'] | null} token */
  setToken(token) {
    this.show({ token });
  }

  /** Shows the gateway this too, from now on and until it is released. @param {import('./access.js').Shown} shown */
  show(shown) {
    this.#shown = { ...this.#shown, ...shown };
    this.#access.hold(this, this.#shown);
  }

  /** Shows the gateway no longer what it was given here. */
  release() {
    this.#shown = {};
    this.#access.release(this);
  }

  /** The page's token; empty where there is none. A promise only where it is to be waited for. It rejects with `NoToken`. */
  token() {
    const token = this.#access.token();
    return typeof token === 'string' ? token : token.catch(noToken);
  }

  /** Calls when the page gives another token; returns what ends it. @param {() => void} call */
  onToken(call) {
    return this.#access.watch(call);
  }

  /**
   * The URL of a stream.
   * @param {Iterable<string>} channels
   * @param {string | null} cursor
   * @param {string} [token] An `EventSource` sends no headers.
   */
  streamUrl(channels, cursor, token) {
    const query = new URLSearchParams({ channels: [...channels].join(',') });
    if (cursor) query.set('last_event_id', cursor);
    if (token) query.set('token', token);
    return this.#url('/stream', query);
  }

  /**
   * Asks for a stream with a request whose answer can be read, unlike that to an `EventSource`.
   * @param {Iterable<string>} channels
   * @param {string | null} cursor
   * @param {AbortSignal} signal
   */
  async probe(channels, cursor, signal) {
    const request = { headers: { accept: 'text/event-stream' }, signal };
    return this.#send(this.streamUrl(channels, cursor), request, await this.token());
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
        const token = await this.token();
        end.signal.throwIfAborted();
        let answer = await this.#send(url, { ...request, headers, signal: end.signal }, token);
        if (answer.status === 401) {
          // It may have ended since it was given.
          const fresh = await this.token();
          end.signal.throwIfAborted();
          if (fresh !== token) answer = await this.#send(url, { ...request, headers, signal: end.signal }, fresh);
        }
        if (!answer.ok) throw await refusedBy(answer);
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

  /** @param {string} url @param {RequestInit} request @param {string} token */
  #send(url, { headers, ...request }, token) {
    return fetch(url, {
      ...request,
      headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      credentials: this.withCredentials ? 'include' : 'same-origin',
    });
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

/** What is to give the token failed. Why is the page's own affair, and perhaps not for who looks at it. */
export class NoToken extends Error {
  constructor() {
    super('The token could not be had: what gives it failed.');
  }
}

/** @returns {never} */
function noToken() {
  throw new NoToken();
}

/** Why nothing came of a request, in a sentence. @param {unknown} error */
export function wordsOf(error) {
  return error instanceof Refused || error instanceof NoToken ? error.message : 'The gateway cannot be reached.';
}

/** The gateway's answer is an error. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} [detail] its own words
   * @param {{ code?: unknown, retryMs?: number }} [more] its stable code, and how long it asks to be left alone
   */
  constructor(status, detail, { code, retryMs } = {}) {
    super(detail ? sentence(detail) : `The gateway answered with status ${status}.`);
    this.status = status;
    this.code = code;
    this.retryMs = retryMs;
  }

  /** Whether it may be of one channel among several. */
  get isOfChannels() {
    return this.status === 400 || this.status === 403;
  }

  /** Whether it is about who asks. */
  get isDenied() {
    return this.status === 401 || this.status === 403;
  }

  /** A status from 400 to 499 is final, but for those that say "later": 408, 425, 429 (RFC 9110, 8470, 6585). */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/** What an answer that is an error says: a problem (RFC 9457), with `Retry-After` (RFC 9110). @param {Response} answer */
export async function refusedBy(answer) {
  const problem = await answer.json().catch(() => null);
  const detail = typeof problem?.detail === 'string' ? problem.detail : undefined;
  return new Refused(answer.status, detail, { code: problem?.code, retryMs: retryMs(answer.headers.get('retry-after')) });
}

/** Seconds, or a time. @param {string | null} given */
function retryMs(given) {
  const seconds = Number.parseFloat(given ?? '');
  const ms = /^\s*[\d.]+\s*$/.test(given ?? '') ? seconds * 1_000 : Date.parse(given ?? '') - Date.now();
  return ms > 0 ? ms : undefined;
}

/** @param {string} words */
function sentence(words) {
  const [first = '', ...rest] = words;
  return first.toUpperCase() + rest.join('') + (/[.!?]$/.test(words) ? '' : '.');
}
