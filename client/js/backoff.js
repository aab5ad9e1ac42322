// How long to wait before the next try.

/** What the first wait is drawn from, in milliseconds. */
const FIRST_MS = 500;
/** No wait is longer, in milliseconds: a person who watches sees the page come back. */
const LONGEST_MS = 5_000;
/** A stream that lived this long was no failed try, in milliseconds. */
const STABLE_MS = 10_000;

/**
 * Exponential with full jitter, so that the readers of a gateway that was restarted do not all come
 * back in the same moment. Times are milliseconds by any clock that does not step back.
 */
export class Backoff {
  #failures = 0;
  #openedAt = /** @type {number | null} */ (null);

  /** A stream was opened. @param {number} now */
  opened(now) {
    this.#openedAt = now;
  }

  /**
   * A stream was lost, or could not be opened: how many milliseconds to wait. One that was lost soon
   * after it was opened counts as a failed try, so a gateway that accepts and drops is not hammered.
   * @param {number} now
   * @param {number} random at least 0 and below 1
   */
  lost(now, random) {
    if (this.#openedAt !== null && now - this.#openedAt >= STABLE_MS) this.#failures = 0;
    this.#openedAt = null;
    const most = Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS);
    this.#failures += 1;
    return Math.floor(most * random);
  }

  /** Forgets the failures: someone asks for a try now. */
  startOver() {
    this.#failures = 0;
    this.#openedAt = null;
  }
}
