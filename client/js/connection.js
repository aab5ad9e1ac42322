// Keeps one stream open, whatever happens to it.

import { subjectOf } from './access.js';
import { Backoff } from './backoff.js';
import { applied, difference } from './change.js';
import { Refused, wordsOf } from './endpoint.js';
import { Expiry } from './expiry.js';
import { compareIds, maxId } from './id.js';
import { endOf, isGap, isRecord } from './item.js';
import { whyRefused } from './refusal.js';
import { Stream } from './stream.js';

/** A gateway that names a longer wait than this is asked sooner, in milliseconds. */
const LONGEST_RETRY_MS = 600_000;
/** How long the gateway may take to say why there is no stream, in milliseconds. */
const ANSWER_MS = 10_000;
/** Who reads is not for the page to say: the gateway is told by others, or lets nobody read. */
const BEYOND_TOKENS = ['auth_not_configured', 'missing_identity', 'invalid_identity'];
/** Why the gateway ended a stream for good, where it takes more than the reason. @type {Record<string, string>} */
const ENDED = {
  revoked: 'The gateway has taken back the right to read here. It takes a new token.',
};
/** What a stream that is open waits for. */
const DELAYED = 'The gateway does not reach its store. New lines come when it does again, none is lost.';

/**
 * How a page stands with the gateway, as a person is told.
 * @typedef {'DISCONNECTED' | 'CONNECTING' | 'CONNECTED' | 'RECONNECTING' | 'ERROR'} Status
 * @typedef {import('./entry.js').Entry} Entry
 * @typedef {import('./item.js').Item} Item
 */

/**
 * What a connection tells its hub.
 * @typedef {object} Listener
 * @property {(item: Item) => void} item The next record, or a gap. Ids rise.
 * @property {() => void} changed Something that can be asked for is another now.
 */

/**
 * Keeps one stream open for what is wanted, whatever happens to it, and alone owns the `EventSource`.
 *
 * At most one stream is read; beside it there may be the next one, which is on its way because the
 * gateway will close the first, the network is another, or the first cannot be changed. Every record
 * is told once and in the order of ids: what two streams both send is told apart by `position`.
 */
export class Connection {
  #endpoint;
  #listener;
  /** @type {Map<string, Entry>} */
  #wanted = new Map();
  /** Since which id each entry is told. @type {Map<string, string>} */
  #covered = new Map();
  /** Entries that the gateway refused, and why. @type {Map<string, import('./refusal.js').Refusal>} */
  #refused = new Map();
  /** @type {Stream | null} */
  #first = null;
  /** @type {Stream | null} */
  #next = null;
  /** Takes back what comes before the next try. @type {(() => void) | null} */
  #later = null;
  #isWaiting = false;
  /** Whether the gateway has said that it will close the stream. */
  #isDrained = false;
  #isSuspended = false;
  #hasFailed = false;
  /** Whether a try has failed or a stream was lost since someone asked for one. */
  #isAgain = false;
  #backoff = new Backoff();
  #watchdog = 0;
  #expiry;

  /** What is wrong, in a sentence. @type {string | null} */
  error = null;
  /** Whether the gateway does not know who reads, or not any more: it takes another token. */
  isUnauthorized = false;
  /** Whether the gateway lets this reader see nothing of what is wanted. */
  isDenied = false;
  /** Who reads, as the gateway says; not known before a stream was open. @type {string | null} */
  reader = null;
  /** The id up to which everything that is covered has been told. @type {string | null} */
  position = null;

