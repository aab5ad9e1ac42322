// One stream for all tabs of an origin.

import { subjectOf } from './access.js';
import { Connection } from './connection.js';
import { compareIds, maxId } from './id.js';
import { endOf, isGap, itemOf } from './item.js';

/** A leader that has said nothing for three heartbeats is taken for frozen, and not before this long, in milliseconds. */
const SILENT_MS = 45_000;
/** How often the leader looks for tabs that went without a word, in milliseconds. */
const PRUNE_MS = 30_000;

/** Whether tabs can share a stream here: Web Locks need a secure context, https or localhost. */
export function canShare() {
  return typeof BroadcastChannel !== 'undefined' && Boolean(globalThis.navigator?.locks) && globalThis.isSecureContext;
}

/**
 * @typedef {import('./entry.js').Entry} Entry
 * @typedef {import('./connection.js').Listener & { rejoin: () => void }} Listener
 *   `rejoin`: something may have been told while nobody here heard it; subscriptions ask history.
 */

/**
 * A connection that tabs have together. The one that holds a Web Lock leads: it has the stream, for what all
 * of them want, and passes on what it is told. When it goes, the next in line goes on from where it has come, and
 * the others ask history for what lies between.
 *
 * It is used as a {@link Connection} is.
 */
export class SharedConnection {
  #endpoint;
  #listener;
  /** What the tabs that share are told by. */
  #name = '';
  #tab = crypto.randomUUID();
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Whose token this tab has: tabs of others have a stream of their own. @type {string | null} */
  #subject = null;
  /** @type {Map<string, Entry>} */
  #wanted = new Map();
  /** Counts what this tab has wanted: what the leader says of another is not of this. */
  #revision = 0;
  /** The stream, where this tab leads. @type {Connection | null} */
  #own = null;
  /** What the other tabs want, where this tab leads. @type {Map<string, { entries: Map<string, Entry>, revision: number }>} */
  #others = new Map();
  /** What the leader last said of its connection. @type {any} */
  #told = null;
  /** Where this tab began to hear the leader. @type {string | null} */
  #base = null;
  /** @type {string | null} */
  #position = null;
  /** Ends this tab's place in the line. @type {AbortController | null} */
  #place = null;
  /** Lets go of the lock. @type {() => void} */
  #resign = () => {};
  /** @type {string[]} */
  #outbox = [];
  #post = new MessageChannel();
  #silence = 0;
  #prunedAt = 0;

  /** @param {import('./endpoint.js').Endpoint} endpoint @param {Listener} listener */
  constructor(endpoint, listener) {
    this.#endpoint = endpoint;
    this.#listener = listener;
    // A task of its own that no browser slows down in hidden tabs, unlike timers.
    this.#post.port1.onmessage = () => this.#send();
  }

