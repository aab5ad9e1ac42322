// The end of what a stream was opened with.

/** A stream that says so soon after its opening that its credential ends is not replaced at once, in milliseconds. */
const YOUNG_MS = 10_000;
/** A credential that ends is looked after no more often than this, in milliseconds. */
const SOONEST_MS = 1_000;
/** The longest that a gateway is believed, and what one that does not say is taken to mean, in milliseconds. */
const LONGEST_MS = 600_000;
const USUAL_MS = 20_000;

/**
 * Has a stream replaced before its credential ends: at once, or as soon as the page gives another. A page that gives the old
 * one, or only short-lived ones, is asked in the middle of what is left each time, so that no stream is opened for nothing.
 */
export class Expiry {
  #token;
  #renew;
  /** @type {import('./stream.js').Stream | null} */
  #stream = null;
  #timer = 0;
  #endsAt = 0;

  /** @param {() => string | Promise<string>} token @param {() => void} renew */
  constructor(token, renew) {
    this.#token = token;
    this.#renew = renew;
  }

  /** The credential of the stream ends. @param {import('./stream.js').Stream} stream @param {unknown} within in so many milliseconds */
  begin(stream, within) {
    this.end();
    const now = performance.now();
    this.#stream = stream;
    this.#endsAt = now + (Number(within) > 0 ? Math.min(Number(within), LONGEST_MS) : USUAL_MS);
    if (stream.age(now) < YOUNG_MS) this.#later();
    else this.#look(stream);
  }

  /** Looks no more. */
  end() {
    clearTimeout(this.#timer);
    this.#stream = null;
  }

  #later() {
    const stream = this.#stream;
    const left = this.#endsAt - performance.now();
    if (stream && left > 0) this.#timer = Number(setTimeout(() => this.#look(stream), Math.max(left / 2, SOONEST_MS)));
  }

  /** @param {import('./stream.js').Stream} stream */
  async #look(stream) {
    const token = await Promise.resolve(this.#token()).catch(() => stream.token);
    if (stream !== this.#stream) return;
    if (token && token === stream.token) this.#later();
    else this.#renew();
  }
}