  /**
   * @param {import('./endpoint.js').Endpoint} endpoint
   * @param {Listener} listener
   * @param {string | null} [position] where to go on from
   */
  constructor(endpoint, listener, position = null) {
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.position = position;
    this.#expiry = new Expiry(
      () => endpoint.token(),
      () => this.#renew(),
    );
  }

  /** @returns {Status} */
  get status() {
    if (this.#hasFailed) return 'ERROR';
    if (this.#wanted.size === 0) return 'DISCONNECTED';
    if (this.#first?.opened) return 'CONNECTED';
    return this.#isAgain ? 'RECONNECTING' : 'CONNECTING';
  }

  /** The gateway's name for the stream that is read. */
  get streamId() {
    return this.#first?.opened?.streamId ?? null;
  }

  /** How often the stream says something, in milliseconds. */
  get heartbeatMs() {
    return this.#first?.opened?.heartbeatMs ?? 0;
  }

  /** Since which id an entry is told, once it is. @param {string} key */
  covers(key) {
    return this.#covered.get(key) ?? null;
  }

  /** Why an entry was refused. @param {string} key */
  refusal(key) {
    return this.#refused.get(key) ?? null;
  }

  /** Follows these entries, by their keys, from now on; with none, nothing is open. @param {Map<string, Entry>} wanted */
  follow(wanted) {
    const isNew = [...wanted.keys()].some((key) => !this.#wanted.has(key));
    this.#wanted = wanted;
    for (const known of [this.#covered, this.#refused]) {
      for (const key of known.keys()) if (!wanted.has(key)) known.delete(key);
    }
    if (wanted.size === 0) {
      this.#reset();
      // What was read is nobody's any more.
      this.position = null;
      this.#changed();
    } else if (!this.#first && !this.#isSuspended && (isNew || (!this.#hasFailed && !this.#later))) {
      this.#retry();
    } else {
      this.#revise();
    }
  }

  /** Tries again at once, also after an error, and also what was refused: it may be allowed by now. */
  retry() {
    this.#refused.clear();
    this.#retry();
    this.#revise();
  }

  #retry() {
    if (this.#wanted.size === 0 || this.#isSuspended) return;
    this.#backoff.startOver();
    if (!this.#first) {
      if (this.#hasFailed) this.#refused.clear();
      this.#hasFailed = this.isUnauthorized = this.isDenied = false;
      this.#open();
    }
  }

  /**
   * The page gives another token: where there is no stream without one it is tried, and a stream for somebody else ends here.
   * @param {string} token
   */
  renewed(token) {
    if (this.isUnauthorized || this.isDenied) return this.retry();
    // Why there is none may be the token from before.
    if (!this.#first && this.#later) return this.#retry();
    if (!this.#first || subjectOf(token) === subjectOf(this.#first.token)) return;
    this.#reset();
    this.#retry();
  }

  /** Something has changed for the better: waits no longer, and trusts no stream that may be dead. @param {boolean} trustsNone */
  wake(trustsNone) {
    if (!this.#first && this.#isWaiting) this.#retry();
    else if (trustsNone || this.#first?.isLate(performance.now())) this.#renew();
  }

  /** Closes everything, for a page that rests, and goes on from there when it is resumed. */
  suspend() {
    this.#reset();
    this.#isSuspended = true;
  }

  /** Goes on. */
  resume() {
    this.#isSuspended = false;
    this.#retry();
  }

  /** Closes everything for good. */
  close() {
    this.#wanted = new Map();
    this.suspend();
  }

  #reset() {
    this.#first?.close();
    this.#next?.close();
    this.#first = this.#next = null;
    this.#cancelLater();
    clearTimeout(this.#watchdog);
    this.#expiry.end();
    this.#hasFailed = this.#isAgain = this.#isDrained = false;
    this.isUnauthorized = this.isDenied = false;
    this.error = null;
  }

  #changed() {
    this.#listener.changed();
  }

  // Opening, and handing over.

  /** The channels of a new stream. A URL has no conditions: it starts with all of them, and is narrowed once it is open. */
  #channels() {
    const entries = [...this.#wanted].filter(([key]) => !this.#refused.has(key));
    return new Set(entries.map(([, entry]) => entry.channel));
  }

  #request() {
    const entries = new Map([...this.#channels()].map((channel) => [channel, { channel }]));
    const urlWith = (/** @type {string} */ token) => this.#endpoint.streamUrl(entries.keys(), this.position, token);
    return new Stream(this.#endpoint.token(), urlWith, entries, this.#endpoint.withCredentials, {
      hear: (stream, event, text) => this.#hear(stream, event, text),
      lose: (stream, refused) => this.#lose(stream, refused),
    });
  }

  #open() {
    this.#cancelLater();
    const stream = this.#try();
    if (!stream) return;
    this.#first = stream;
    this.#changed();
    this.#watch();
  }

  /** Opens the stream that will take over from the one that is read. @param {boolean} [isFixed] whether it is never changed */
  #openNext(isFixed = false) {
    this.#cancelLater();
    this.#next?.close();
    this.#next = this.#try();
    if (this.#next) this.#next.isFixed = isFixed;
    this.#watch();
  }

  #try() {
    try {
      return this.#request();
    } catch {
      this.#fail('The gateway’s address is none that a browser can open.');
      return null;
    }
  }

  /** Opens the next stream for the same entries, unless one is on its way. */
  #renew() {
    if (this.#first?.opened && !this.#next && !this.#isSuspended) this.#openNext();
  }

  /**
   * The next stream takes over. It starts no later than the first has come, so no record lies between them; what the
   * first has told already is told apart by its id.
   * @param {Stream} next
   */
  #promote(next) {
    this.#expiry.end();
    this.#first?.close();
    this.#first = next;
    this.#next = null;
    if (next.opened) this.#onOpen(next);
  }

  /** The stream that is read is open. @param {Stream} stream */
  #onOpen(stream) {
    const reader = stream.opened?.reader ?? this.reader;
    if (this.reader !== null && reader !== this.reader) {
      // What was told, and what was refused, was to somebody else.
      this.#covered.clear();
      this.#refused.clear();
    }
    this.reader = reader;
    this.position ??= stream.cursor;
    this.#cover(stream);
    this.#isDrained = false;
    this.#backoff.opened(performance.now());
    this.error = null;
    this.#changed();
    this.#revise();
  }

  /** Whatever the stream sends is told from now on; returns whether any of it was not before. @param {Stream} stream */
  #cover(stream) {
    const since = this.position;
    if (!since) return false;
    const isNew = (/** @type {string} */ key) => !this.#covered.has(key) && !this.#refused.has(key) && this.#isSent(stream, key);
    const keys = [...this.#wanted.keys()].filter(isNew);
    for (const key of keys) this.#covered.set(key, since);
    return keys.length > 0;
  }

  /** @param {Stream} stream @param {string} key */
  #isSent(stream, key) {
    const entry = this.#wanted.get(key);
    return stream.entries.has(key) || (entry !== undefined && stream.entries.has(entry.channel));
  }

  // What a stream says.

  /** @param {Stream} stream @param {any} event @param {string} text */
  #hear(stream, event, text) {
    if (stream !== this.#first && stream !== this.#next) return;
    switch (event.type) {
      case 'log':
        if (isRecord(event)) this.#tell({ record: event, text });
        break;
      case 'gap':
        if (isGap(event)) this.#tell({ gap: { channel: event.channel, from: event.from, to: event.to, reason: event.reason } });
        break;
      case 'connection':
        stream.open(event);
        if (stream === this.#first) this.#onOpen(stream);
        else this.#promote(stream);
        this.#watch();
        break;
      case 'drain':
        this.#isDrained = true;
        this.#renew();
        break;
      case 'expiring':
        if (stream === this.#first) this.#expiry.begin(stream, event.within_ms);
        break;
      case 'heartbeat':
      case 'caught_up':
        if (stream === this.#first) {
          this.#advance(stream);
          // What went wrong otherwise has words of its own, which stay.
          if (event.delayed_ms >= 0) this.error ??= DELAYED;
          else if (this.error === DELAYED) this.error = null;
          // The position has moved on a quiet channel too.
          this.#changed();
        }
        break;
      case 'close':
        return this.#onClose(stream, event);
    }
    if (stream === this.#first) this.#advance(stream);
  }

  /** @param {Item} item */
  #tell(item) {
    if (this.position && compareIds(endOf(item), this.position) <= 0) return;
    if (item.record) this.position = item.record.id;
    this.#listener.item(item);
  }

  /** @param {Stream} stream */
  #advance(stream) {
    this.position = maxId(this.position, stream.cursor);
  }

  /** The gateway ends a stream, and says whether to come back. @param {Stream} stream @param {any} event */
  #onClose(stream, event) {
    if (stream !== this.#first || this.#next || typeof event.retry_ms === 'number') {
      stream.close();
      return this.#lose(stream, false, event.retry_ms);
    }
    const words = ENDED[event.reason] ?? `The gateway ended the stream: ${String(event.reason).replaceAll('_', ' ')}.`;
    this.#fail(words, event.reason === 'revoked' ? new Refused(401) : undefined);
  }

  /** @param {string} words @param {Refused} [refused] */
  #fail(words, refused) {
    this.#reset();
    this.#hasFailed = true;
    this.error = words;
    this.isUnauthorized = refused?.status === 401 && !BEYOND_TOKENS.includes(String(refused.code));
    // Whose time is up has seen what is there by right.
    const hasEnded = refused?.code === 'expired_token' && this.reader !== null;
    this.isDenied = refused?.isDenied === true && !hasEnded;
    if (this.isDenied) this.#covered.clear();
    this.#changed();
  }

  // What is done when a stream is lost, silent or refused.

  /** @param {Stream} stream @param {boolean} refused @param {number} [retryMs] */
  #lose(stream, refused, retryMs) {
    if (stream === this.#next) {
      this.#next = null;
      if (refused) this.#ask();
      else this.#wait(retryMs);
    } else if (stream === this.#first) {
      this.#first = null;
      this.#isAgain = true;
      if (this.#next) {
        this.#promote(this.#next);
      } else if (!this.#later) {
        if (refused && !stream.opened) this.#ask();
        else this.#wait(retryMs, stream.opened ? null : wordsOf(stream.failure));
      }
      this.#changed();
    }
  }

  /** Finds out why there is no stream: `EventSource` tells neither status nor body. */
  #ask() {
    this.#cancelLater();
    const question = new AbortController();
    this.#isWaiting = false;
    const answered = whyRefused(this.#endpoint, this.#channels(), this.position, question.signal);
    // It may have been told to give up by now: another answer is on its way.
    const isAsking = () => this.#later === giveUp;
    const giveUp = () => {
      clearTimeout(patience);
      question.abort();
    };
    /** @param {unknown} [error] */
    const silent = (error) => {
      if (!isAsking()) return;
      this.#wait(undefined, wordsOf(error));
    };
    const patience = setTimeout(() => silent(), ANSWER_MS);
    this.#later = giveUp;
    answered.then((reason) => isAsking() && this.#answer(reason), silent);
  }

  /** @param {import('./refusal.js').Reason} reason */
  #answer({ refused, wrong }) {
    for (const [key, { channel }] of this.#wanted) {
      const refusal = wrong.get(channel);
      if (refusal) this.#refuse(key, refusal);
    }
    if (!refused) return this.#wait();
    if (!refused.isFinal) return this.#wait(refused.retryMs, refused.message);
    if (!this.#first) return this.#fail(refused.message, refused);
    // What is open stays open; only the change was refused.
    this.#cancelLater();
    this.error = refused.message;
    this.#changed();
  }

  /** @param {number} [retryMs] @param {string | null} [words] */
  #wait(retryMs, words = null) {
    this.#cancelLater();
    this.#isAgain = true;
    const isOffline = globalThis.navigator?.onLine === false;
    this.error = isOffline ? 'The browser is offline.' : (words ?? (this.#isDrained ? 'The gateway is being restarted.' : null));
    const least = this.#backoff.lost(performance.now(), Math.random());
    const delay = Math.min(Math.max(retryMs ?? 0, least), LONGEST_RETRY_MS);
    const timer = setTimeout(() => (this.#first ? this.#openNext() : this.#open()), delay);
    this.#later = () => clearTimeout(timer);
    this.#isWaiting = true;
    this.#changed();
  }

  #cancelLater() {
    this.#later?.();
    this.#later = null;
    this.#isWaiting = false;
  }

  /** Takes a stream that is silent for too long for lost, and comes back when the next may be. */
  #watch() {
    clearTimeout(this.#watchdog);
    const now = performance.now();
    let soonest = Infinity;
    for (const stream of [this.#first, this.#next]) {
      if (!stream) continue;
      const left = stream.patience(now);
      if (left <= 0) {
        stream.close();
        this.#lose(stream, false);
        this.#watch();
        return;
      }
      soonest = Math.min(soonest, left);
    }
    if (soonest < Infinity) this.#watchdog = Number(setTimeout(() => this.#watch(), Math.max(soonest, 1)));
  }

  // Changing what the open stream follows.

  /** Has the gateway send on the open stream what is wanted, and no more. */
  #revise() {
    const stream = this.#first;
    if (!stream?.opened || this.#next || stream.isChanging || this.#wanted.size === 0) return;
    if (this.#cover(stream)) this.#changed();
    const change = difference(stream.entries, this.#wanted, this.#refused);
    if (change.add.size === 0 && change.remove.size === 0) return;
    if (stream.isFixed) {
      // The next one is no narrower: only for what this one does not send at all.
      if (!this.#later && [...change.add.keys()].some((key) => !this.#isSent(stream, key))) {
        // That the gateway changes no stream was found out already.
        this.#openNext(true);
      }
      return;
    }
    stream.isChanging = true;
    this.#patch(stream, change).then((changed) => {
      stream.isChanging = false;
      if (stream !== this.#first) return;
      stream.isFixed = !changed;
      this.#changed();
      this.#revise();
    });
  }

  /**
   * Whether the stream was changed.
   * @param {Stream} stream
   * @param {import('./change.js').Change} change
   */
  async #patch(stream, change) {
    const answer = await applied(this.#endpoint, stream, change);
    if (!answer || stream !== this.#first) return answer !== null;
    for (const { key, entry, refusal } of answer.outcomes) {
      if (refusal === null) {
        stream.entries.set(key, entry);
        if (this.#wanted.has(key) && !this.#covered.has(key)) this.#covered.set(key, answer.fromId);
      } else if (this.#wanted.has(key)) {
        this.#refuse(key, refusal);
      }
    }
    return true;
  }

  /** @param {string} key @param {import('./refusal.js').Refusal} refusal */
  #refuse(key, refusal) {
    this.#refused.set(key, refusal);
    this.#covered.delete(key);
  }
}
