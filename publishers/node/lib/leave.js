'use strict';

// The end of the program: what is left is sent, and for a limited time.

const { Worker } = require('node:worker_threads');

const { source } = require('./leftover.js');

/**
 * A publisher that has something to send.
 * @typedef {object} Leaving
 * @property {() => Promise<boolean>} flush
 * @property {() => void} discard
 * @property {() => { url: string, headers: Record<string, string>, timeoutMs: number, closeMs: number, pauseMs: number,
 *   batches: import('./batch.js').Batch[], done: (sent: number, refused: number, unconfirmed: number) => void } | null} handOver
 */

/** @type {Set<Leaving>} */
const leaving = new Set();
let isWatching = false;

/** @param {Leaving} publisher */
function add(publisher) {
  leaving.add(publisher);
  if (isWatching) return;
  isWatching = true;
  process.on('beforeExit', beforeExit);
  process.on('exit', exit);
}

/** @param {Leaving} publisher */
function remove(publisher) {
  leaving.delete(publisher);
}

/** Nothing else is to be done. The event comes again after this, and with what was published meanwhile. */
function beforeExit() {
  for (const publisher of leaving) {
    void publisher.flush().then((isSent) => {
      if (!isSent) publisher.discard();
    });
  }
}

/**
 * `process.exit`, or an error that nobody caught: there are no more events here. A thread of its own has some, and sends what
 * is left while this one waits.
 */
function exit() {
  if (leaving.size === 0) return;
  const jobs = [...leaving].flatMap((publisher) => publisher.handOver() ?? []).filter(({ batches }) => batches.length > 0);
  leaving.clear();
  if (jobs.length === 0) return;
  const waitMs = Math.max(...jobs.map(({ closeMs }) => closeMs));
  // Whether all is done, and three numbers a job: how many records were stored, how many refused, and of how many it is not known.
  const state = new Int32Array(new SharedArrayBuffer(4 * (1 + 3 * jobs.length)));
  try {
    const worker = new Worker(source, {
      eval: true,
      // Neither what the program loads first nor its inspector.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      workerData: { state, jobs: jobs.map(({ done, batches, ...job }) => ({ ...job, batches: batches.map(plain) })) },
    });
    worker.on('error', () => {});
    Atomics.wait(state, 0, 0, waitMs);
  } catch {
    // Threads may be forbidden.
  }
  jobs.forEach(({ done }, index) => {
    const count = (/** @type {number} */ which) => Atomics.load(state, 1 + 3 * index + which);
    done(count(0), count(1), count(2));
  });
}

/** @param {import('./batch.js').Batch} batch */
function plain({ key, records, body, isGzip, mayBeStored }) {
  const notices = records.filter(({ isNotice }) => isNotice).length;
  return { key, body, isGzip, mayBeStored, lines: records.map(({ line }) => line), notices };
}

module.exports = { add, remove };
