// Lines that outlive the page, in IndexedDB.

import { compareIds } from './id.js';
import { itemOf, placeOf } from './item.js';

const DATABASE = 'logs-sse-gateway';
const VERSION = 1;
/** Per selection of channels: how far it was read, and its blocks. */
const FEEDS = 'feeds';
/** Blocks of lines, by the feed's name and a number. */
const BLOCKS = 'blocks';
/** The most selections that are kept; the one that was used longest ago goes first. */
const MOST_FEEDS = 32;
/** The most characters of one selection's lines. */
const MOST_CHARS = 8 * 1024 * 1024;
/** What comes within so many milliseconds is written together. */
const TOGETHER_MS = 500;

/**
 * @typedef {import('./item.js').Item} Item
 * @typedef {{ number: number, lines: number, chars: number }} Block
 * @typedef {{ name: string, cursor: string | null, usedAt: number, blocks: Block[] }} Feed
 */

/**
 * The newest lines of one selection of channels, with the id up to which they are complete.
 *
 * Lines and cursor are written in one transaction, and only what comes after the cursor that is there:
 * so several tabs may write the same selection, and a page that ends in the middle resumes exactly.
 */
export class Archive {
  #database;
  #name;
  #most;
  /** @type {Item[]} */
  #items = [];
  /** @type {string | null} */
  #cursor = null;
  #timer = 0;

  /**
   * Opens it. Browsers may have none: in private windows, or where a page may store nothing.
   * @param {string} name tells selections apart
   * @param {number} most how many lines are kept
   * @returns {Promise<Archive | null>}
   */
  static async open(name, most) {
    try {
      return new Archive(await database(), name, most);
    } catch {
      return null;
    }
  }

  /** @param {IDBDatabase} database @param {string} name @param {number} most */
  constructor(database, name, most) {
    this.#database = database;
    this.#name = name;
    this.#most = most;
    globalThis.addEventListener?.('pagehide', this.#onHide);
  }

  /** What was kept: lines in order, and the id up to which they are complete. */
  async load() {
    const transaction = this.#database.transaction([FEEDS, BLOCKS]);
    const feed = /** @type {Feed | undefined} */ (await asked(transaction.objectStore(FEEDS).get(this.#name)));
    const blocks = /** @type {{ texts: string[] }[]} */ (
      await asked(transaction.objectStore(BLOCKS).getAll(blocksOf(this.#name)))
    );
    const items = blocks.flatMap((block) => block.texts.map(read)).filter((item) => item !== null);
    return { items: items.slice(-this.#most), cursor: feed?.cursor ?? null };
  }

  /** Keeps these too; everything up to `cursor` has now been given. @param {Item[]} items @param {string} cursor */
  write(items, cursor) {
    for (const item of items) this.#items.push(item);
    if (this.#items.length > 2 * this.#most) this.#items.splice(0, this.#items.length - this.#most);
    this.#cursor = cursor;
    this.#timer ||= Number(setTimeout(() => this.flush(), TOGETHER_MS));
  }

  /** Writes what waits. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const cursor = this.#cursor;
    if (cursor === null) return Promise.resolve();
    const items = this.#items.splice(0).slice(-this.#most);
    this.#cursor = null;
    // What could not be kept is asked for again: the cursor stays behind with it.
    return this.#append(items, cursor).catch(() => {});
  }

  /** Writes what waits and lets go. */
  close() {
    globalThis.removeEventListener?.('pagehide', this.#onHide);
    this.flush().then(() => this.#database.close());
  }

  #onHide = () => {
    this.flush();
  };

  /** @param {Item[]} items @param {string} cursor */
  async #append(items, cursor) {
    const transaction = this.#database.transaction([FEEDS, BLOCKS], 'readwrite', { durability: 'relaxed' });
    const feeds = transaction.objectStore(FEEDS);
    const blocks = transaction.objectStore(BLOCKS);
    /** @type {Feed} */
    const feed = (await asked(feeds.get(this.#name))) ?? { name: this.#name, cursor: null, usedAt: 0, blocks: [] };
    if (feed.blocks.length === 0) await forgetOld(feeds, blocks);
    const known = feed.cursor;
    const texts = items.filter((item) => !known || compareIds(endOf(item), known) > 0).map(written);
    if (texts.length > 0) {
      const number = (feed.blocks.at(-1)?.number ?? 0) + 1;
      const chars = texts.reduce((sum, text) => sum + text.length, 0);
      blocks.put({ texts }, [this.#name, number]);
      feed.blocks.push({ number, lines: texts.length, chars });
    }
    while (isSpare(feed.blocks, this.#most)) blocks.delete([this.#name, feed.blocks.shift()?.number ?? 0]);
    if (!known || compareIds(cursor, known) > 0) feed.cursor = cursor;
    feed.usedAt = Date.now();
    feeds.put(feed);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** Whether the oldest block can go: enough lines are in the others, or there are too many characters. @param {Block[]} blocks @param {number} most */
function isSpare([oldest, ...others], most) {
  if (others.length === 0) return false;
  const sum = (/** @type {'lines' | 'chars'} */ what) => others.reduce((sum, block) => sum + block[what], 0);
  return sum('lines') >= most || sum('chars') + oldest.chars > MOST_CHARS;
}

/** Makes room for one more selection. @param {IDBObjectStore} feeds @param {IDBObjectStore} blocks */
async function forgetOld(feeds, blocks) {
  const all = /** @type {Feed[]} */ (await asked(feeds.getAll()));
  const old = all.sort((a, b) => b.usedAt - a.usedAt).slice(MOST_FEEDS - 1);
  for (const { name } of old) {
    feeds.delete(name);
    blocks.delete(blocksOf(name));
  }
}

/** @param {string} name */
function blocksOf(name) {
  return IDBKeyRange.bound([name], [name, []]);
}

/** @param {Item} item */
function endOf(item) {
  return item.gap ? item.gap.to : placeOf(item);
}

/** @param {Item} item */
function written(item) {
  return item.text ?? JSON.stringify({ gap: item.gap });
}

/** @param {string} text @returns {Item | null} */
function read(text) {
  return text.startsWith('{"gap":') ? { gap: JSON.parse(text).gap } : itemOf(text);
}

function database() {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(FEEDS, { keyPath: 'name' });
    request.result.createObjectStore(BLOCKS);
  };
  return asked(request).then((database) => {
    // A later version, in another tab, must not wait for this one.
    database.onversionchange = () => database.close();
    return database;
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
