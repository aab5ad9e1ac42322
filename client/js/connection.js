// Keeps one stream open, whatever happens to it.

import { Backoff } from './backoff.js';
import { Refused, detail } from './endpoint.js';
import { isPlain, toWire } from './entry.js';
import { compareIds, maxId } from './id.js';
import { placeOf } from './item.js';
import { Stream } from './stream.js';

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
  /** Entries that the gateway refused, and why. @type {Map<string, string>} */
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

  /** What is wrong, in a sentence. @type {string | null} */
  error = null;
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
      this.retry();
    } else {
      this.#revise();
    }
  }

  /** Tries again at once, also after an error. */
  retry() {
    if (this.#wanted.size === 0 || this.#isSuspended) return;
    this.#backoff.startOver();
    if (!this.#first) {
      this.#hasFailed = false;
      this.#open();
    }
  }

  /** Something has changed for the better: waits no longer, and trusts no stream that may be dead. @param {boolean} trustsNone */
  wake(trustsNone) {
    if (!this.#first && this.#isWaiting) this.retry();
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
    this.retry();
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
    this.#hasFailed = this.#isAgain = this.#isDrained = false;
    this.error = null;
  }

  #changed() {
    this.#listener.changed();
  }

  // Opening, and handing over.

  #request() {
    const entries = new Map();
    for (const [key, entry] of this.#wanted) {
      // A URL has no conditions: the stream starts with all of the channel, and is narrowed once it is open.
      if (!this.#refused.has(key)) entries.set(entry.channel, { channel: entry.channel });
    }
    const url = this.#endpoint.streamUrl(entries.keys(), this.position);
    return new Stream(url, entries, this.#endpoint.withCredentials, {
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

  /** Opens the stream that will take over from the one that is read. */
  #openNext() {
    this.#cancelLater();
    this.#next?.close();
    this.#next = this.#try();
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
    this.#first?.close();
    this.#first = next;
    this.#next = null;
    if (next.opened) this.#onOpen(next);
  }

  /** The stream that is read is open. @param {Stream} stream */
  #onOpen(stream) {
    const since = this.position ?? stream.cursor;
    for (const key of this.#wanted.keys()) {
      if (since && !this.#covered.has(key) && !this.#refused.has(key) && this.#isSent(stream, key)) {
        this.#covered.set(key, since);
      }
    }
    this.position = since;
    this.#isDrained = false;
    this.#backoff.opened(performance.now());
    this.error = null;
    this.#changed();
    this.#revise();
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
        this.#tell({ record: event, text });
        break;
      case 'gap':
        this.#tell({ gap: { channel: event.channel, from: event.from, to: event.to, reason: event.reason } });
        break;
      case 'connection':
        stream.opened = { streamId: event.stream_id, heartbeatMs: event.heartbeat_ms };
        if (stream === this.#first) this.#onOpen(stream);
        else this.#promote(stream);
        this.#watch();
        break;
      case 'drain':
        this.#isDrained = true;
        this.#renew();
        break;
      case 'expiring':
        this.#renew();
        break;
      case 'heartbeat':
      case 'caught_up':
        if (stream === this.#first) {
          this.#advance(stream);
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
    const known = item.gap ? item.gap.to : placeOf(item);
    if (this.position && compareIds(known, this.position) <= 0) return;
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
    this.#fail(`The gateway ended the stream: ${String(event.reason).replaceAll('_', ' ')}.`);
  }

  /** @param {string} words */
  #fail(words) {
    this.#reset();
    this.#hasFailed = true;
    this.error = words;
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
        else this.#wait(retryMs);
      }
      this.#changed();
    }
  }

  /** Finds out why there is no stream: `EventSource` tells neither status nor body. */
  #ask() {
    this.#cancelLater();
    const question = new AbortController();
    this.#later = () => question.abort();
    this.#isWaiting = false;
    const answered = this.#question(question.signal);
    answered.then(
      (refused) => !question.signal.aborted && this.#answer(refused),
      () => !question.signal.aborted && this.#wait(undefined, 'The gateway cannot be reached.'),
    );
  }

  /** @param {AbortSignal} signal */
  async #question(signal) {
    const channels = [...this.#wanted.values()].map((entry) => entry.channel);
    const url = await this.#endpoint.streamUrl(new Set(channels), this.position);
    const credentials = this.#endpoint.withCredentials ? 'include' : 'same-origin';
    const answer = await fetch(url, { headers: { accept: 'text/event-stream' }, credentials, signal });
    if (!answer.ok) return new Refused(answer.status, await detail(answer));
    // It has become a stream that nobody reads.
    await answer.body?.cancel();
    const type = answer.headers.get('content-type') ?? '';
    return type.startsWith('text/event-stream') ? null : new Refused(0, 'what answers there is no log gateway');
  }

  /** @param {Refused | null} refused */
  #answer(refused) {
    if (!refused) return this.#wait();
    if (!refused.isFinal) return this.#wait(undefined, refused.message);
    if (!this.#first) return this.#fail(refused.message);
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
    const delay = retryMs ?? this.#backoff.lost(performance.now(), Math.random());
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
    const change = this.#difference(stream);
    if (change.add.size === 0 && change.remove.size === 0) return;
    if (stream.isFixed) {
      if (change.add.size > 0 && !this.#later) this.#openNext();
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

  /** @param {Stream} stream */
  #difference(stream) {
    const add = new Map([...this.#wanted].filter(([key]) => !stream.entries.has(key) && !this.#refused.has(key)));
    const remove = new Map([...stream.entries].filter(([key]) => !this.#wanted.has(key)));
    // To remove an entry that wants everything removes the narrower ones of the same pattern along with it.
    const wide = new Set([...remove.values()].filter(isPlain).map((entry) => entry.channel));
    for (const [key, entry] of this.#wanted) {
      if (stream.entries.has(key) && !isPlain(entry) && wide.has(entry.channel)) add.set(key, entry);
    }
    return { add, remove };
  }

  /**
   * Whether the stream was changed.
   * @param {Stream} stream
   * @param {{ add: Map<string, Entry>, remove: Map<string, Entry> }} change
   */
  async #patch(stream, { add, remove }) {
    let answer;
    try {
      const entries = (/** @type {Map<string, Entry>} */ map) => [...map.values()].map(toWire);
      answer = await this.#endpoint.change(stream.opened?.streamId ?? '', { add: entries(add), remove: entries(remove) });
    } catch {
      return false;
    }
    for (const key of remove.keys()) stream.entries.delete(key);
    let place = 0;
    for (const [key, entry] of add) {
      const result = answer.results?.[place++];
      if (result?.status === 'added' || result?.status === 'unchanged') {
        stream.entries.set(key, entry);
        if (this.#wanted.has(key) && !this.#covered.has(key)) this.#covered.set(key, answer.from_id);
      } else {
        this.#refused.set(key, `${entry.channel}: ${result?.status === 'denied' ? 'may not be read' : (result?.code ?? 'was refused')}`);
      }
    }
    return true;
  }
}
