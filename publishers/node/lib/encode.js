'use strict';

// A record as it goes over the wire, whatever the caller passed in.

const { types } = require('node:util');

/** A record of more bytes is not taken by the gateway. */
const MOST_BYTES = 256 * 1024;
/** Deeper than this, a value is named and not written. */
const MOST_DEPTH = 60;
/** Of binary data, so much is shown. */
const SHOWN_BYTES = 32;
/** What ends the encoding of a record that cannot fit, however large what was passed in is. */
const TOO_LARGE = Symbol('too large');

/**
 * Whether `JSON.stringify` writes the value as it should be written. Most are such, and it is the fastest.
 * @param {any} value
 * @param {number} depth
 * @param {{ left: number }} room what the record's text may still have; below 0 it is too large
 * @returns {boolean}
 */
function isPlain(value, depth, room) {
  switch (typeof value) {
    case 'string':
      room.left -= value.length;
      return room.left >= 0;
    case 'number':
      room.left -= 1;
      return Number.isFinite(value);
    case 'boolean':
    case 'undefined':
      return true;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= MOST_DEPTH) return false;
  if (Array.isArray(value)) {
    // A hole or `undefined` becomes `null`, which is right. A subclass may have a `toJSON`.
    if ('toJSON' in value) return false;
    room.left -= value.length;
    if (room.left < 0) return false;
    for (let index = 0; index < value.length; index += 1) if (!isPlain(value[index], depth + 1, room)) return false;
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || value.toJSON !== undefined) return false;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item === undefined) continue;
    room.left -= key.length + 3;
    if (!isPlain(item, depth + 1, room)) return false;
  }
  return true;
}

/** Writes JSON of anything. */
class Writer {
  #left = MOST_BYTES;
  /** What the value is within. @type {object[]} */
  #within = [];

  /**
   * Nothing where JSON leaves the value out.
   * @param {any} value
   * @param {string} key
   * @param {boolean} isNamed whether an object of a class is only named
   * @returns {string | undefined}
   */
  write(value, key = '', isNamed = false) {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        return this.#take(Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`);
      case 'boolean':
        return this.#take(String(value));
      case 'bigint':
      case 'symbol':
        return this.#text(String(value));
      case 'function':
        return this.#text(`[function ${nameOf(value)}]`);
      case 'undefined':
        return undefined;
      default:
        if (value === null) return this.#take('null');
    }
    if (this.#within.includes(value)) return this.#text('[circular]');
    if (this.#within.length >= MOST_DEPTH) return this.#text('[too deep]');
    this.#within.push(value);
    try {
      return this.#object(value, key, isNamed);
    } catch (error) {
      if (error === TOO_LARGE) throw error;
      // A getter, a `toJSON` or a proxy that throws.
      return this.#text('[unreadable]');
    } finally {
      this.#within.pop();
    }
  }

  /** @param {any} value @param {string} key @param {boolean} isNamed */
  #object(value, key, isNamed) {
    if (types.isDate(value)) return this.#text(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString());
    if (types.isNativeError(value) || value instanceof Error) return this.#error(value);
    if (types.isBoxedPrimitive(value)) return this.write(value.valueOf(), key);
    if (types.isRegExp(value)) return this.#text(String(value));
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return this.#text(bytesOf(value));
    const prototype = Object.getPrototypeOf(value);
    const isOfClass = prototype !== null && Object.getPrototypeOf(prototype) !== null;
    if (isNamed && isOfClass && !Array.isArray(value)) return this.#text(`[${nameOf(value.constructor)}]`);
    if (typeof value.toJSON === 'function') {
      const other = value.toJSON(key);
      // One that gives itself has said that it can be written as it is.
      if (other !== value) return this.write(other, key);
    }
    if (Array.isArray(value)) return this.#list(value);
    if (types.isSet(value)) return this.#list([...value]);
    if (types.isMap(value)) return this.#entries([...value].map(([name, item]) => [String(name), () => item]));
    if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value)) return this.#text(`[${nameOf(value.constructor)}]`);
    const names = Object.keys(value);
    if (names.length === 0 && isOfClass && value.toString !== Object.prototype.toString) return this.#text(String(value));
    return this.#entries(names.map((name) => [name, () => value[name]]));
  }

  /**
   * What is known of an error. Of what others have hung on it, objects of a class are only named: these are requests and
   * sockets, large and with secrets inside.
   * @param {any} error
   */
  #error(error) {
    /** @type {[string, () => unknown][]} */
    const entries = [
      ['type', () => error.name],
      ['message', () => error.message],
      ['stack', () => error.stack],
    ];
    const isWritten = new Set(['type', 'name', 'message', 'stack']);
    for (const name of ['cause', 'errors'])
      if (Object.hasOwn(error, name) && !Object.keys(error).includes(name)) entries.push([name, () => error[name]]);
    for (const name of Object.keys(error)) if (!isWritten.has(name)) entries.push([name, () => error[name]]);
    return this.#entries(entries, true);
  }

  /** @param {unknown[]} items */
  #list(items) {
    this.#spend(items.length + 1);
    const texts = [];
    for (let index = 0; index < items.length; index += 1) texts.push(this.write(items[index], String(index)) ?? 'null');
    return `[${texts.join(',')}]`;
  }

  /** @param {[string, () => unknown][]} entries @param {boolean} isNamed */
  #entries(entries, isNamed = false) {
    this.#spend(2);
    const texts = [];
    for (const [name, read] of entries) {
      let text;
      try {
        text = this.write(read(), name, isNamed);
      } catch (error) {
        if (error === TOO_LARGE) throw error;
        text = this.#text('[unreadable]');
      }
      if (text !== undefined) texts.push(`${this.#text(name)}:${text}`);
    }
    return `{${texts.join(',')}}`;
  }

  /** @param {string} text */
  #text(text) {
    // Before it is escaped: a text of many megabytes costs nothing.
    this.#spend(text.length);
    return JSON.stringify(text);
  }

  /** @param {string} text */
  #take(text) {
    this.#spend(text.length);
    return text;
  }

  /** @param {number} bytes */
  #spend(bytes) {
    this.#left -= bytes;
    if (this.#left < 0) throw TOO_LARGE;
  }
}

/** @param {any} made */
function nameOf(made) {
  const name = made?.name;
  return typeof name === 'string' && name !== '' ? name : 'anonymous';
}

/** @param {any} data */
function bytesOf(data) {
  const bytes = ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
  const more = bytes.length > SHOWN_BYTES ? '…' : '';
  return `[${nameOf(data.constructor)} of ${bytes.length} bytes: ${bytes.toString('hex', 0, SHOWN_BYTES)}${more}]`;
}

/**
 * The JSON of a value, at most about 256 KiB of it.
 * @param {any} value
 * @returns {string | typeof TOO_LARGE}
 */
function jsonOf(value) {
  const room = { left: MOST_BYTES };
  let text;
  try {
    if (isPlain(value, 0, room)) text = JSON.stringify(value);
  } catch {
    // The writer finds out which part it was.
  }
  if (room.left < 0) return TOO_LARGE;
  try {
    text ??= new Writer().write(value) ?? 'null';
  } catch (error) {
    if (error === TOO_LARGE) return TOO_LARGE;
    text = '{"message":"[unreadable]"}';
  }
  // Half a character is no text: the gateway would refuse the record.
  if (text.includes('\\ud')) text = text.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, half) => (half ? '\ufffd' : escape));
  return text;
}

module.exports = { MOST_BYTES, TOO_LARGE, jsonOf };
