// One subscription's part in a hub.

import { chooses, entryOf, keyOf } from './entry.js';
import { compareIds, maxId } from './id.js';
import { endOf } from './item.js';
import { merged, past } from './past.js';

/** After a failed request for the past it is asked again, after so many milliseconds each time. */
const RETRIES_MS = [500, 1_000, 2_000, 4_000];
/** A gateway that names a longer wait than this is asked sooner, in milliseconds. */
const LONGEST_RETRY_MS = 60_000;

/**
 * What is followed, and from where.
 * @typedef {object} Options
 * @property {readonly (string | import('./entry.js').Entry)[]} channels Channels, patterns, or entries with conditions.
 * @property {number} [most] How many of the newest records to begin with, and to hold at most. Left out: 1000.
 * @property {string | null} [cursor] The id up to which everything is known already.
 * @property {string | null} [reader] Who it is known to, where that is known.
 */

/**
 * Where a subscription's records go.
 * @typedef {object} Sink
 * @property {(items: import('./item.js').Item[], cursor: string) => void} batch What has come since the last call, in the
 *   order of ids, none twice, at most once per animation frame. Everything up to `cursor` has now been given.
 * @property {(patterns: string[] | null, isAnother: boolean) => void} [forget] What was given of these channels and patterns,
 *   or of all, is not for who reads now: because it is another, or because the gateway says so. What comes next begins anew.
 * @property {() => void} [changed] The hub's status, or this subscription's error, is another now.
 */

/**
 * One subscription: it joins the stream at an id, gets what came before from history, and everything
 * after it from the stream.
 */
export class Subscription {
  /** @type {Map<string, import('./entry.js').Entry>} */
  entries;
  sink;
  /** Whether it wants nothing for the time being. */
  isPaused = false;
  /** Why its past cannot be had. @type {string | null} */
  #pastError = null;
  /** Its entries that are refused, and why. @type {Map<string, import('./refusal.js').Refusal>} */
  #refused = new Map();
  /** Whether the gateway lets this reader see nothing of it. */
  #isDenied = false;
  /** Who everything up to the cursor was given to. @type {string | null} */
  #reader;
  #hub;
  #most;
  /** Everything up to here was given. @type {string | null} */
  #cursor;
  /** Where the hub was when it began to listen: what came before was not heard. @type {string | null} */
  #since = null;
  /** @type {'joining' | 'filling' | 'live'} */
  #state = 'joining';
  /** @type {import('./item.js').Item[]} */
  #pending = [];
  #fill = new AbortController();

  /** @param {import('./hub.js').Hub} hub @param {Options} options @param {Sink} sink */
  constructor(hub, { channels, most = 1_000, cursor = null, reader = null }, sink) {
    this.#hub = hub;
    this.entries = new Map(channels.map((given) => [keyOf(entryOf(given)), entryOf(given)]));
    this.#most = Math.max(1, most);
    this.#cursor = cursor;
    this.#reader = reader;
    this.sink = sink;
    this.rejoin();
  }

