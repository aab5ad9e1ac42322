'use strict';

// The records of one request.

const { randomUUID } = require('node:crypto');
const { promisify } = require('node:util');
const zlib = require('node:zlib');

const gzip = promisify(zlib.gzip);

/** A body of so many bytes is compressed. */
const GZIP_FROM_BYTES = 1024;
/** So long after a try that may have arrived, the gateway may have forgotten the batch's key. */
const UNCONFIRMED_MS = 9 * 60_000;

/** What is sent again is the same bytes with the same key, so that it is stored once. */
class Batch {
  key = randomUUID();
  /** @type {Buffer | null} */
  body = null;
  isGzip = false;
  /**
   * When a try was made that may have arrived, and has no answer. By the clock that stands still in a suspended machine, and by
   * the one that may be set.
   * @type {[number, number] | null}
   */
  #unanswered = null;

  /** @param {import('./record.js').QueuedRecord[]} records */
  constructor(records) {
    this.records = records;
  }

  get text() {
    return this.records.map(({ line }) => `${line}\n`).join('');
  }

  /** Makes the body, compressed outside of the event loop. */
  async encode() {
    const body = Buffer.from(this.text);
    const isGzip = body.length >= GZIP_FROM_BYTES;
    // Not a moment between the two: the end of the program may look.
    const made = isGzip ? await gzip(body, { level: zlib.constants.Z_BEST_SPEED }) : body;
    this.isGzip = isGzip;
    this.body = made;
  }

  unanswered() {
    this.#unanswered ??= [performance.now(), Date.now()];
  }

  /** Whether it may be stored already. Under another key it would be stored again. */
  get mayBeStored() {
    return this.#unanswered !== null;
  }

  /** Whether sending it again could store it twice. */
  get isUnconfirmed() {
    if (!this.#unanswered) return false;
    const [monotonic, wall] = this.#unanswered;
    return Math.max(performance.now() - monotonic, Date.now() - wall) >= UNCONFIRMED_MS;
  }

  /** Two batches with a key of their own, in order. */
  split() {
    const middle = Math.ceil(this.records.length / 2);
    return [new Batch(this.records.slice(0, middle)), new Batch(this.records.slice(middle))];
  }
}

module.exports = { Batch, GZIP_FROM_BYTES };
