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
  if (status === 200 && said?.success === true) return { do: 'done', rejected: rejectedOf(said), why };
  // Something else than a gateway answers 200 to anything.
  if (status === 200) return { do: 'again', pauseMs: null, mayHaveArrived: true, why: 'what answers there is no log gateway' };
  if (status === 413 || (status === 429 && said?.code === 'batch_over_rate')) return { do: 'split', why };
  // A token's room for channels comes back after a day: other records would wait behind this one.
  const isOver = status === 429 && said?.code === 'too_many_token_channels';
  if (status === 400 || status === 403 || status === 422 || isOver) return { do: 'refuse', rejected: rejectedOf(said), why };
  const isWait = status === 429 || status === 503 || status === 507;
  // A proxy may have passed it on before it gave up, and a gateway whose store fails does not know. Of a full disk it does.
  return { do: 'again', pauseMs: isWait ? pauseOf(retryAfter) : null, mayHaveArrived: status >= 500 && status !== 507, why };
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

/** Of seconds; a date is none, since clocks differ. @param {string | undefined} text */
function pauseOf(text) {
  return text !== undefined && /^\s*\d+\s*$/.test(text) ? Math.min(Number(text) * 1_000, LONGEST_PAUSE_MS) : null;
}

/** A random time, so that the publishers of a gateway that was restarted do not all come back at once. @param {number} failures before this one */
function backoffOf(failures) {
  return Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_BACKOFF_MS);
}

module.exports = { backoffOf, verdictOf };
