'use strict';

// What a program publishes with.

const { channelOf, placed } = require('./channel.js');
const { Drops } = require('./drops.js');
const leave = require('./leave.js');
const { NAMES } = require('./level.js');
const { settingsOf } = require('./options.js');
const { Problems } = require('./problems.js');
const { Queue } = require('./queue.js');
const { record, said } = require('./record.js');
const { headersOf } = require('./request.js');
const { Sender } = require('./sender.js');

/** The state behind a publisher. */
class Outbox {
  #settings;
  #channel;
  #queue;
  #drops = new Drops();
  #problems;
  /** @type {Sender | null} */
  #sender = null;
  #order = 0;
  #isClosed = false;
  /** What the end of the program asks of it. */
  #leaving = {
    flush: () => this.flush(),
    discard: () => this.#discarded(this.#sender?.discard() ?? 0),
    handOver: () => this.#handOver(),
  };

  /** @param {unknown} options */
  constructor(options) {
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#channel = channelOf(settings.where);
    this.#queue = new Queue(settings.max_records, settings.max_bytes);
    this.#problems = new Problems(settings.on_problem, settings.token);
    if (settings.problem) this.#later(settings.problem);
    const { url } = settings;
    if (!url) return;
    this.#sender = new Sender(this.#queue, this.#drops, this.#problems, { ...settings, url });
    this.#sender.onIdle = () => leave.remove(this.#leaving);
  }

  /** @param {any} logData @param {any} where */
  add(logData, where) {
    this.#add(logData, this.#channelFor(where));
  }

  /** @param {any} where what the call says of it, which may be anything */
  #channelFor(where) {
    if (where === undefined || where === null) return this.#channel;
    try {
      return channelOf(placed(this.#settings.where, where));
    } catch {
      return null;
    }
  }

  /** @param {any} logData @param {string | null} channel */
  #add(logData, channel) {
    if (this.#isClosed) return this.#drops.count(channel, 0, 'closed');
    if (channel === null || !this.#sender) {
      this.#drops.count(null, 0, 'refused');
      const url = 'the url of the gateway is none, such as http://localhost:3002';
      return this.#later(
        this.#sender ? 'a record has no channel: service, workspace_id and workflow_id are 1 to 128 of A–Z a–z 0–9 . _ -' : url,
      );
    }
    const made = record(channel, logData, (this.#order += 1));
    if ('tooLarge' in made) {
      this.#drops.count(channel, made.rank, 'too_large');
      this.#later('a record of more than 256 KiB is dropped');
    } else {
      this.#queue.offer(made, (dropped) => {
        this.#drops.count(dropped.channel, dropped.rank, 'queue_full');
        this.#later(
          `records are dropped: there is no room for more than ${this.#settings.max_records} records or ${this.#settings.max_bytes} bytes`,
        );
      });
    }
    leave.add(this.#leaving);
    this.#sender.schedule();
  }

  /** Not within the caller's call: where it is said may be slow. But before a program ends that has nothing else to do. @param {string} problem */
  #later(problem) {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#problems.tell(problem);
    });
  }
  #isTelling = false;

  /** @param {unknown} [ms] @returns {Promise<boolean>} */
  async flush(ms) {
    return (await this.#sender?.flush(this.#order, this.#within(ms))) ?? true;
  }

  /** @param {unknown} [ms] @returns {Promise<boolean>} */
  async close(ms) {
    this.#isClosed = true;
    const isSent = await this.flush(ms);
    this.#discarded(this.#sender?.stop() ?? 0);
    return isSent;
  }

  stats() {
    return { queued: this.#queue.count, sent: this.#sender?.sent ?? 0, dropped: { ...this.#drops.counts } };
  }

  /** @param {unknown} ms */
  #within(ms) {
    return typeof ms === 'number' && ms >= 0 ? Math.min(ms, 2 ** 31 - 1) : this.#settings.close_ms;
  }

  /** @param {number} count */
  #discarded(count) {
    if (count > 0) this.#problems.tell(`${count} records could not be sent before the end`, true);
  }

  #handOver() {
    const { url, token, timeout_ms, close_ms } = this.#settings;
    const sender = this.#sender;
    this.#isClosed = true;
    if (!url || !sender) return null;
    const { batches, pauseMs } = sender.handOver();
    const done = (/** @type {[number, number, number]} */ ...counts) => this.#discarded(sender.handedOver(...counts));
    return { url: url.href, headers: headersOf(token), timeoutMs: timeout_ms, closeMs: close_ms, pauseMs, batches, done };
  }
}

/**
 * A publisher. Its functions need no `this`, never wait and never throw.
 * @param {import('../index.js').PublisherOptions} [options]
 * @returns {import('../index.js').Publisher}
 */
function createPublisher(options) {
  const outbox = new Outbox(options);
  const safely = (/** @type {() => void} */ call) => {
    try {
      call();
    } catch {
      // Nothing that was passed in is worth the caller's work. Reached only where even the stack is used up.
    }
  };
  /** @type {any} */
  const publisher = {
    publish: (/** @type {any} */ logData, /** @type {any} */ where) => safely(() => outbox.add(logData, where)),
  };
  for (const level of NAMES) {
    publisher[level.toLowerCase()] = (/** @type {any} */ message, /** @type {any} */ fields) =>
      safely(() => outbox.add(said(message, level, fields), undefined));
  }
  return Object.freeze({
    ...publisher,
    flush: (/** @type {any} */ ms) => outbox.flush(ms),
    close: (/** @type {any} */ ms) => outbox.close(ms),
    stats: () => outbox.stats(),
  });
}

module.exports = { createPublisher };
