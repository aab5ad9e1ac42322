// One subscription's part in a hub.

import { chooses, entryOf, keyOf } from './entry.js';
import { compareIds, maxId } from './id.js';
import { endOf } from './item.js';
import { past } from './past.js';

/** After a failed request for the past it is asked again, after so many milliseconds each time. */
const RETRIES_MS = [500, 1_000, 2_000, 4_000];

/**
 * What is followed, and from where.
 * @typedef {object} Options
 * @property {readonly (string | import('./entry.js').Entry)[]} channels Channels, patterns, or entries with conditions.
 * @property {number} [most] How many of the newest records to begin with, and to hold at most. Left out: 1000.
 * @property {string | null} [cursor] The id up to which everything is known already.
 */

/**
 * Where a subscription's records go.
 * @typedef {object} Sink
 * @property {(items: import('./item.js').Item[], cursor: string) => void} batch What has come since the last call, in the
 *   order of ids, none twice, at most once per animation frame. Everything up to `cursor` has now been given.
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
  /** Why part of it is refused, or its past cannot be had. @type {string | null} */
  error = null;
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
  constructor(hub, { channels, most = 1_000, cursor = null }, sink) {
    this.#hub = hub;
    this.entries = new Map(channels.map((given) => [keyOf(entryOf(given)), entryOf(given)]));
    this.#most = Math.max(1, most);
    this.#cursor = cursor;
    this.sink = sink;
    this.rejoin();
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
    this.#pending = [];
    this.#cursor = cursor;
    safely(() => this.sink.batch(items, cursor));
  }

  /** Begins with the past once the stream tells all of its entries. */
  join() {
    if (this.#state !== 'joining' || this.isPaused) return;
    let border = this.#since;
    const refusals = [];
    for (const key of this.entries.keys()) {
      const since = this.#hub.link.covers(key);
      const refusal = this.#hub.link.refusal(key);
      if (refusal) refusals.push(refusal);
      else if (since) border = maxId(border, since);
      else return;
    }
    this.error = refusals.length > 0 ? `${refusals.join('; ')}.` : null;
    if (border === null) return;
    this.#state = 'filling';
    this.#fill = new AbortController();
    this.#begin(border, this.#fill.signal);
  }

  /** @param {string} border @param {AbortSignal} signal */
  async #begin(border, signal) {
    const before = await this.#past(border, signal);
    if (signal.aborted) return;
    const after = this.#pending.filter((item) => compareIds(endOf(item), border) > 0);
    this.#pending = [];
    this.#state = 'live';
    const cursor = maxId(this.#hub.link.position, border) ?? border;
    this.#cursor = cursor;
    safely(() => this.sink.batch([...before, ...after], cursor));
    safely(() => this.sink.changed?.());
  }

  /** @param {string} border @param {AbortSignal} signal @returns {Promise<import('./item.js').Item[]>} */
  async #past(border, signal) {
    const range = { after: this.#cursor, until: border, most: this.#most };
    const entries = [...this.entries].filter(([key]) => !this.#hub.link.refusal(key)).map(([, entry]) => entry);
    for (let tries = 0; ; ) {
      const delay = RETRIES_MS[Math.min(tries, RETRIES_MS.length - 1)];
      try {
        return entries.length > 0 ? await past(this.#hub.endpoint, entries, range, signal) : [];
      } catch (error) {
        if (signal.aborted) return [];
        // Where there is no network, there is one later.
        if (this.#hub.status === 'CONNECTED' && globalThis.navigator?.onLine !== false) tries += 1;
        if (/** @type {any} */ (error).isFinal || tries > RETRIES_MS.length) {
          this.error = `Older lines cannot be had: ${/** @type {Error} */ (error).message}`;
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
    const from = this.#cursor;
    // What was shown before is not followed by what is shown next, and that must be seen.
    return from ? entries.map(({ channel }) => ({ gap: { channel, from, to: border, reason: 'history_failed' } })) : [];
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
