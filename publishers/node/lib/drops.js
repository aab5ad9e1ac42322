'use strict';

// What was dropped, and what the gateway is still to be told of it.

const { NAMES } = require('./level.js');
const { recordOf } = require('./record.js');

/** Of more channels, what was dropped is counted for the first. */
const MOST_CHANNELS = 100;
const WARN = NAMES.indexOf('WARN');

/**
 * @typedef {'queue_full' | 'too_large' | 'refused' | 'unconfirmed' | 'closed'} Reason
 * @typedef {{ dropped: number, reasons: Record<string, number>, levels: Record<string, number> }} Untold
 */

class Drops {
  /** By reason, since the start. @type {Record<string, number>} */
  counts = {};
  /** By channel. @type {Map<string, Untold>} */
  #untold = new Map();

  /**
   * @param {string | null} channel nothing where no record can be told there
   * @param {number} rank
   * @param {Reason} reason
   */
  count(channel, rank, reason) {
    this.counts[reason] = (this.counts[reason] ?? 0) + 1;
    if (channel === null || reason === 'closed') return;
    const untold = this.#of(channel);
    untold.dropped += 1;
    untold.reasons[reason] = (untold.reasons[reason] ?? 0) + 1;
    untold.levels[NAMES[rank]] = (untold.levels[NAMES[rank]] ?? 0) + 1;
  }

  /** @param {string} channel */
  #of(channel) {
    let key = channel;
    if (!this.#untold.has(key) && this.#untold.size >= MOST_CHANNELS) key = this.#untold.keys().next().value ?? channel;
    const untold = this.#untold.get(key) ?? { dropped: 0, reasons: {}, levels: {} };
    this.#untold.set(key, untold);
    return untold;
  }

  get isTold() {
    return this.#untold.size === 0;
  }

  /** The records that tell it. Where they are not sent after all, `restore` takes them back. */
  take() {
    const notices = [...this.#untold].map(([channel, untold]) => {
      const message = `${untold.dropped} records dropped by the publisher`;
      const json = JSON.stringify({ timestamp: Date.now(), level: 'WARN', message, ...untold });
      return Object.assign(recordOf(channel, json, WARN, -1, true), { untold });
    });
    this.#untold.clear();
    return notices;
  }

  /** @param {import('./record.js').QueuedRecord & { untold?: Untold }} notice */
  restore({ channel, untold }) {
    if (!untold) return;
    const now = this.#of(channel);
    now.dropped += untold.dropped;
    for (const kind of /** @type {const} */ (['reasons', 'levels'])) {
      for (const [name, count] of Object.entries(untold[kind])) now[kind][name] = (now[kind][name] ?? 0) + count;
    }
  }
}

module.exports = { Drops };
