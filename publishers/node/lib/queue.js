'use strict';

// The records that wait, within bounds.

/** @typedef {import('./record.js').QueuedRecord} QueuedRecord */

/** Records of one level in the order of their calls. Linked, so that either end costs the same whatever is between. */
class Line {
  /** @type {QueuedRecord | null} */
  first = null;
  /** @type {QueuedRecord | null} */
  #last = null;
  bytes = 0;
  count = 0;

  /** @param {QueuedRecord} record */
  push(record) {
    if (this.#last) this.#last.next = record;
    else this.first = record;
    this.#last = record;
    this.bytes += record.bytes;
    this.count += 1;
  }

  /** @returns {QueuedRecord} */
  shift() {
    const record = /** @type {QueuedRecord} */ (this.first);
    this.first = record.next;
    if (!this.first) this.#last = null;
    record.next = null;
    this.bytes -= record.bytes;
    this.count -= 1;
    return record;
  }
}

/** At most `maxRecords` and `maxBytes`, what was taken out to be sent included until it is done. */
class Queue {
  #lines = Array.from({ length: 6 }, () => new Line());
  #maxRecords;
  #maxBytes;
  /** Of all that wait. */
  waiting = 0;
  waitingBytes = 0;
  /** And with what is being sent. */
  count = 0;
  bytes = 0;

  /** @param {number} maxRecords @param {number} maxBytes */
  constructor(maxRecords, maxBytes) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a record in, in the place of the oldest of the lowest level where there is no room.
   * @param {QueuedRecord} record
   * @param {(dropped: QueuedRecord) => void} drop is given what has no place, perhaps the record itself
   */
  offer(record, drop) {
    if (!this.#fits(record)) {
      if (!this.#couldFit(record)) return drop(record);
      while (!this.#fits(record)) {
        const lowest = /** @type {Line} */ (this.#lines.find((line) => line.first));
        const dropped = lowest.shift();
        this.#left(dropped);
        this.done(dropped);
        drop(dropped);
      }
    }
    this.#lines[record.rank].push(record);
    this.waiting += 1;
    this.waitingBytes += record.bytes;
    this.count += 1;
    this.bytes += record.bytes;
  }

  /** @param {QueuedRecord} record */
  #fits(record) {
    return this.count < this.#maxRecords && this.bytes + record.bytes <= this.#maxBytes;
  }

  /** Whether it would fit without all that waits and is no graver. @param {QueuedRecord} record */
  #couldFit(record) {
    let { count, bytes } = this;
    for (let rank = 0; rank <= record.rank; rank += 1) {
      count -= this.#lines[rank].count;
      bytes -= this.#lines[rank].bytes;
    }
    return count < this.#maxRecords && bytes + record.bytes <= this.#maxBytes;
  }

  /** The line whose first record is the oldest that waits. */
  #oldest() {
    /** @type {Line | null} */
    let oldest = null;
    for (const line of this.#lines) if (line.first && (!oldest?.first || line.first.order < oldest.first.order)) oldest = line;
    return oldest;
  }

  /** The order of the oldest record that waits. */
  get order() {
    return this.#oldest()?.first?.order ?? Infinity;
  }

  /** Takes out the oldest that together are within the bounds, in the order of their calls. @param {number} most @param {number} mostBytes */
  take(most, mostBytes) {
    /** @type {QueuedRecord[]} */
    const taken = [];
    for (let bytes = 0; taken.length < most; ) {
      const line = this.#oldest();
      if (!line?.first) break;
      bytes += line.first.bytes;
      if (taken.length > 0 && bytes > mostBytes) break;
      const record = line.shift();
      this.#left(record);
      taken.push(record);
    }
    return taken;
  }

  /** @param {QueuedRecord} record */
  #left(record) {
    this.waiting -= 1;
    this.waitingBytes -= record.bytes;
  }

  /** What was taken out is sent, or dropped. @param {QueuedRecord} record */
  done(record) {
    this.count -= 1;
    this.bytes -= record.bytes;
  }
}

module.exports = { Queue };
