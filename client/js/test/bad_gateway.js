// A gateway that does what a test says, in place of the browser's `EventSource` and `fetch`.

// A test may have time pass faster for others.
const timer = globalThis.setTimeout;
export const sleep = (ms) => new Promise((resolve) => timer(resolve, ms));

/** Waits until something holds, or says what never did. */
export async function until(what, holds, ms = 3_000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) if (holds()) return;
  throw new Error(`never: ${what}`);
}

/** `answer` is given a request's method, URL and body, and gives a `Response`. */
export function badGateway({ answer = () => new Response(''), opened = (source) => source.connect() } = {}) {
  const gateway = { sources: [], requests: [], answer };
  globalThis.EventSource = class {
    static CLOSED = 2;
    readyState = 0;
    onerror = null;
    #listeners = new Map();

    constructor(url, { withCredentials = false } = {}) {
      this.withCredentials = withCredentials;
      this.url = new URL(url, 'http://gateway');
      gateway.sources.push(this);
      setTimeout(() => this.readyState === 0 && opened(this, gateway.sources.length));
    }
    get channels() {
      return this.url.searchParams.get('channels').split(',');
    }
    addEventListener(name, listener) {
      this.#listeners.set(name, listener);
    }
    removeEventListener(name) {
      this.#listeners.delete(name);
    }
    close() {
      this.readyState = 2;
    }
    say(event, id = '', name = 'message') {
      const data = typeof event === 'string' ? event : JSON.stringify(event);
      this.#listeners.get(name)?.({ data, lastEventId: id });
    }
    connect(more = {}) {
      this.readyState = 1;
      const id = this.url.searchParams.get('last_event_id') ?? '1000-0';
      this.say({ type: 'connection', stream_id: `s${gateway.sources.indexOf(this)}`, heartbeat_ms: 15_000, ...more }, id);
    }
    log(id, channel, more = {}) {
      this.say({ type: 'log', id, channel, level: 'INFO', message: id, ...more }, id);
    }
    refuse() {
      this.readyState = 2;
      this.onerror?.();
    }
  };
  globalThis.fetch = async (url, { method = 'GET', body, signal, headers, credentials } = {}) => {
    const request = { method, url: new URL(url, 'http://gateway'), body: body && JSON.parse(body), signal, headers, credentials };
    gateway.requests.push(request);
    return gateway.answer(request);
  };
  gateway.open = () => gateway.sources.filter(({ readyState }) => readyState === 1);
  return gateway;
}

export const problem = (status, detail) => new Response(JSON.stringify({ detail }), { status });

/** What a change's answer says when all of it was done. */
export const changed = ({ add, remove }, from_id) =>
  Response.json({ from_id, results: [...add.map(() => ({ status: 'added' })), ...remove.map(() => ({ status: 'removed' }))] });
