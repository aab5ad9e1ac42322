// Items: what a subscription is given, in the order of their ids.

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

/** An item of a record's JSON; none where it cannot be read. @param {string} text @returns {Item | null} */
export function itemOf(text) {
  try {
    const record = JSON.parse(text);
    return typeof record?.id === 'string' && typeof record.channel === 'string' ? { record, text } : null;
  } catch {
    return null;
  }
}
