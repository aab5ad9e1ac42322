'use strict';

// What is wrong, for the people who run the program.

const { writeSync } = require('node:fs');

/** No two sentences are closer together. */
const PAUSE_MS = 60_000;
const MOST_CHARACTERS = 400;

/** Says a sentence, at most once a minute but for the last one. */
class Problems {
  #say;
  #token;
  #saidAt = -Infinity;

  /** @param {((sentence: string) => void) | undefined} say @param {string | undefined} token what is never part of it */
  constructor(say, token) {
    this.#say = typeof say === 'function' ? say : toStandardError;
    this.#token = token;
  }

  /** @param {string} sentence @param {boolean} [isLast] whether there will be no other time to say it */
  tell(sentence, isLast = false) {
    const now = performance.now();
    if (now - this.#saidAt < PAUSE_MS && !isLast) return;
    this.#saidAt = now;
    // A stranger that answers in the gateway's place may say anything, even what it was sent.
    const hidden = this.#token ? sentence.replaceAll(this.#token, '[token]') : sentence;
    const text = hidden.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, MOST_CHARACTERS);
    try {
      this.#say(text);
    } catch {
      // It is the caller's.
    }
  }
}

/** Not through `process.stderr`: a reader that has gone away would end the program. @param {string} sentence */
function toStandardError(sentence) {
  writeSync(2, `logs-sse-publisher: ${sentence}\n`);
}

module.exports = { Problems };
