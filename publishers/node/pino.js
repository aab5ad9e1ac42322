'use strict';

// A target of pino's, for its worker thread (`transport: { target: '@datashop/logs-sse-publisher/pino' }`) or as a stream.

const { Writable } = require('node:stream');

const { createPublisher } = require('./lib/publisher.js');

/** Pino's lines, taken apart and published. */
class PinoStream extends Writable {
  #publisher;
  #messageKey;
  #rest = '';

  /** @param {any} options */
  constructor(options) {
    super({ decodeStrings: false });
    this.#publisher = createPublisher(options);
    this.#messageKey = typeof options?.messageKey === 'string' ? options.messageKey : 'msg';
  }

  /** @param {any} chunk @param {string} _encoding @param {() => void} done @override */
  _write(chunk, _encoding, done) {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#publish(line);
    done();
  }

  /** @param {() => void} done @override */
  _final(done) {
    this.#publish(this.#rest);
    void this.#publisher.close().then(() => done());
  }

  /** Of pino's `logger.flush`. @param {() => void} done */
  flush(done) {
    void this.#publisher.flush().then(() => done?.());
  }

  /** @param {string} line */
  #publish(line) {
    if (line.trim() === '') return;
    let logged;
    try {
      logged = JSON.parse(line);
    } catch {
      return this.#publisher.publish(line);
    }
    if (typeof logged !== 'object' || logged === null || Array.isArray(logged)) return this.#publisher.publish(line);
    const { [this.#messageKey]: message = '', time, ...fields } = logged;
    this.#publisher.publish({ ...(time === undefined ? {} : { timestamp: time }), ...fields, message });
  }
}

/** @param {any} [options] */
function transport(options) {
  return new PinoStream(options);
}

module.exports = transport;
