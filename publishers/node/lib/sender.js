'use strict';

// Sends what waits, a request at a time, between the program's other work.

const { Batch } = require('./batch.js');
const { Connection } = require('./request.js');
const { backoffOf, verdictOf } = require('./verdict.js');

const MOST_RECORDS = 1_000;
const MOST_BYTES = 1024 * 1024;

/**
 * @typedef {import('./record.js').QueuedRecord} QueuedRecord
 * @typedef {object} Flush
 * @property {number} order of the last record that it waits for
 * @property {(isSent: boolean) => void} end
 */

class Sender {
  #queue;
  #drops;
  #problems;
  #lingerMs;
  #host;
  #connection;
  sent = 0;
  /** What is being sent, in order; more than one after a batch was split. @type {Batch[]} */
  #batches = [];
  #isRunning = false;
  #isStopped = false;
  /** @type {NodeJS.Timeout | null} */
  #timer = null;
  /** @type {NodeJS.Immediate | null} */
  #immediate = null;
  #failures = 0;
  /** When the gateway wants the next try, by `performance.now()`. */
  #notBefore = 0;
  /** Ends the pause before the next try. @type {(() => void) | null} */
  #wake = null;
  /** @type {Set<Flush>} */
  #flushes = new Set();
  /** Is called when nothing is left. */
  onIdle = () => {};

  /**
   * @param {import('./queue.js').Queue} queue
   * @param {import('./drops.js').Drops} drops
   * @param {import('./problems.js').Problems} problems
   * @param {{ url: URL, token: string | undefined, timeout_ms: number, linger_ms: number }} settings
   */
  constructor(queue, drops, problems, { url, token, timeout_ms, linger_ms }) {
    this.#queue = queue;
    this.#drops = drops;
    this.#problems = problems;
    this.#lingerMs = linger_ms;
    // Without what a person may have written before the host.
    this.#host = url.origin;
    this.#connection = new Connection(url, token, timeout_ms);
  }

  get isIdle() {
    return this.#batches.length === 0 && this.#queue.waiting === 0 && this.#drops.isTold;
  }

  /** There is something to send: soon, or at once where it is enough for a request or somebody waits. */
  schedule() {
    if (this.#isRunning || this.#isStopped || this.#immediate !== null) return;
    const { waiting, waitingBytes } = this.#queue;
    if (waiting >= MOST_RECORDS || waitingBytes >= MOST_BYTES || this.#flushes.size > 0) {
      this.#immediate = setImmediate(() => this.#start()).unref();
    } else {
      this.#timer ??= setTimeout(() => this.#start(), this.#lingerMs).unref();
    }
  }

  #start() {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#immediate) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    this.#run()
      .catch((error) => this.#problems.tell(`records cannot be sent (${error?.name})`))
      .finally(() => {
        this.#isRunning = false;
        this.#look();
        if (!this.isIdle) this.schedule();
      });
  }

  /** Sends what is there now. */
  async #run() {
    if (this.#batches.length === 0) {
      const notices = this.#drops.take();
      const records = this.#queue.take(Math.max(MOST_RECORDS - notices.length, 1), MOST_BYTES);
      if (notices.length + records.length === 0) return;
      this.#batches.push(new Batch([...notices, ...records]));
    }
    while (this.#batches.length > 0 && !this.#isStopped) await this.#try(this.#batches[0]);
  }

  /** @param {Batch} batch */
  async #try(batch) {
    if (batch.isUnconfirmed) {
      this.#problems.tell(
        `${this.#host} has not answered for 9 minutes: ${batch.records.length} records may be stored or not, and are dropped`,
      );
      return this.#end(batch, () => 'unconfirmed');
    }
    if (!batch.body) await batch.encode();
    if (!this.#isCurrent(batch)) return;
    const outcome = await this.#connection.send(batch);
    if (!this.#isCurrent(batch)) return;
    if ('why' in outcome) {
      if (outcome.mayHaveArrived) batch.unanswered();
      if (!outcome.isStale) await this.#failed(`${this.#host} cannot be reached (${outcome.why})`, null);
      return;
    }
    const verdict = verdictOf(outcome);
    switch (verdict.do) {
      case 'again':
        if (verdict.mayHaveArrived) batch.unanswered();
        return this.#failed(`${this.#host} takes no records now: ${verdict.why}`, verdict.pauseMs);
      case 'split':
        this.#failures = 0;
        if (batch.records.length === 1) {
          this.#refused(1, verdict.why);
          return this.#end(batch, () => 'refused');
        }
        if (!batch.mayBeStored) return void this.#batches.splice(0, 1, ...batch.split());
        // The halves have other keys: what is stored would be stored again.
        this.#problems.tell(`${this.#host} had not answered ${batch.records.length} records that are now too many at once: they are dropped`);
        return this.#end(batch, () => 'unconfirmed');
      case 'refuse':
        this.#failures = 0;
        this.#refused(batch.records.length, verdict.rejected.values().next().value ?? verdict.why);
        return this.#end(batch, () => 'refused');
      default:
        this.#failures = 0;
        if (verdict.rejected.size > 0) this.#refused(verdict.rejected.size, verdict.rejected.values().next().value);
        return this.#end(batch, (index) => (verdict.rejected.has(index) ? 'refused' : null));
    }
  }

  /** Whether it has not been given up meanwhile. @param {Batch} batch */
  #isCurrent(batch) {
    return !this.#isStopped && this.#batches[0] === batch;
  }