  get status() {
    if (this.#wanted.size === 0) return 'DISCONNECTED';
    return this.#own?.status ?? this.#told?.status ?? 'CONNECTING';
  }

  get streamId() {
    return this.#own ? this.#own.streamId : (this.#told?.streamId ?? null);
  }

  get error() {
    return this.#own ? this.#own.error : (this.#told?.error ?? null);
  }

  get reader() {
    return this.#own ? this.#own.reader : (this.#told?.reader ?? null);
  }

  get isUnauthorized() {
    return this.#own ? this.#own.isUnauthorized : (this.#told?.isUnauthorized ?? false);
  }

  get isDenied() {
    return this.#own ? this.#own.isDenied : (this.#told?.isDenied ?? false);
  }

  /** The id up to which everything that is covered has been told. */
  get position() {
    return this.#own ? this.#own.position : this.#position;
  }

  /** Since which id an entry is told here, once it is. @param {string} key */
  covers(key) {
    if (this.#own) return this.#own.covers(key);
    // It may be given up there, and followed again: only an answer to what was asked last counts.
    if (this.#told?.heard.get(this.#tab) !== this.#revision) return null;
    const since = this.#told.covered.get(key);
    return since ? maxId(since, this.#base) : null;
  }

  /** Why an entry was refused. @param {string} key */
  refusal(key) {
    return this.#own ? this.#own.refusal(key) : (this.#told?.refused.get(key) ?? null);
  }

  /** Follows these entries from now on; with none, this tab is in nobody's way. @param {Map<string, Entry>} wanted */
  follow(wanted) {
    this.#wanted = wanted;
    this.#revision += 1;
    if (wanted.size === 0) this.#leave();
    else if (!this.#place) this.#queue();
    else if (this.#own) this.#followAll();
    else this.#want();
    this.#listener.changed();
  }

  /** Tries again at once, also after an error. */
  retry() {
    if (this.#own) this.#own.retry();
    else this.#say({ type: 'retry' });
  }

  /** The page gives another token. @param {string} token */
  renewed(token) {
    if (this.#place && subjectOf(token) !== this.#subject) {
      this.#leave();
      this.resume();
    } else if (this.#own) {
      this.#own.renewed(token);
    } else if (this.isUnauthorized) {
      this.retry();
    }
  }

  /** @param {boolean} trustsNone */
  wake(trustsNone) {
    this.#own?.wake(trustsNone);
  }

  /** Lets another tab lead, for a page that rests. */
  suspend() {
    this.#leave();
  }

  /** Comes back from where it was. */
  resume() {
    if (this.#wanted.size > 0) this.follow(this.#wanted);
  }

  /** Closes everything for good. */
  close() {
    this.#leave();
    this.#channel?.close();
    this.#post.port1.close();
  }

  // The line.

  #queue() {
    const place = new AbortController();
    this.#place = place;
    /** @param {string} token */
    const enter = (token) => {
      if (!place.signal.aborted) this.#enter(place, subjectOf(token));
    };
    const token = this.#endpoint.token();
    if (typeof token === 'string') enter(token);
    // Who gives none now gives one for the stream, perhaps.
    else token.then(enter, () => enter(''));
  }

  /** @param {AbortController} place @param {string | null} subject */
  #enter(place, subject) {
    this.#subject = subject;
    this.#name = `logs-sse-gateway.1 ${this.#endpoint.place}${subject === null ? '' : ` ${subject}`}`;
    this.#channel?.close();
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#request(place, { signal: place.signal });
    // As long as it is held, this tab is there: the leader looks.
    navigator.locks.request(`${this.#name} ${this.#tab}`, { signal: place.signal }, () => ended(place.signal)).catch(() => {});
    this.#want();
    this.#expect();
  }

  /** @param {AbortController} place @param {LockOptions} options */
  #request(place, options) {
    const lead = () =>
      new Promise((resolve) => {
        if (place.signal.aborted || this.#own) return resolve(undefined);
        this.#resign = () => resolve(undefined);
        this.#lead();
      });
    navigator.locks.request(`${this.#name} leader`, options, lead).catch(() => {
      if (place.signal.aborted) return;
      // Another tab took this one for frozen.
      if (this.#own) this.#follow(place);
      // There are no locks here, as in a frame that is shut off from its origin: it is alone.
      else if (this.#place === place && !options.steal) lead();
    });
  }

  /** Leads no more, and stands in line again. @param {AbortController} place */
  #follow(place) {
    this.#position = this.position;
    this.#own?.close();
    this.#own = null;
    this.#told = null;
    this.#request(place, { signal: place.signal });
    this.#want();
  }

  #lead() {
    clearTimeout(this.#silence);
    this.#others.clear();
    this.#own = new Connection(
      this.#endpoint,
      {
        item: (item) => {
          this.#outbox.push(item.text ?? JSON.stringify({ type: 'gap', ...item.gap }));
          if (this.#outbox.length === 1) this.#post.port2.postMessage(null);
          this.#listener.item(item);
        },
        changed: () => {
          this.#tell();
          this.#listener.changed();
        },
      },
      this.#position,
    );
    this.#say({ type: 'lead' });
    this.#followAll();
  }

  #leave() {
    this.#position = this.position;
    if (this.#own) this.#send();
    else if (this.#place) this.#say({ type: 'bye', tab: this.#tab });
    clearTimeout(this.#silence);
    this.#own?.close();
    this.#own = null;
    this.#told = null;
    this.#place?.abort();
    this.#place = null;
    this.#resign();
    this.#resign = () => {};
    if (this.#wanted.size === 0) this.#position = null;
  }

  /** Takes the lock from a leader that is frozen, unless it says something in time. */
  #expect() {
    clearTimeout(this.#silence);
    this.#silence = Number(
      setTimeout(() => {
        if (this.#place && !this.#own) this.#request(this.#place, { steal: true });
      }, Math.max(SILENT_MS, 3 * (this.#told?.heartbeatMs ?? 0))),
    );
  }

  // What tabs tell each other.

  /** @param {any} message */
  #say(message) {
    this.#channel?.postMessage(message);
  }

  #want() {
    this.#say({ type: 'want', tab: this.#tab, entries: [...this.#wanted], revision: this.#revision });
  }

  #followAll() {
    const all = new Map(this.#wanted);
    for (const { entries } of this.#others.values()) for (const [key, entry] of entries) all.set(key, entry);
    this.#own?.follow(all);
    this.#tell();
  }

  /** Passes on what has come. */
  #send() {
    const texts = this.#outbox;
    if (texts.length === 0) return;
    this.#outbox = [];
    this.#say({ type: 'items', leader: this.#tab, texts, position: this.position });
  }

  /** Says how the stream is, and so that this tab still leads. */
  #tell() {
    const own = this.#own;
    if (!own) return;
    this.#send();
    const covered = new Map();
    const refused = new Map();
    const heard = new Map();
    for (const [tab, { revision }] of this.#others) heard.set(tab, revision);
    for (const { entries } of [{ entries: this.#wanted }, ...this.#others.values()]) {
      for (const key of entries.keys()) {
        if (own.covers(key)) covered.set(key, own.covers(key));
        if (own.refusal(key)) refused.set(key, own.refusal(key));
      }
    }
    const { status, streamId, error, position, heartbeatMs, reader, isUnauthorized, isDenied } = own;
    const state = { status, streamId, error, position, heartbeatMs, reader, isUnauthorized, isDenied };
    this.#say({ type: 'state', leader: this.#tab, ...state, covered, refused, heard });
    this.#prune();
  }

  /** @param {any} message */
  #hear(message) {
    if (this.#own) this.#hearFollower(message);
    else if (this.#place) this.#hearLeader(message);
  }

  /** @param {any} message */
  #hearFollower(message) {
    switch (message.type) {
      case 'want':
        this.#others.set(message.tab, { entries: new Map(message.entries), revision: message.revision });
        return this.#followAll();
      case 'bye':
        this.#others.delete(message.tab);
        return this.#followAll();
      case 'retry':
        return this.#own?.retry();
    }
  }

  /** @param {any} message */
  #hearLeader(message) {
    switch (message.type) {
      case 'lead':
        this.#expect();
        return this.#want();
      case 'items':
        // One that was taken for frozen may say something yet: it is of other channels, perhaps, and of another time.
        if (this.#told?.leader !== message.leader) return;
        this.#expect();
        return this.#receive(message);
      case 'state': {
        const isAnother = this.#told?.leader !== message.leader;
        this.#told = message;
        this.#expect();
        if (isAnother) {
          this.#position = this.#base = maxId(this.#position, message.position);
          this.#listener.rejoin();
        } else {
          this.#position = maxId(this.#position, message.position);
          this.#listener.changed();
        }
      }
    }
  }

  /** @param {{ texts: string[], position: string | null }} message */
  #receive({ texts, position }) {
    for (const text of texts) {
      const item = itemOf(text) ?? gapOf(text);
      if (!item || (this.#position && compareIds(endOf(item), this.#position) <= 0)) continue;
      if (item.record) this.#position = item.record.id;
      this.#listener.item(item);
    }
    this.#position = maxId(this.#position, position);
  }

  /** Forgets tabs that went without a word. */
  async #prune() {
    const now = performance.now();
    if (now - this.#prunedAt < PRUNE_MS || this.#others.size === 0) return;
    this.#prunedAt = now;
    const { held = [] } = await navigator.locks.query().catch(() => ({ held: null }));
    if (!held) return;
    const there = new Set(held.map((lock) => lock.name));
    const gone = [...this.#others.keys()].filter((tab) => !there.has(`${this.#name} ${tab}`));
    for (const tab of gone) this.#others.delete(tab);
    if (gone.length > 0) this.#followAll();
  }
}

/** @param {string} text @returns {import('./item.js').Item | null} */
function gapOf(text) {
  const gap = JSON.parse(text);
  return isGap(gap) ? { gap: { channel: gap.channel, from: gap.from, to: gap.to, reason: gap.reason } } : null;
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function ended(signal) {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
