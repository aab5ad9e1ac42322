'use strict';

// The settings, from the code and else from the environment.

/** @type {[string, string, number][]} */
const NUMBERS = [
  ['max_records', 'maxRecords', 10_000],
  ['max_bytes', 'maxBytes', 8 * 1024 * 1024],
  ['linger_ms', 'lingerMs', 100],
  ['timeout_ms', 'timeoutMs', 5_000],
  ['close_ms', 'closeMs', 5_000],
];
/** What a timer can wait for. */
const LONGEST_MS = 2 ** 31 - 1;

/** @param {any} given */
function settingsOf(given) {
  const options = copyOf(given);
  const env = process.env;
  const token = options.token ?? env.LOGS_GATEWAY_TOKEN;
  /** @type {Record<string, number>} */
  const numbers = {};
  /** @type {string | undefined} */
  let problem;
  for (const [name, other, normal] of NUMBERS) {
    const number = numberOf(options[name] ?? options[other] ?? normal);
    if (number === null) problem ??= `${name} is no number of at least 0: it is ${normal}`;
    numbers[name] = number ?? normal;
  }
  return {
    url: urlOf(options.url ?? (env.LOGS_GATEWAY_URL || 'http://localhost:3002')),
    token: typeof token === 'string' && token.trim() !== '' ? token.trim() : undefined,
    where: {
      service: options.service ?? (env.LOGS_SERVICE || undefined),
      workspace_id: options.workspace_id ?? (env.LOGS_WORKSPACE_ID || undefined),
      workflow_id: options.workflow_id ?? options.resource_id ?? options.function_id ?? (env.LOGS_WORKFLOW_ID || undefined),
    },
    max_records: numbers.max_records,
    max_bytes: numbers.max_bytes,
    linger_ms: numbers.linger_ms,
    timeout_ms: numbers.timeout_ms,
    close_ms: numbers.close_ms,
    on_problem: options.on_problem ?? options.onProblem,
    /** What is wrong with the settings and was put right. */
    problem,
  };
}

/** @param {any} given @returns {Record<string, any>} */
function copyOf(given) {
  try {
    return { ...given };
  } catch {
    // A proxy that throws.
    return {};
  }
}

/** @param {unknown} given */
function numberOf(given) {
  const number = typeof given === 'string' ? Number(given) : given;
  return typeof number === 'number' && number >= 0 ? Math.min(number, LONGEST_MS) : null;
}

/** Where records are sent to, below whatever path the gateway has; nothing where it is no address. @param {unknown} given */
function urlOf(given) {
  try {
    const url = new URL(String(given));
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    url.search = '';
    url.hash = '';
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/logs/publish`;
    return url;
  } catch {
    return null;
  }
}

module.exports = { settingsOf };
