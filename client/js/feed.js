// A subscription whose lines may outlive the page.

import { subjectOf } from './access.js';
import { Archive } from './archive.js';
import { Endpoint } from './endpoint.js';
import { entryOf, keyOf } from './entry.js';
import { hubOf } from './hub.js';
import { safely } from './subscription.js';

/**
 * @typedef {import('./hub.js').HubOptions} HubOptions
 * @typedef {object} Sink
 * @property {import('./subscription.js').Sink['batch']} batch
 * @property {(patterns: string[] | null) => void} [forget] What was given of these channels and patterns, or of all, is not for
 *   who reads now; some of it may be given again.
 * @property {() => void} [changed]
 * @typedef {{ channels: readonly (string | import('./entry.js').Entry)[], most?: number, persistence?: boolean }} FeedOptions
 *   `most`: how many lines to begin with and to keep; left out: 1000. `persistence`: whether they are kept in IndexedDB and
 *   shown at once the next time; the stream then goes on after the last of them. Left out: no.
 */

/** Saved lines wait for no token that takes longer, in milliseconds: they are whose it is. */
const PATIENCE_MS = 3_000;

/** A subscription to a page's hub, with what was kept of it before. */
export class Feed {
  #options;
  #endpoint;
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
  constructor({ gatewayUrl, scope, token, withCredentials }, feed, sink, isPaused = false) {
    // The token is this part's, and goes with it.
    this.#options = { gatewayUrl, scope };
    this.#feed = feed;
    this.#sink = sink;
    this.#isPaused = isPaused;
    this.#endpoint = new Endpoint({ gatewayUrl });
    this.#endpoint.show({ token, withCredentials });
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

  /** Whether the gateway takes no more of this page without another token. */
  get isUnauthorized() {
    return !this.#isPaused && (this.#hub?.isUnauthorized ?? false);
  }

  /** Uses this token from now on. @param {HubOptions['token']} token */
  setToken(token) {
    this.#endpoint.setToken(token);
  }

  async #restore() {
    const archive = await this.#openArchive();
    let kept = await archive?.load();
    if (this.#isClosed) return archive?.close();
    // Another part of the page may know who reads.
    const now = hubOf(this.#options).reader ?? null;
    if (kept?.reader && now !== null && kept.reader !== now) {
      await archive?.forget(null);
      kept = null;
    }
    if (this.#isClosed) return archive?.close();
    this.#archive = archive;
    const { items = [], cursor = null, reader = null } = kept ?? {};
    if (cursor) safely(() => this.#sink.batch(items, cursor));
    if (!this.#isClosed) this.#start(cursor, reader);
  }

  /** The lines of whose token it is: none of another are shown. Without a token, those of whoever read last. */
  async #openArchive() {
    const { channels, most = 1_000 } = this.#feed;
    const token = await inTime(this.#endpoint.token());
    if (token === null) return null;
    const keys = channels.map((given) => keyOf(entryOf(given))).sort();
    return Archive.open(JSON.stringify([this.#endpoint.place, subjectOf(token), most, ...keys]), most);
  }

  /** @param {string | null} cursor @param {string | null} [reader] who the lines up to there were given to */
  #start(cursor, reader) {
    const { channels, most } = this.#feed;
    const hub = hubOf(this.#options);
    this.#hub = hub;
    this.#subscription = hub.subscribe(
      { channels, most, cursor, reader },
      {
        batch: (items, cursor) => {
          this.#archive?.write(items, cursor, hub.reader);
          this.#sink.batch(items, cursor);
        },
        forget: (patterns, isAnother) => this.#forget(patterns, isAnother),
        changed: () => this.#sink.changed?.(),
      },
    );
    if (this.#isPaused) this.#subscription.pause();
  }

  /** @param {string[] | null} patterns @param {boolean} isAnother */
  async #forget(patterns, isAnother) {
    safely(() => this.#sink.forget?.(patterns));
    const archive = this.#archive;
    if (!archive) return;
    if (!isAnother) return archive.forget(patterns);
    // Another's lines are kept elsewhere, perhaps, and some may be there already.
    this.#subscription?.close();
    this.#subscription = this.#archive = null;
    await archive.close();
    if (!this.#isClosed) await this.#restore();
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
    const isAskedAgain = this.#hub?.status === 'ERROR' || this.#hub?.status === 'RECONNECTING' || this.#subscription?.error;
    if (isAskedAgain) this.#hub?.retry();
    this.#sink.changed?.();
  }

  /** Leaves for good. */
  close() {
    this.#isClosed = true;
    this.#subscription?.close();
    this.#archive?.close();
    this.#endpoint.release();
  }
}

/** Nothing where it is not given, or takes too long. @param {string | Promise<string>} token @returns {Promise<string | null>} */
function inTime(token) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    const give = (/** @type {string | null} */ token) => {
      clearTimeout(timer);
      resolve(token);
    };
    Promise.resolve(token).then(give, () => give(null));
  });
}
