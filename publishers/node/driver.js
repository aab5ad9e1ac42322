'use strict';

// Does what a plan on standard input says, and says what came of it: ../README.md.

const { openSync, readFileSync, writeSync } = require('node:fs');

const { createPublisher } = require('./index.js');

/** Calls between two looks at the event loop: a program that logs does other work too. */
const CALLS_AT_ONCE = 100;

/** What calls took. */
class Costs {
  /** @type {bigint[]} */
  #times = [];

  /** @param {() => void} call */
  measure(call) {
    const start = process.hrtime.bigint();
    call();
    this.#times.push(process.hrtime.bigint() - start);
  }

  /** @param {string} prefix */
  figures(prefix) {
    const times = this.#times.sort((one, other) => (one < other ? -1 : Number(one > other)));
    const at = (/** @type {number} */ share) => (times.length === 0 ? null : Number(times[Math.min(Math.floor(times.length * share), times.length - 1)]));
    return { [`${prefix}p50_ns`]: at(0.5), [`${prefix}p99_ns`]: at(0.99), [`${prefix}max_ns`]: at(1) };
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** @param {any} step @param {Costs} costs @param {(logData: any) => void} call */
async function repeat({ count, message, level, pause_us = 0 }, costs, call) {
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    while (performance.now() - start < (n * pause_us) / 1_000) await turn();
    if (n % CALLS_AT_ONCE === 0) await turn();
    const logData = { message: `${message} ${n}`, level, n };
    costs.measure(() => call(logData));
  }
}

/** Pino, which writes at once. */
function peer() {
  const { createRequire } = require('node:module');
  const find = createRequire(`${process.env.NODE_PATH || __dirname}/any.js`);
  const pino = find('pino');
  const logger = pino({}, pino.destination({ dest: openSync('/dev/null', 'w'), sync: true }));
  return (/** @type {any} */ { message, level, ...fields }) => logger[level.toLowerCase()](fields, message);
}

async function main() {
  const { options, steps } = JSON.parse(readFileSync(0, 'utf8'));
  /** @type {string[]} */
  const problems = [];
  const publisher = createPublisher({ ...options, on_problem: (problem) => void problems.push(problem) });
  let calls = 0;
  /** @type {boolean | null} */
  let flushed = null;
  let costs = new Costs();
  let peerCosts = new Costs();
  for (const step of steps) {
    switch (step.do) {
      case 'publish': {
        const { do: _do, logData, ...where } = step;
        publisher.publish(logData, where);
        calls += 1;
        break;
      }
      case 'repeat':
        costs = new Costs();
        await repeat(step, costs, (logData) => publisher.publish(logData));
        calls += step.count;
        break;
      case 'repeat_peer':
        peerCosts = new Costs();
        await repeat(step, peerCosts, peer());
        break;
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, step.ms));
        break;
      case 'flush':
        flushed = await publisher.flush(step.ms);
        break;
      case 'close':
        flushed = await publisher.close(step.ms);
        break;
      default:
        throw new Error(`there is no step ${step.do}`);
    }
  }
  // After the publisher's own end, which listens since its first record.
  process.on('exit', () => {
    writeSync(1, `${JSON.stringify({ ...publisher.stats(), flushed, calls, ...costs.figures(''), ...peerCosts.figures('peer_'), problems })}\n`);
  });
}

void main();