  /** Why part of it is refused, or its past cannot be had. @type {string | null} */
  get error() {
    const refusals = [...this.#refused.values()].map(({ words }) => words);
    return refusals.length > 0 ? `${refusals.join('; ')}.` : this.#pastError;
  }

  /** Joins anew, from where it is: the stream may have told others in between. */
  rejoin() {
    this.#fill.abort();
    this.#state = 'joining';
    this.#pending = [];
    this.#since = this.#hub.link.position;
  }

  /** Its entries that choose a channel. @param {string} channel */
  entriesOf(channel) {
    return [...this.entries.values()].filter((entry) => chooses(entry.channel, channel));
  }

  /** Whether a gap may be one in its channels. @param {import('./item.js').Gap} gap */
  mayMiss(gap) {
    return [...this.entries.values()].some((entry) => meets(entry.channel, gap.channel));
  }

  /** Takes an item that is for it. @param {import('./item.js').Item} item */
  take(item) {
    // The stream may be behind history: it says again what was had from there.
    if (this.#state === 'live' && this.#cursor && compareIds(endOf(item), this.#cursor) <= 0) return;
    this.#pending.push(item);
    if (this.#pending.length < 2 * this.#most) return;
    // A hidden page's frames may come once a minute.
    if (this.#state === 'live') this.flush();
    // While it waits for the past it holds no more than it would show.
    else this.#pending.splice(0, this.#pending.length - this.#most);
  }

  /** Gives what has come, unless the past is still to come before it. */
  flush() {
    if (this.#state !== 'live' || this.isPaused) return;
    const cursor = maxId(this.#hub.link.position, this.#cursor);
    const items = this.#pending;
    if (cursor === null || (items.length === 0 && cursor === this.#cursor)) return;
    // Where nothing of it is followed, nothing is complete.
    if (this.#refused.size === this.entries.size) return;
    this.#pending = [];
    this.#cursor = cursor;
    safely(() => this.sink.batch(items, cursor));
  }

  /** Begins with the past once the stream tells all of its entries. */
  join() {
    const { link } = this.#hub;
    this.#meet(link.reader, link.isDenied);
    const allowed = this.#look();
    if (this.isPaused || link.isDenied) return;
    if (this.#state !== 'joining') {
      if (allowed.length === 0) return;
      this.flush();
      this.rejoin();
    }
    let border = this.#since;
    for (const key of this.entries.keys()) {
      if (this.#refused.has(key)) continue;
      const since = link.covers(key);
      if (!since) return;
      border = maxId(border, since);
    }
    for (const key of allowed) this.#refused.delete(key);
    if (border === null) return;
    this.#state = 'filling';
    this.#fill = new AbortController();
    this.#begin(border, new Set(allowed), this.#fill.signal);
  }

  /** What was given to somebody else is not this reader's. @param {string | null} reader @param {boolean} isDenied */
  #meet(reader, isDenied) {
    const isAnother = reader !== null && this.#reader !== null && reader !== this.#reader;
    const isRefused = isDenied && !this.#isDenied;
    this.#isDenied = isDenied;
    this.#reader = reader ?? this.#reader;
    if (!isAnother && !isRefused) return;
    this.#cursor = null;
    this.#refused.clear();
    this.rejoin();
    safely(() => this.sink.forget?.(null, isAnother));
  }

  /** Sees which entries are refused now; gives those that were and are followed at last. */
  #look() {
    const allowed = [];
    /** @type {string[]} */
    const denied = [];
    for (const [key, { channel }] of this.entries) {
      const refusal = this.#hub.link.refusal(key);
      if (refusal) {
        if (refusal.isDenied && !this.#refused.has(key)) denied.push(channel);
        this.#refused.set(key, refusal);
      } else if (this.#refused.has(key) && this.#hub.link.covers(key)) {
        allowed.push(key);
      }
    }
    if (denied.length > 0) safely(() => this.sink.forget?.(denied, false));
    return allowed;
  }

  /** @param {string} border @param {Set<string>} anew entries of which nothing was given yet @param {AbortSignal} signal */
  async #begin(border, anew, signal) {
    const before = await this.#past(border, anew, signal);
    if (signal.aborted) return;
    const after = this.#pending.filter((item) => compareIds(endOf(item), border) > 0);
    this.#pending = [];
    this.#state = 'live';
    const cursor = maxId(this.#hub.link.position, border) ?? border;
    this.#cursor = cursor;
    if (this.#refused.size < this.entries.size) safely(() => this.sink.batch([...before, ...after], cursor));
    safely(() => this.sink.changed?.());
  }

  /**
   * @param {string} border
   * @param {Set<string>} anew
   * @param {AbortSignal} signal
   * @returns {Promise<import('./item.js').Item[]>}
   */
  async #past(border, anew, signal) {
    const followed = [...this.entries].filter(([key]) => !this.#refused.has(key));
    const range = { after: this.#cursor, until: border, most: this.#most };
    const asked = [
      { entries: followed.filter(([key]) => !anew.has(key)).map(([, entry]) => entry), range },
      { entries: followed.filter(([key]) => anew.has(key)).map(([, entry]) => entry), range: { ...range, after: null } },
    ].filter(({ entries }) => entries.length > 0);
    this.#pastError = null;
    for (let tries = 0; ; ) {
      const delay = RETRIES_MS[Math.min(tries, RETRIES_MS.length - 1)];
      try {
        const parts = await Promise.all(asked.map(({ entries, range }) => past(this.#hub.endpoint, entries, range, signal)));
        return parts.length > 0 ? merged(parts).slice(-this.#most) : [];
      } catch (error) {
        if (signal.aborted) return [];
        // Where there is no network, there is one later.
        if (this.#hub.status === 'CONNECTED' && globalThis.navigator?.onLine !== false) tries += 1;
        const { isFinal, retryMs = 0, message } = /** @type {import('./endpoint.js').Refused} */ (error);
        if (isFinal || tries > RETRIES_MS.length) {
          this.#pastError = `Older lines cannot be had: ${message}`;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, Math.max(delay, Math.min(retryMs, LONGEST_RETRY_MS))));
      }
    }
    const from = this.#cursor;
    // What was shown before is not followed by what is shown next, and that must be seen.
    return from ? followed.map(([, { channel }]) => ({ gap: { channel, from, to: border, reason: 'history_failed' } })) : [];
  }

  /** Wants nothing until it is resumed. */
  pause() {
    if (this.isPaused) return;
    this.flush();
    this.isPaused = true;
    this.#fill.abort();
    this.#hub.revise(0);
  }

  /** Wants its entries again, from where it was. */
  resume() {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.rejoin();
    this.#hub.revise(0);
  }

  /** Leaves the hub. */
  close() {
    this.#fill.abort();
    this.#hub.leave(this);
  }
}

/** Calls what a part of the page gave: that it fails is told, and is no other part's trouble. @param {() => void} call */
export function safely(call) {
  try {
    call();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

/** Whether a gap in one channel or pattern may be one in the other. @param {string} a @param {string} b */
function meets(a, b) {
  return chooses(a, b) || chooses(b, a);
}
