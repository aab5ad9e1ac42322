'use strict';

// How grave a record is: what is dropped first where there is no room.

/** By rank, the least grave first. */
const NAMES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const INFO = NAMES.indexOf('INFO');

/** The gateway knows the same names. @type {Map<unknown, number>} */
const RANKS = new Map(
  Object.entries({
    trace: 0, debug: 1, dbg: 1, info: 2, information: 2, notice: 2, warn: 3, warning: 3, error: 4, err: 4, severe: 4,
    fatal: 5, critical: 5, crit: 5, alert: 5, emerg: 5, emergency: 5, panic: 5,
    // Pino's.
    10: 0, 20: 1, 30: 2, 40: 3, 50: 4, 60: 5,
  }),
);
for (const name of NAMES) RANKS.set(name, NAMES.indexOf(name));

/** The rank of a level as the caller gave it; INFO where nobody knows it, as the gateway has it. @param {unknown} level */
function rankOf(level) {
  const rank = RANKS.get(level);
  if (rank !== undefined) return rank;
  if (typeof level !== 'string' && typeof level !== 'number') return INFO;
  return RANKS.get(String(level).trim().toLowerCase()) ?? INFO;
}

module.exports = { NAMES, rankOf };
