// The newest records of a feed, for those who draw them themselves.

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

  /** Takes in what came, in the order of ids; what is there already is passed over. @param {import('./item.js').Item[]} items */
  add(items) {
    let newest = this.records.at(-1)?.id;
    const records = [];
    for (const { record } of items) {
      if (!record || (newest !== undefined && compareIds(record.id, newest) <= 0)) continue;
      records.push(record);
      newest = record.id;
    }
    const gaps = items.flatMap(({ gap }) => (gap ? [gap] : []));
    if (records.length > 0) this.records = [...this.records, ...records].slice(-this.#most);
    const oldest = this.records[0]?.id;
    if (gaps.length > 0) this.gaps = [...this.gaps, ...gaps].filter((gap) => !oldest || compareIds(gap.to, oldest) >= 0);
    return records;
  }

  /** Forgets all. */
  clear() {
    this.records = [];
    this.gaps = [];
  }
}
