'use strict';

// What an answer asks for.

/** No `Retry-After` is waited for longer. */
const LONGEST_PAUSE_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;

/**
 * @typedef {{ do: 'done' | 'refuse', rejected: Map<number, string>, why: string }} Settled
 * @typedef {{ do: 'split', why: string }} Split
 * @typedef {{ do: 'again', pauseMs: number | null, mayHaveArrived: boolean, why: string }} Again
 */

/** @param {import('./request.js').Answer} answer @returns {Settled | Split | Again} */
function verdictOf({ status, retryAfter, body }) {
  const said = jsonOf(body);
  const why = `it answered ${status}${said?.detail ? `: ${said.detail}` : ''}`;
  if (status === 200) {
    // Something else than a gateway answers 200 to anything.
    if (said?.success === true) return { do: 'done', rejected: rejectedOf(said), why };
    return { do: 'again', pauseMs: null, mayHaveArrived: true, why: 'what answers there is no log gateway' };
  }
  if (status === 413 || (status === 429 && said?.code === 'batch_over_rate')) return { do: 'split', why };
  if (status === 400 || status === 403 || status === 422) return { do: 'refuse', rejected: rejectedOf(said), why };
  const isWait = status === 401 || status === 429 || status === 503 || status === 507;
  // A proxy may have passed it on before it gave up.
  return { do: 'again', pauseMs: isWait ? pauseOf(retryAfter) : null, mayHaveArrived: status >= 500 && !isWait, why };
}

/** @param {string} body @returns {any} */
function jsonOf(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** Why, by the index of the record. @param {any} said @returns {Map<number, string>} */
function rejectedOf(said) {
  const list = Array.isArray(said?.rejected) ? said.rejected : [];
  return new Map(list.map((/** @type {any} */ item) => [item?.index, String(item?.detail ?? item?.code ?? '')]));
}

/** Seconds or a date. @param {string | undefined} text */
function pauseOf(text) {
  if (text === undefined) return null;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

/** A random time, so that the publishers of a gateway that was restarted do not all come back at once. @param {number} failures before this one */
function backoffOf(failures) {
  return Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_BACKOFF_MS);
}

module.exports = { backoffOf, verdictOf };
