// The newest records of a feed, for those who draw them themselves.

import { chooses } from './entry.js';
import { compareIds } from './id.js';

/**
 * The newest records, at most so many: in the order of their ids, none twice. What `records` gives is never changed, so it can
 * be compared to know whether anything is new.
 */
export class Lines {
  #most;
  /** @type {readonly import('./item.js').LogRecord[]} */
  records = [];
  /** Where records are missing. @type {readonly import('./item.js').Gap[]} */
  gaps = [];

  /** @param {number} most */
  constructor(most) {
    this.#most = most;
  }

  /** Takes in what came; gives those of them that are new. @param {import('./item.js').Item[]} items */
  add(items) {
    let newest = this.records.at(-1)?.id;
    const records = [];
    const older = [];
    for (const { record } of items) {
      if (!record) continue;
      if (newest === undefined || compareIds(record.id, newest) > 0) {
        records.push(record);
        newest = record.id;
      } else {
        older.push(record);
      }
    }
    const gaps = items.flatMap(({ gap }) => (gap ? [gap] : []));
    const between = this.#new(older, records);
    if (between.length > 0) {
      // A channel that may be read only now has a past too.
      this.records = [...this.records, ...between, ...records].sort((a, b) => compareIds(a.id, b.id)).slice(-this.#most);
    } else if (records.length > 0) {
      this.records = [...this.records, ...records].slice(-this.#most);
    }
    const oldest = this.records[0]?.id;
    if (gaps.length > 0) this.gaps = [...this.gaps, ...gaps].filter((gap) => !oldest || compareIds(gap.to, oldest) >= 0);
    return [...between, ...records];
  }

  /**
   * Those that are not there and have room.
   * @param {import('./item.js').LogRecord[]} older
   * @param {import('./item.js').LogRecord[]} newer what comes beside them
   */
  #new(older, newer) {
    if (older.length === 0) return [];
    const known = new Set([...this.records, ...newer].map(({ id }) => id));
    const room = this.#most - known.size;
    return room > 0 ? older.filter(({ id }) => !known.has(id)).slice(-room) : [];
  }

  /** Forgets those of these channels and patterns, or all. @param {string[] | null} patterns */
  forget(patterns) {
    if (!patterns) return this.clear();
    const stays = (/** @type {{ channel: string }} */ { channel }) => !patterns.some((pattern) => chooses(pattern, channel));
    this.records = this.records.filter(stays);
    this.gaps = this.gaps.filter(stays);
  }

  /** Forgets all. */
  clear() {
    this.records = [];
    this.gaps = [];
  }
}
