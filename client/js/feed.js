// A subscription whose lines may outlive the page.

import { Archive } from './archive.js';
import { entryOf, keyOf } from './entry.js';
import { hubOf } from './hub.js';
import { safely } from './subscription.js';

/**
 * @typedef {import('./hub.js').HubOptions} HubOptions
 * @typedef {import('./subscription.js').Sink} Sink
 * @typedef {{ channels: readonly (string | import('./entry.js').Entry)[], most?: number, persistence?: boolean }} FeedOptions
 *   `most`: how many lines to begin with and to keep; left out: 1000. `persistence`: whether they are kept in IndexedDB and
 *   shown at once the next time; the stream then goes on after the last of them. Left out: no.
 */

/** A subscription to a page's hub, with what was kept of it before. */
export class Feed {
  #options;
  #feed;
  #sink;
  /** @type {import('./subscription.js').Subscription | null} */
  #subscription = null;
  /** @type {Archive | null} */
  #archive = null;
  #isPaused;
  #isClosed = false;
  /** @type {import('./hub.js').Hub | null} */
  #hub = null;

  /** @param {HubOptions} options @param {FeedOptions} feed @param {Sink} sink @param {boolean} [isPaused] */
  constructor(options, feed, sink, isPaused = false) {
    this.#options = options;
    this.#feed = feed;
    this.#sink = sink;
    this.#isPaused = isPaused;
    if (feed.persistence && typeof indexedDB !== 'undefined') this.#restore();
    else this.#start(null);
  }

  /** How the page stands with the gateway. @returns {import('./connection.js').Status} */
  get status() {
    if (this.#isPaused || this.#isClosed) return 'DISCONNECTED';
    return this.#hub?.status === 'DISCONNECTED' ? 'CONNECTING' : (this.#hub?.status ?? 'CONNECTING');
  }

  /** The gateway's name for the stream, while there is one. */
  get streamId() {
    return this.#isPaused ? null : (this.#hub?.streamId ?? null);
  }

  /** What is wrong, in a sentence. */
  get error() {
    return this.#isPaused ? null : (this.#subscription?.error ?? this.#hub?.error ?? null);
  }

  async #restore() {
    const { channels, most = 1_000 } = this.#feed;
    const keys = channels.map((given) => keyOf(entryOf(given))).sort();
    const archive = await Archive.open(JSON.stringify([this.#options.gatewayUrl ?? '', most, ...keys]), most);
    const kept = await archive?.load();
    if (this.#isClosed) return archive?.close();
    this.#archive = archive;
    const { items = [], cursor = null } = kept ?? {};
    if (cursor) safely(() => this.#sink.batch(items, cursor));
    if (!this.#isClosed) this.#start(cursor);
  }

  /** @param {string | null} cursor */
  #start(cursor) {
    const { channels, most } = this.#feed;
    this.#hub = hubOf(this.#options);
    this.#subscription = this.#hub.subscribe(
      { channels, most, cursor },
      {
        batch: (items, cursor) => {
          this.#archive?.write(items, cursor);
          this.#sink.batch(items, cursor);
        },
        changed: () => this.#sink.changed?.(),
      },
    );
    if (this.#isPaused) this.#subscription.pause();
  }

  /** Leaves the stream, and keeps the lines. */
  pause() {
    this.#isPaused = true;
    this.#subscription?.pause();
    this.#sink.changed?.();
  }

  /** Goes on after the last line; after an error, tries again. */
  resume() {
    this.#isPaused = false;
    this.#subscription?.resume();
    if (this.#hub?.status === 'ERROR' || this.#hub?.status === 'RECONNECTING') this.#hub.retry();
    this.#sink.changed?.();
  }

  /** Leaves for good. */
  close() {
    this.#isClosed = true;
    this.#subscription?.close();
    this.#archive?.close();
  }
}
