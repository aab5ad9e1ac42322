// One stream, from the request on.

import { openSource } from './source.js';
import { isId, maxId } from './id.js';

/** How long a stream may take to open, in milliseconds. */
const OPEN_MS = 20_000;
/** A stream is lost when it is silent for this many heartbeats. */
const SILENT_HEARTBEATS = 2.5;
/** What a gateway that names no heartbeat is taken to have, and the longest that one is believed, in milliseconds. */
const USUAL_HEARTBEAT_MS = 15_000;
const LONGEST_HEARTBEAT_MS = 600_000;

/**
 * What a stream tells its connection.
 * @typedef {object} Ears
 * @property {(stream: Stream, event: { type: string }, text: string) => void} hear
 * @property {(stream: Stream, refused: boolean) => void} lose
 */

/** One stream: its source, what the gateway knows it follows, and how far it has come. */
export class Stream {
  /** What the gateway sends on it. @type {Map<string, import('./entry.js').Entry>} */
  entries;
  /** The reader's token it was asked for with. */
  token = '';
  /** Set by its first event; `reader`: who it is for, as the gateway says. @type {{ streamId: string, heartbeatMs: number, reader: string | null } | null} */
  opened = null;
  /** The id of its newest event. @type {string | null} */
  cursor = null;
  /** Whether the gateway would not change it: the next change takes a new stream. */
  isFixed = false;
  /** Why it was not even asked for. @type {unknown} */
  failure = null;
  /** Whether a change is under way. */
  isChanging = false;
  #madeAt = performance.now();
  #heardAt = performance.now();
  #close = () => {};
  #isClosed = false;

  /**
   * @param {string | Promise<string>} token
   * @param {(token: string) => string} urlWith
   * @param {Map<string, import('./entry.js').Entry>} entries
   * @param {boolean} withCredentials
   * @param {Ears} ears
   */
  constructor(token, urlWith, entries, withCredentials, ears) {
    this.entries = entries;
    /** @param {string} token */
    const open = (token) => {
      if (this.#isClosed) return;
      this.token = token;
      this.#close = openSource(
        urlWith(token),
        withCredentials,
        (data, id) => this.#hear(data, id, ears),
        (refused) => ears.lose(this, refused),
      );
    };
    if (typeof token === 'string') open(token);
    else
      token.then(open).catch((error) => {
        this.failure = error;
        ears.lose(this, false);
      });
  }

  /** @param {string} data @param {string} id @param {Ears} ears */
  #hear(data, id, ears) {
    this.#heardAt = performance.now();
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      // From a newer gateway, perhaps.
      event = null;
    }
    if (isId(id)) this.cursor = maxId(this.cursor, id);
    ears.hear(this, event ?? { type: 'unreadable' }, data);
  }

  /** The gateway has answered. @param {any} event its first */
  open({ stream_id, heartbeat_ms, user_id }) {
    const heartbeatMs = heartbeat_ms > 0 ? Math.min(Number(heartbeat_ms), LONGEST_HEARTBEAT_MS) : USUAL_HEARTBEAT_MS;
    const reader = typeof user_id === 'string' ? user_id : null;
    this.opened = { streamId: String(stream_id ?? ''), heartbeatMs, reader };
  }

  /** How many milliseconds ago it was asked for. @param {number} now */
  age(now) {
    return now - this.#madeAt;
  }

  /** How many milliseconds it may still be silent before it counts as lost. @param {number} now */
  patience(now) {
    const most = this.opened ? this.opened.heartbeatMs * SILENT_HEARTBEATS : OPEN_MS;
    return most - (now - this.#heardAt);
  }

  /** Whether it has been silent for longer than it should. @param {number} now */
  isLate(now) {
    return this.opened !== null && now - this.#heardAt > this.opened.heartbeatMs * 1.2;
  }

  /** Closes it; nothing is heard of it any more. */
  close() {
    this.#isClosed = true;
    this.#close();
  }
}
