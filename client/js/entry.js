// Entries: what a subscription follows, and whether a record is among it.

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/**
 * A channel or pattern, with a minimum level and fields that a record must have, where they are given.
 * @typedef {{ channel: string, level?: string, where?: Record<string, string> }} Entry
 */

/**
 * An entry in one form, whatever it was given as: a text is a channel or pattern.
 * @param {string | Entry} given
 * @returns {Entry}
 */
export function entryOf(given) {
  const { channel, level, where = {} } = typeof given === 'string' ? { channel: given } : given;
  /** @type {Entry} */
  const entry = { channel };
  if (level) entry.level = level;
  const names = Object.keys(where).sort();
  if (names.length > 0) entry.where = Object.fromEntries(names.map((name) => [name, String(where[name])]));
  return entry;
}

/** Tells entries apart. @param {Entry} entry */
export function keyOf(entry) {
  return isPlain(entry) ? entry.channel : JSON.stringify(entry);
}

/** Whether an entry wants everything in its channels. @param {Entry} entry */
export function isPlain(entry) {
  return !entry.level && !entry.where;
}

/** The entry as a request names it. @param {Entry} entry */
export function toWire(entry) {
  return isPlain(entry) ? entry.channel : entry;
}

/**
 * Whether a pattern chooses a channel. `*` stands for a whole segment; as the last of four it also
 * stands for no resource.
 * @param {string} pattern
 * @param {string} channel
 */
export function chooses(pattern, channel) {
  if (pattern === channel) return true;
  const wanted = pattern.split(':');
  const segments = channel.split(':');
  const isOpen = wanted.length === 4 && wanted[3] === '*';
  if (segments.length !== wanted.length && !(isOpen && segments.length === 3)) return false;
  return segments.every((segment, place) => wanted[place] === '*' || wanted[place] === segment);
}

/**
 * Whether a record of a channel that the entry chooses is wanted.
 * @param {Entry} entry
 * @param {{ level: string, fields?: Record<string, unknown> }} record
 */
export function wants(entry, record) {
  if (entry.level && LEVELS.indexOf(record.level) < LEVELS.indexOf(entry.level)) return false;
  return Object.entries(entry.where ?? {}).every(([name, text]) => holds(record.fields?.[name], text));
}

/** @param {unknown} value @param {string} text */
function holds(value, text) {
  if (typeof value === 'string') return value === text;
  // The gateway compares a number's own digits, which are gone here: it has already let this one through.
  if (typeof value === 'number') return text !== '' && Number(text) === value;
  return value !== undefined && typeof value !== 'object' ? String(value) === text : value === null && text === 'null';
}
