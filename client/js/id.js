// Record ids: `{unix_ms}-{seq}`, two decimal numbers without leading zeros.

/**
 * Orders two ids as the log does: below zero, zero or above. Exact for numbers of any length.
 * @param {string} a
 * @param {string} b
 */
export function compareIds(a, b) {
  const aDash = a.indexOf('-');
  const bDash = b.indexOf('-');
  return (
    compareNumbers(a.slice(0, aDash), b.slice(0, bDash)) ||
    compareNumbers(a.slice(aDash + 1), b.slice(bDash + 1))
  );
}

/** @param {string} a @param {string} b */
function compareNumbers(a, b) {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/**
 * The larger of two ids; either may be absent.
 * @param {string | null | undefined} a
 * @param {string | null | undefined} b
 * @returns {string | null}
 */
export function maxId(a, b) {
  if (!a || !b) return a || b || null;
  return compareIds(a, b) < 0 ? b : a;
}

/** Whether a text is an id. @param {unknown} text */
export function isId(text) {
  return typeof text === 'string' && /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/.test(text);
}
