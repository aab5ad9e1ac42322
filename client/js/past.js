// What was published before a subscription joined the stream.

import { chooses, isPlain, wants } from './entry.js';
import { compareIds } from './id.js';
import { itemOf, placeOf } from './item.js';

/** The most records of one request. */
const PAGE = 10_000;
/** The most requests for an entry with conditions, which history finds by text only. */
const MOST_SEARCHES = 5;

/**
 * @typedef {import('./item.js').Item} Item
 * @typedef {import('./entry.js').Entry} Entry
 */

/**
 * The newest records of some entries after one id and up to another, at most so many, in order; with the
 * gap before them, where retention has taken what came after `after`.
 * @typedef {{ after: string | null, until: string, most: number }} Range
 * @param {import('./endpoint.js').Endpoint} endpoint
 * @param {Entry[]} entries
 * @param {Range} range
 * @param {AbortSignal} signal
 * @returns {Promise<Item[]>}
 */
export async function past(endpoint, entries, range, signal) {
  if (range.after && compareIds(range.after, range.until) >= 0) return [];
  const plain = entries.filter(isPlain).map((entry) => entry.channel);
  const parts = entries
    .filter((entry) => !isPlain(entry))
    .map((entry) => pages(endpoint, search(entry), (item) => isWanted(item, entry), range, signal));
  if (plain.length > 0) parts.push(pages(endpoint, { channels: plain.join(',') }, () => true, range, signal));
  const items = merged(await Promise.all(parts)).slice(-range.most);
  if (!range.after || items.length === range.most) return items;
  const channels = entries.map((entry) => entry.channel).join(',');
  const gaps = await endpoint.gaps(channels, range.after, range.until, signal);
  return [...gaps.map((gap) => ({ gap })), ...items];
}

/** @param {Entry} entry */
function search({ channel, level, where }) {
  const [text] = Object.values(where ?? {}).sort((a, b) => b.length - a.length);
  return { channels: channel, ...(level ? { level } : {}), ...(text ? { q: text } : {}) };
}

/** @param {Item} item @param {Entry} entry */
function isWanted({ record }, entry) {
  return record !== undefined && chooses(entry.channel, record.channel) && wants(entry, record);
}

/**
 * The same of one query.
 * @param {import('./endpoint.js').Endpoint} endpoint
 * @param {Record<string, string>} query
 * @param {(item: Item) => boolean} isWanted
 * @param {Range} range
 * @param {AbortSignal} signal
 */
async function pages(endpoint, query, isWanted, { after, until, most }, signal) {
  /** @param {Record<string, string>} bounds @param {number} limit */
  const page = async (bounds, limit) => {
    const lines = await endpoint.history({ ...query, ...bounds, limit: String(limit) }, signal);
    return lines.map(itemOf).filter((item) => item !== null);
  };
  if (after) {
    // Mostly little has come since, and all of it is one page.
    const limit = Math.min(most, PAGE);
    const first = await page({ after, until }, limit);
    if (first.length < limit) return first.filter(isWanted);
  }
  /** @type {Item[]} */
  let items = [];
  let bound = /** @type {Record<string, string>} */ ({ until });
  for (let request = 0; items.length < most && (request < MOST_SEARCHES || !query.q); request += 1) {
    const limit = Math.min(most - items.length, PAGE);
    const older = await page(bound, limit);
    const isNew = (/** @type {Item} */ item) => !after || compareIds(placeOf(item), after) > 0;
    items = [...older.filter((item) => isNew(item) && isWanted(item)), ...items];
    if (older.length < limit || !isNew(older[0])) break;
    bound = { before: placeOf(older[0]) };
  }
  return items;
}

/** All of them in order, none twice. @param {Item[][]} parts */
export function merged(parts) {
  if (parts.length === 1) return parts[0];
  const items = parts.flat().sort((a, b) => compareIds(placeOf(a), placeOf(b)));
  // Gaps of several channels may begin in one place.
  return items.filter((item, place) => place === 0 || item.gap || placeOf(item) !== placeOf(items[place - 1]));
}
