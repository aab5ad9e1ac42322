// Where a gateway's paths are, and what is sent along.

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
  #token;
  #withCredentials;

  /** @param {Reach} reach */
  constructor({ gatewayUrl = '', token, withCredentials = false } = {}) {
    const url = gatewayUrl.replace(/\/+$/, '');
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
    return this.#root;
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
    const url = () => `${this.#root}/stream?${query}`;
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
    const answer = await this.#ask(`/streams/${encodeURIComponent(streamId)}`, {
      method: 'PATCH',
      body: JSON.stringify(change),
      headers: { 'content-type': 'application/json' },
    });
    return answer.json();
  }

  /**
   * A page of the past, each record as its JSON text.
   * @param {Record<string, string>} query
   * @param {AbortSignal} signal
   * @returns {Promise<string[]>}
   */
  async history(query, signal) {
    const headers = { accept: 'application/x-ndjson' };
    const answer = await this.#ask(`/history?${new URLSearchParams(query)}`, { headers, signal });
    return (await answer.text()).split('\n').filter((line) => line !== '');
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
    const answer = await this.#ask(`/history?${query}`, { signal });
    return (await answer.json()).gaps ?? [];
  }

  /** @param {string} path @param {RequestInit} request */
  async #ask(path, { signal, headers, ...request }) {
    const token = await this.#tokenNow();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
    const giveUp = () => patience.abort();
    signal?.addEventListener('abort', giveUp);
    try {
      const answer = await fetch(this.#root + path, {
        ...request,
        headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
        credentials: this.#withCredentials ? 'include' : 'same-origin',
        signal: patience.signal,
      });
      if (!answer.ok) throw new Refused(answer.status, await detail(answer));
      return answer;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async #tokenNow() {
    return this.#token ? this.#token() : '';
  }
}

/** The gateway's answer is an error. */
export class Refused extends Error {
  /** @param {number} status @param {string} [detail] its own words */
  constructor(status, detail) {
    super(detail ? sentence(detail) : `The gateway answered with status ${status}.`);
    this.status = status;
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
