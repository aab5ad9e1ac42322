'use strict';

// What a call publishes, as a line of the request.

const { types } = require('node:util');

const { MOST_BYTES, TOO_LARGE, jsonOf } = require('./encode.js');
const { rankOf } = require('./level.js');

/**
 * A record that waits, or is being sent.
 * @typedef {object} QueuedRecord
 * @property {string} line
 * @property {number} bytes of the line, in UTF-8
 * @property {string} channel
 * @property {number} rank of its level
 * @property {number} order of the call
 * @property {boolean} isNotice whether the publisher itself says it
 * @property {QueuedRecord | null} next
 */

/** @param {any} value */
const isError = (value) => types.isNativeError(value) || value instanceof Error;

/** An object with a message, whatever was passed in. @param {any} logData */
function objectOf(logData) {
  if (typeof logData === 'string') return { message: logData };
  if (isError(logData)) return { level: 'ERROR', message: textOf(logData), error: logData };
  if (types.isMap(logData)) return Object.fromEntries(logData);
  if (typeof logData === 'object' && logData !== null && !Array.isArray(logData) && !isValue(logData)) return logData;
  return { message: isValue(logData) || Array.isArray(logData) ? logData : textOf(logData) };
}

/** Whether it is written as one text or list. @param {any} value */
function isValue(value) {
  return types.isDate(value) || types.isSet(value) || types.isRegExp(value) || types.isBoxedPrimitive(value) || ArrayBuffer.isView(value);
}

/** @param {any} value */
function textOf(value) {
  try {
    return String(value);
  } catch {
    return '[unreadable]';
  }
}

/**
 * What `publisher.error('failed', fields)` publishes.
 * @param {any} message
 * @param {string} level
 * @param {any} fields
 */
function said(message, level, fields) {
  const isOfError = isError(message);
  const text = typeof message === 'object' && message !== null && !isOfError ? message : textOf(message);
  const more = isOfError ? { error: message } : {};
  if (fields === undefined || fields === null) return { level, message: text, ...more };
  if (isError(fields)) return { level, message: text, ...more, error: fields };
  try {
    const prototype = typeof fields === 'object' && !Array.isArray(fields) && !isValue(fields);
    if (prototype) return { ...more, ...(types.isMap(fields) ? Object.fromEntries(fields) : fields), level, message: text };
  } catch {
    // Below, the part that can be read is.
  }
  return { level, message: text, ...more, value: fields };
}

/**
 * A record of a call.
 * @param {string} channel
 * @param {any} logData
 * @param {number} order
 * @returns {QueuedRecord | { tooLarge: true, rank: number }}
 */
function record(channel, logData, order) {
  let object;
  let level;
  let hasTime = true;
  try {
    object = objectOf(logData);
    level = object.level;
    if (object.timestamp === null) object = { ...object, timestamp: undefined };
    hasTime = object.timestamp !== undefined;
  } catch {
    object ??= { message: '[unreadable]' };
  }
  const rank = rankOf(level);
  let json = jsonOf(object);
  if (json === TOO_LARGE) return { tooLarge: true, rank };
  // An object whose `toJSON` gave something else.
  if (json[0] !== '{') json = `{"message":${json}}`;
  if (!hasTime) json = `{"timestamp":${Date.now()}${json === '{}' ? '' : ','}${json.slice(1)}`;
  const made = recordOf(channel, json, rank, order);
  return made.bytes > MOST_BYTES ? { tooLarge: true, rank } : made;
}

/** @param {string} channel @param {string} json @param {number} rank @param {number} order @param {boolean} isNotice @returns {QueuedRecord} */
function recordOf(channel, json, rank, order, isNotice = false) {
  const line = `{"channel":"${channel}","logData":${json}}`;
  return { line, bytes: Buffer.byteLength(line) + 1, channel, rank, order, isNotice, next: null };
}

module.exports = { record, recordOf, said };
