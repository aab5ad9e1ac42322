// The hub of a page: what all its parts want together, on one stream.
//
// The modules, in the order a record meets them:
//
// - source.js, stream.js: one EventSource, and one stream from the request on
// - connection.js: keeps one stream open, with backoff.js, refusal.js (why there is none), expiry.js (the end of a token) and
//   change.js (PATCH); tabs.js: one connection for all tabs
// - hub.js: which subscriptions a record is for; frame.js: once per animation frame
// - subscription.js: joins the stream, after what past.js has from history
// - archive.js: lines that outlive the page; feed.js: a subscription with its archive
// - access.js: the reader's token, whichever part of the page brought it
// - wasm.js, browser.js: the same for the Leptos library; lines.js, client.js, react.js, core.js, index.js: for everything else
// - id.js, entry.js, item.js, endpoint.js: ids, channels and conditions, records and gaps, a gateway's paths

import { Connection } from './connection.js';
import { Endpoint } from './endpoint.js';
import { wants } from './entry.js';
import { Frame } from './frame.js';
import { Subscription, safely } from './subscription.js';
import { SharedConnection, canShare } from './tabs.js';

/** How long a channel is kept when nobody wants it any more, in milliseconds: time for the next view to mount. */
const LINGER_MS = 1_000;

/**
 * @typedef {{ subscription: Subscription, entries: import('./entry.js').Entry[] }} Route
 * @typedef {import('./endpoint.js').Reach & { scope?: 'page' | 'browser' }} HubOptions
 *   `scope`: who shares the stream. `browser`: all tabs of this origin, where the page is a secure context and the
 *   browser has Web Locks. Left out: this page alone.
 */

/**
 * What all parts of a page want of one gateway, on one stream, whoever built them.
 *
 * This class is the page's protocol, version 1: a part that was built with another version of this
 * library uses the hub of whichever came first. So `subscribe`, `status`, `streamId`, `error`, `reader`, `isUnauthorized`,
 * `retry` and `endpoint.setToken` keep their meaning as long as the version stays.
 */
export class Hub {
  endpoint;
  /** @type {Connection | SharedConnection} */
  link;
  /** @type {Set<Subscription>} */
  #subscriptions = new Set();
  /** Which subscriptions a channel's records may be for, by which of their entries. @type {Map<string, Route[]>} */
  #routes = new Map();
  #frame = new Frame(() => this.#flush());
  #revision = { timer: 0, at: Infinity };
  #end;
  #forgetToken;

  /** @param {HubOptions} options @param {() => void} end it has let go of everything */
  constructor(options, end) {
    this.endpoint = new Endpoint(options);
    this.endpoint.show({ token: options.token, withCredentials: options.withCredentials });
    this.#forgetToken = this.endpoint.onToken(() => this.#renew());
    this.#end = end;
    const listener = {
      item: (/** @type {import('./item.js').Item} */ item) => this.#route(item),
      changed: () => this.#changed(),
      rejoin: () => this.#rejoin(),
    };
    const isShared = options.scope === 'browser' && canShare();
    this.link = isShared ? new SharedConnection(this.endpoint, listener) : new Connection(this.endpoint, listener);
    this.#listen(true);
  }

  /** How the page stands with the gateway. */
  get status() {
    return this.link.status;
  }

  /** The gateway's name for the stream. */
  get streamId() {
    return this.link.streamId;
  }

  /** What is wrong, in a sentence. */
  get error() {
    return this.link.error;
  }

  /** Who reads, as the gateway says; not known before the stream was open once. */
  get reader() {
    return this.link.reader;
  }

  /** Whether the gateway takes no more of this page without another token. */
  get isUnauthorized() {
    return this.link.isUnauthorized;
  }

  /**
   * Follows channels until the subscription is closed.
   * @param {import('./subscription.js').Options} options
   * @param {import('./subscription.js').Sink} sink
   */
  subscribe(options, sink) {
    const subscription = new Subscription(this, options, sink);
    this.#subscriptions.add(subscription);
    this.#routes.clear();
    this.revise(0);
    return subscription;
  }

  /** Tries again at once, also after an error. */
  retry() {
    this.link.retry();
  }

  /** @param {Subscription} subscription */
  leave(subscription) {
    this.#subscriptions.delete(subscription);
    this.#routes.clear();
    this.revise(LINGER_MS);
  }

