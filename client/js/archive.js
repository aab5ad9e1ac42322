// Lines that outlive the page, in IndexedDB.

import { chooses } from './entry.js';
import { compareIds } from './id.js';
import { endOf, isGap, itemOf } from './item.js';

const DATABASE = 'logs-sse-gateway';
/** Version 1 did not know whose the lines were: what it kept is dropped. */
const VERSION = 2;
/** Per selection of channels: how far it was read, and its blocks. */
const FEEDS = 'feeds';
/** Blocks of lines, by the feed's name and a number. */
const BLOCKS = 'blocks';
/** The most selections that are kept; the one that was used longest ago goes first. */
const MOST_FEEDS = 32;
/** The most characters of one selection's lines. */
const MOST_CHARS = 8 * 1024 * 1024;
/** The most characters of one block, but for a single longer line: what is forgotten is forgotten by blocks. */
const BLOCK_CHARS = MOST_CHARS / 16;
/** A browser that takes longer to open it or to read from it is one without, in milliseconds. */
const PATIENCE_MS = 3_000;
/** What comes within so many milliseconds is written together. */
const TOGETHER_MS = 500;

/**
 * @typedef {import('./item.js').Item} Item
 * @typedef {{ number: number, lines: number, chars: number }} Block
 * @typedef {{ name: string, reader: string | null, cursor: string | null, usedAt: number, blocks: Block[] }} Feed
 *   `reader`: who the lines were given to, as the gateway said.
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
  /** Who reads now. @type {string | null} */
  #reader = null;
  #timer = 0;
  /** The write that is under way: the next one waits, so that its cursor is not ahead of lines that could not be kept. @type {Promise<void> | null} */
  #writing = null;

  /**
   * Opens it. Browsers may have none: in private windows, or where a page may store nothing.
   * @param {string} name tells selections apart
   * @param {number} most how many lines are kept
   * @returns {Promise<Archive | null>}
   */
  static async open(name, most) {
    try {
      const opened = database();
      const opening = await inTime(opened);
      // One that another page keeps from opening: it may yet come, and is then nobody's.
      if (!opening) opened.then((late) => late.close(), () => {});
      return opening && new Archive(opening, name, most);
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

  /** What was kept: lines in order, and the id up to which they are complete. None where that cannot be had soon. */
  load() {
    return inTime(this.#load()).catch(() => null);
  }

  async #load() {
    const transaction = this.#database.transaction([FEEDS, BLOCKS]);
    const feed = /** @type {Feed | undefined} */ (await asked(transaction.objectStore(FEEDS).get(this.#name)));
    const blocks = /** @type {{ texts: string[] }[]} */ (
      await asked(transaction.objectStore(BLOCKS).getAll(blocksOf(this.#name)))
    );
    const items = blocks.flatMap((block) => block.texts.map(read)).filter((item) => item !== null);
    return { items: items.slice(-this.#most), cursor: feed?.cursor ?? null, reader: feed?.reader ?? null };
  }

  /**
   * Keeps these too; everything up to `cursor` has now been given to `reader`, and what is kept of another goes.
   * @param {Item[]} items
   * @param {string} cursor
   * @param {string | null} reader
   */
  write(items, cursor, reader) {
    this.#reader = reader;
    for (const item of items) this.#items.push(item);
    if (this.#items.length > 2 * this.#most) this.#items.splice(0, this.#items.length - this.#most);
    this.#cursor = cursor;
    this.#timer ||= Number(setTimeout(() => this.flush(), TOGETHER_MS));
  }

  /** Writes what waits. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write() {
    const cursor = this.#cursor;
    if (cursor === null) return;
    const items = this.#items.splice(0).slice(-this.#most);
    this.#cursor = null;
    try {
      await this.#append(items, cursor);
      if (this.#cursor) this.#timer ||= Number(setTimeout(() => this.flush(), TOGETHER_MS));
    } catch {
      // The cursor stays behind with what could not be kept: it goes with the next, or is asked for again.
      this.#items = [...items, ...this.#items].slice(-this.#most);
      this.#cursor ??= cursor;
    }
  }

  /**
   * Forgets what is kept of these channels and patterns, or all.
   * @param {string[] | null} patterns
   */
  async forget(patterns) {
    const stays = (/** @type {Item} */ item) => patterns !== null && !isChosen(item, patterns);
    this.#items = this.#items.filter(stays);
    if (patterns === null) this.#cursor = null;
    // Where it cannot be written, it cannot be read either.
    await this.#writing;
    await this.#forget(patterns, stays).catch(() => {});
  }

  /** @param {string[] | null} patterns @param {(item: Item) => boolean} stays */
  async #forget(patterns, stays) {
    const transaction = this.#database.transaction([FEEDS, BLOCKS], 'readwrite');
    const feeds = transaction.objectStore(FEEDS);
    const blocks = transaction.objectStore(BLOCKS);
    const feed = /** @type {Feed | undefined} */ (await asked(feeds.get(this.#name)));
    if (!feed) return;
    if (patterns === null) {
      feeds.delete(this.#name);
      blocks.delete(blocksOf(this.#name));
    } else {
      for (const block of feed.blocks) {
        const { texts } = await asked(blocks.get([this.#name, block.number]));
        const kept = texts.filter((/** @type {string} */ text) => {
          const item = read(text);
          return item !== null && stays(item);
        });
        block.lines = kept.length;
        block.chars = kept.reduce((/** @type {number} */ sum, /** @type {string} */ text) => sum + text.length, 0);
        blocks.put({ texts: kept }, [this.#name, block.number]);
      }
      feeds.put(feed);
    }
    await completed(transaction);
  }

  /** Writes what waits and lets go. */
  async close() {
    globalThis.removeEventListener?.('pagehide', this.#onHide);
    await this.flush();
    await this.flush();
    clearTimeout(this.#timer);
    this.#database.close();
  }

  #onHide = () => {
    this.flush();
  };

  /** @param {Item[]} items @param {string} cursor */
  async #append(items, cursor) {
    const transaction = this.#database.transaction([FEEDS, BLOCKS], 'readwrite', { durability: 'relaxed' });
    const feeds = transaction.objectStore(FEEDS);
    const blocks = transaction.objectStore(BLOCKS);
    /** @type {Feed | undefined} */
    let feed = await asked(feeds.get(this.#name));
    if (feed && feed.reader !== this.#reader) {
      blocks.delete(blocksOf(this.#name));
      feed = undefined;
    }
    feed ??= { name: this.#name, reader: this.#reader, cursor: null, usedAt: 0, blocks: [] };
    if (feed.blocks.length === 0) await forgetOld(feeds, blocks);
    const known = feed.cursor;
    const texts = items.filter((item) => !known || compareIds(endOf(item), known) > 0).map(written);
    for (const block of inBlocks(texts)) {
      const number = (feed.blocks.at(-1)?.number ?? 0) + 1;
      blocks.put({ texts: block.texts }, [this.#name, number]);
      feed.blocks.push({ number, lines: block.texts.length, chars: block.chars });
    }
    while (isSpare(feed.blocks, this.#most)) blocks.delete([this.#name, feed.blocks.shift()?.number ?? 0]);
    if (!known || compareIds(cursor, known) > 0) feed.cursor = cursor;
    feed.usedAt = Date.now();
    feeds.put(feed);
    await completed(transaction);
  }
}

/** @param {IDBTransaction} transaction */
function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Whether an item is of any of these channels and patterns. @param {Item} item @param {string[]} patterns */
function isChosen({ record, gap }, patterns) {
  const channel = record ? record.channel : gap.channel;
  return patterns.some((pattern) => chooses(pattern, channel));
}

/** @param {string[]} texts */
function inBlocks(texts) {
  const all = [];
  let last = null;
  for (const text of texts) {
    if (!last || last.chars + text.length > BLOCK_CHARS) all.push((last = { texts: /** @type {string[]} */ ([]), chars: 0 }));
    last.texts.push(text);
    last.chars += text.length;
  }
  return all;
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
function written(item) {
  return item.text ?? JSON.stringify({ gap: item.gap });
}

/** @param {string} text @returns {Item | null} */
function read(text) {
  const item = itemOf(text);
  if (item || !text.startsWith('{"gap":')) return item;
  const { gap } = JSON.parse(text);
  return isGap(gap) ? { gap } : null;
}

function database() {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    const { result } = request;
    for (const store of [...result.objectStoreNames]) result.deleteObjectStore(store);
    result.createObjectStore(FEEDS, { keyPath: 'name' });
    result.createObjectStore(BLOCKS);
  };
  return asked(request).then((database) => {
    // A later version, in another tab, must not wait for this one.
    database.onversionchange = () => database.close();
    return database;
  });
}

/** Nothing where it takes too long. @template T @param {Promise<T>} awaited @returns {Promise<T | null>} */
function inTime(awaited) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    awaited.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
