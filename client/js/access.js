// What the readers of a page show a gateway: a token, cookies.

/**
 * A reader's token, or what gives it, also as a promise. It is asked before each request, so that it can give a fresh one.
 * @typedef {string | (() => string | null | undefined | Promise<string | null | undefined>)} Token
 * @typedef {{ token?: Token | null, withCredentials?: boolean }} Shown
 */

/**
 * What a page shows one gateway, whichever of its parts brought it.
 *
 * A page has one reader: the token is that of the part that gave one last, for as long as that part is there. This class is
 * the page's protocol, version 1: `hold`, `release`, `token`, `withCredentials` and `watch` keep their meaning as long as the
 * version stays.
 */
export class Access {
  /** The newest is the last. @type {Map<unknown, Shown>} */
  #held = new Map();
  /** @type {Set<() => void>} */
  #watchers = new Set();

  /** Whether cookies go to another origin. */
  get withCredentials() {
    return [...this.#held.values()].some(({ withCredentials }) => withCredentials);
  }

  /** Shows this from now on, in place of what the same part has shown. @param {unknown} owner @param {Shown} shown */
  hold(owner, { token, withCredentials }) {
    const before = this.#newest;
    // What is shown again stays in its place.
    if (this.#held.get(owner)?.token !== token) this.#held.delete(owner);
    if (token || withCredentials) this.#held.set(owner, { token, withCredentials });
    else this.#held.delete(owner);
    if (this.#newest !== before) for (const watcher of this.#watchers) watcher();
  }

  get #newest() {
    return [...this.#held.values()].findLast(({ token }) => token)?.token;
  }

  /** What a part has shown is not shown any more once a request is made. @param {unknown} owner */
  release(owner) {
    this.#held.delete(owner);
  }

  /** The token; empty where nobody gives one. A promise only where it is to be waited for. @returns {string | Promise<string>} */
  token() {
    return firstOf([...this.#held.values()].reverse());
  }

  /** Calls when another token is given; returns what ends it. @param {() => void} call */
  watch(call) {
    this.#watchers.add(call);
    return () => {
      this.#watchers.delete(call);
    };
  }
}

/** The first token that is one. @param {Shown[]} held @returns {string | Promise<string>} */
function firstOf([first, ...others]) {
  if (!first) return '';
  try {
    const given = typeof first.token === 'function' ? first.token() : first.token;
    if (given && typeof given === 'object') return Promise.resolve(given).then((token) => textOf(token) || firstOf(others));
    return textOf(given) || firstOf(others);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** @param {unknown} token */
function textOf(token) {
  return typeof token === 'string' ? token.trim() : '';
}

/** Where a page's access is, for all that were built apart. */
const ACCESS = Symbol.for('logs-sse-gateway.access.1');

/** What the page shows a gateway. @param {string} name tells gateways apart @returns {Access} */
export function accessOf(name) {
  const page = /** @type {any} */ (globalThis);
  /** @type {Map<string, Access>} */
  const all = (page[ACCESS] ??= new Map());
  const access = all.get(name) ?? new Access();
  all.set(name, access);
  return access;
}

/**
 * Whose token it is, by its own words (RFC 7519): to tell readers apart on this machine, and for nothing else. Nothing where
 * it does not say.
 * @param {string} token
 * @returns {string | null}
 */
export function subjectOf(token) {
  try {
    const body = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null;
  }
}