  /** Tells the connection what is wanted, unless it will be told sooner. @param {number} delay in milliseconds */
  revise(delay) {
    const at = performance.now() + delay;
    if (this.#revision.timer && this.#revision.at <= at) return;
    clearTimeout(this.#revision.timer);
    this.#revision = { timer: Number(setTimeout(() => this.#revise(), delay)), at };
  }

  #revise() {
    this.#revision = { timer: 0, at: Infinity };
    const active = [...this.#subscriptions].filter((subscription) => !subscription.isPaused);
    this.link.follow(new Map(active.flatMap((subscription) => [...subscription.entries])));
    // Where nothing had to be asked for, nothing will be told either.
    for (const subscription of active) subscription.join();
    if (this.#subscriptions.size === 0) {
      this.#listen(false);
      this.#frame.cancel();
      this.link.close();
      this.#forgetToken();
      this.endpoint.release();
      this.#end();
    }
  }

  /** @param {import('./item.js').Item} item */
  #route(item) {
    if (item.record) {
      const { record } = item;
      for (const { subscription, entries } of this.#routed(record.channel)) {
        if (!subscription.isPaused && entries.some((entry) => wants(entry, record))) subscription.take(item);
      }
    } else {
      for (const subscription of this.#subscriptions) {
        if (!subscription.isPaused && subscription.mayMiss(item.gap)) subscription.take(item);
      }
    }
    this.#frame.ask();
  }

  /** Whoever has an entry that chooses the channel. @param {string} channel */
  #routed(channel) {
    let routed = this.#routes.get(channel);
    if (!routed) {
      const routes = [...this.#subscriptions].map((subscription) => ({ subscription, entries: subscription.entriesOf(channel) }));
      routed = routes.filter(({ entries }) => entries.length > 0);
      // Channels come without end in a large workspace.
      if (this.#routes.size >= 10_000) this.#routes.clear();
      this.#routes.set(channel, routed);
    }
    return routed;
  }

  #flush() {
    for (const subscription of this.#subscriptions) subscription.flush();
  }

  #changed() {
    for (const subscription of this.#subscriptions) {
      subscription.join();
      safely(() => subscription.sink.changed?.());
    }
    // A cursor moves on also where no record comes.
    this.#frame.ask();
  }

  /** The page gives another token. */
  #renew() {
    Promise.resolve(this.endpoint.token()).then(
      (token) => this.link.renewed(token),
      // It is asked again with the next request.
      () => {},
    );
  }

  #rejoin() {
    for (const subscription of this.#subscriptions) {
      subscription.flush();
      subscription.rejoin();
    }
    this.#changed();
  }

  /** Hears what the browser says of the network and of the page. @param {boolean} isOn */
  #listen(isOn) {
    if (typeof window === 'undefined') return;
    const change = isOn ? 'addEventListener' : 'removeEventListener';
    window[change]('online', this.#onOnline);
    window[change]('pagehide', this.#onHide);
    window[change]('pageshow', this.#onShow);
    document[change]('visibilitychange', this.#onVisible);
  }

  // Another network: what is open may be dead without anyone having said so.
  #onOnline = () => this.link.wake(true);
  #onVisible = () => {
    if (!document.hidden) this.link.wake(false);
  };
  // A page with an open stream is not kept for "back"; one that was kept goes on where it was.
  #onHide = () => {
    this.#frame.now();
    this.link.suspend();
  };
  #onShow = (/** @type {Event} */ event) => {
    if (/** @type {PageTransitionEvent} */ (event).persisted) this.link.resume();
  };
}

/** Where a page's hubs are, for all that were built apart. */
const HUBS = Symbol.for('logs-sse-gateway.hubs.1');

/**
 * The page's hub for a gateway, made where there is none yet. It lives as long as it has subscriptions, and at
 * least until the end of the current task.
 * @param {HubOptions} [options]
 * @returns {Hub}
 */
export function hubOf(options = {}) {
  const page = /** @type {any} */ (globalThis);
  /** @type {{ hubs: Map<string, Hub>, open: (options: HubOptions) => Hub }} */
  const registry = (page[HUBS] ??= registryOf());
  return registry.open(options);
}

function registryOf() {
  /** @type {Map<string, Hub>} */
  const hubs = new Map();
  /** @param {HubOptions} options */
  const open = (options) => {
    const name = `${options.scope === 'browser' ? 'browser' : 'page'} ${new Endpoint(options).place}`;
    let hub = hubs.get(name);
    if (!hub) {
      const made = new Hub(options, () => {
        if (hubs.get(name) === made) hubs.delete(name);
      });
      hub = made;
      hubs.set(name, hub);
      // One that nobody subscribes to goes again.
      hub.revise(LINGER_MS);
    } else {
      if (options.token) hub.endpoint.setToken(options.token);
      if (options.withCredentials) hub.endpoint.show({ withCredentials: true });
    }
    return hub;
  };
  return { hubs, open };
}