  /** @param {number} count @param {string | undefined} why */
  #refused(count, why) {
    this.#problems.tell(`${this.#host} refused ${count} records for good: ${why}`);
  }

  /** Waits for the next try. @param {string} problem @param {number | null} pauseMs what the gateway asked for */
  async #failed(problem, pauseMs) {
    this.#problems.tell(`${problem}; ${this.#queue.count} records wait`);
    const backoff = backoffOf(this.#failures);
    this.#failures += 1;
    const pause = Math.max(pauseMs ?? 0, backoff);
    if (pauseMs !== null) this.#notBefore = performance.now() + pause;
    await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = setTimeout(resolve, pause).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  /** @param {Batch} batch @param {(index: number) => import('./drops.js').Reason | null} dropped */
  #end(batch, dropped) {
    this.#batches.shift();
    batch.records.forEach((record, index) => this.#settle(record, dropped(index)));
    this.#look();
  }

  /** @param {QueuedRecord} record @param {import('./drops.js').Reason | null} reason */
  #settle(record, reason) {
    if (record.isNotice) {
      // One that is refused would be refused again.
      if (reason === 'unconfirmed') this.#drops.restore(record);
      return;
    }
    this.#queue.done(record);
    if (reason) this.#drops.count(record.channel, record.rank, reason);
    else this.sent += 1;
  }

  /** Tells those who wait for it that everything is sent. */
  #look() {
    for (const flush of this.#flushes) {
      if (this.#batches.length === 0 && this.#drops.isTold && this.#queue.order > flush.order) flush.end(true);
    }
    if (this.isIdle) this.onIdle();
  }

  /**
   * Waits until what was given up to now is sent, and keeps the program alive for so long.
   * @param {number} order of the last record
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  flush(order, ms) {
    if (this.isIdle) return Promise.resolve(true);
    if (this.#isStopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      // By itself it is what keeps the program alive.
      const timer = setTimeout(() => flush.end(false), ms);
      /** @type {Flush} */
      const flush = {
        order,
        end: (isSent) => {
          clearTimeout(timer);
          this.#flushes.delete(flush);
          resolve(isSent);
        },
      };
      this.#flushes.add(flush);
      // Somebody waits: a pause that nobody asked for is over.
      this.#failures = 0;
      if (performance.now() >= this.#notBefore) this.#wake?.();
      this.schedule();
    });
  }

  /** Sends nothing from now on, and drops what is left. */
  stop() {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#immediate) clearImmediate(this.#immediate);
    const count = this.discard();
    this.#connection.close();
    return count;
  }

  /** Drops what is left as `closed`; how many these were. */
  discard() {
    let count = 0;
    const drop = (/** @type {QueuedRecord} */ record) => {
      count += record.isNotice ? 0 : 1;
      this.#settle(record, 'closed');
    };
    for (const batch of this.#batches.splice(0)) batch.records.forEach(drop);
    for (const record of this.#queue.take(Infinity, Infinity)) drop(record);
    this.#drops.take();
    this.#connection.abort();
    this.#wake?.();
    for (const flush of this.#flushes) flush.end(false);
    this.onIdle();
    return count;
  }

  /** What is left, for somebody else to send. Nothing is sent here any more. */
  handOver() {
    this.#isStopped = true;
    if (this.#connection.isBusy) this.#batches[0]?.unanswered();
    const batches = [...this.#batches];
    const notices = this.#drops.take();
    const records = [...notices, ...this.#queue.take(Infinity, Infinity)];
    for (let start = 0; start < records.length;) {
      let bytes = 0;
      let end = start;
      while (end < records.length && end - start < MOST_RECORDS && (end === start || bytes + records[end].bytes <= MOST_BYTES))
        bytes += records[end++].bytes;
      batches.push(new Batch(records.slice(start, end)));
      start = end;
    }
    this.#batches = batches;
    return { batches, pauseMs: Math.max(this.#notBefore - performance.now(), 0) };
  }

  /**
   * What came of it: so many of them were stored, so many refused, so many are not known of.
   * @param {number} sent
   * @param {number} refused
   * @param {number} unconfirmed
   */
  handedOver(sent, refused, unconfirmed) {
    const records = this.#batches.splice(0).flatMap(({ records }) => records.filter(({ isNotice }) => !isNotice));
    const known = sent + refused + unconfirmed;
    const fate = (/** @type {number} */ index) => {
      if (index < sent) return null;
      if (index < sent + refused) return 'refused';
      return index < known ? 'unconfirmed' : 'closed';
    };
    records.forEach((record, index) => this.#settle(record, fate(index)));
    this.#drops.take();
    return records.length - known;
  }
}

module.exports = { Sender };
