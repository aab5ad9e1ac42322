// Items: what a subscription is given, in the order of their ids.

import { isId } from './id.js';

/**
 * A record as the gateway sends it.
 * @typedef {object} LogRecord
 * @property {string} id
 * @property {string} channel
 * @property {string} service
 * @property {string} workspace_id
 * @property {string} [workflow_id]
 * @property {string} timestamp
 * @property {'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'} level
 * @property {string} message
 * @property {Record<string, unknown>} [fields]
 */

/**
 * Records of a channel or pattern with `from` < id < `to` may be missing.
 * @typedef {{ channel: string, from: string, to: string, reason: string }} Gap
 */

/**
 * A record, with its JSON as it was sent, or a gap.
 * @typedef {{ record: LogRecord, text: string, gap?: undefined } | { gap: Gap, record?: undefined, text?: undefined }} Item
 */

/** Where an item stands. @param {Item} item */
export function placeOf(item) {
  return item.record ? item.record.id : item.gap.from;
}

/** Whether it has what a record is routed and ordered by. @param {any} record @returns {record is LogRecord} */
export function isRecord(record) {
  return isId(record?.id) && typeof record.channel === 'string';
}

/** Whether it has what a gap is routed and ordered by. @param {any} gap @returns {gap is Gap} */
export function isGap(gap) {
  return isId(gap?.from) && isId(gap.to) && typeof gap.channel === 'string';
}

/** Up to where an item tells. @param {Item} item */
export function endOf(item) {
  return item.record ? item.record.id : item.gap.to;
}

/** An item of a record's JSON; none where it cannot be read. @param {string} text @returns {Item | null} */
export function itemOf(text) {
  try {
    const record = JSON.parse(text);
    return isRecord(record) ? { record, text } : null;
  } catch {
    return null;
  }
}
