'use strict';

// A transport of winston's. It is the stream that winston asks for, without a package in between.

const { Writable } = require('node:stream');

const { createPublisher } = require('./lib/publisher.js');

const LEVEL = Symbol.for('level');
/** Winston's own that the gateway does not know. */
const LEVELS = new Map([['http', 'DEBUG'], ['verbose', 'DEBUG'], ['silly', 'TRACE']]);

class LogsTransport extends Writable {
  #publisher;

  /** @param {any} [options] */
  constructor(options = {}) {
    super({ objectMode: true });
    this.#publisher = createPublisher(options);
    this.level = options?.level;
    this.format = options?.format;
    this.silent = options?.silent;
    this.handleExceptions = options?.handleExceptions;
    this.handleRejections = options?.handleRejections;
    /** @type {any} */
    this.parent = null;
    /** @type {any} */
    this.levels = undefined;
    this.on('pipe', (logger) => {
      this.parent = logger;
      this.levels = /** @type {any} */ (logger).levels;
    });
    this.on('unpipe', (logger) => {
      if (this.parent === logger) this.parent = null;
    });
  }

  /** @param {any} info @param {string} _encoding @param {() => void} done @override */
  _write(info, _encoding, done) {
    try {
      if (this.#isWanted(info)) {
        const formatted = this.format ? this.format.transform(Object.assign({}, info), this.format.options) : info;
        if (formatted) return this.log(formatted, done);
      }
    } catch {
      // A format that throws costs its record.
    }
    done();
  }

  /** @param {any} info */
  #isWanted(info) {
    if (this.silent || (info.exception === true && !this.handleExceptions) || (info.rejection === true && !this.handleRejections)) return false;
    const level = this.level ?? this.parent?.level;
    return !level || !this.levels || this.levels[level] >= this.levels[info[LEVEL] ?? info.level];
  }

  /** Publishes what winston logs. @param {any} info @param {() => void} [done] */
  log(info, done) {
    const level = info[LEVEL] ?? info.level;
    const { message, ...fields } = info;
    // Of an error these are not listed.
    const more = info instanceof Error ? { message: info.message, stack: info.stack } : { message };
    this.#publisher.publish({ ...fields, ...more, level: LEVELS.get(level) ?? level });
    done?.();
  }

  /** @param {() => void} done @override */
  _final(done) {
    void this.#publisher.close().then(() => done());
  }

  /** Waits until everything is sent, for a limited time. @param {number} [ms] */
  flush(ms) {
    return this.#publisher.flush(ms);
  }

  /** Winston has taken it away. */
  close() {
    this.end();
  }

  stats() {
    return this.#publisher.stats();
  }
}

module.exports = { LogsTransport };
