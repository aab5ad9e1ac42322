'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Drops } = require('../lib/drops.js');
const { NAMES, rankOf } = require('../lib/level.js');
const { Queue } = require('../lib/queue.js');
const { recordOf } = require('../lib/record.js');

/** @param {number} order @param {string} level @param {number} bytes */
const made = (order, level, bytes = 10) => Object.assign(recordOf('logs:a:b', '{}', NAMES.indexOf(level), order), { bytes });

/** @param {Queue} queue */
function filler(queue) {
  /** @type {number[]} */
  const dropped = [];
  let order = 0;
  return { dropped, offer: (/** @type {string} */ level, bytes = 10) => queue.offer(made((order += 1), level, bytes), (record) => dropped.push(record.order)) };
}
const orders = (/** @type {any[]} */ records) => records.map(({ order }) => order);

test('the oldest of the lowest level makes room, and nothing for what is lower', () => {
  const queue = new Queue(3, 1_000);
  const { offer, dropped } = filler(queue);
  for (const level of ['INFO', 'DEBUG', 'DEBUG', 'WARN', 'DEBUG', 'TRACE', 'ERROR', 'FATAL']) offer(level);
  // 2 for 4, 3 for 5, 6 itself, 5 for 7, 1 for 8.
  assert.deepEqual(dropped, [2, 3, 6, 5, 1]);
  assert.deepEqual(orders(queue.take(10, 1_000)), [4, 7, 8]);
});

test('a large record takes the place of several, or of none', () => {
  const queue = new Queue(10, 100);
  const { offer, dropped } = filler(queue);
  for (const level of ['INFO', 'INFO', 'ERROR']) offer(level, 30);
  offer('INFO', 80);
  assert.deepEqual(dropped, [4]);
  offer('WARN', 60);
  assert.deepEqual(dropped, [4, 1, 2]);
  assert.equal(queue.bytes, 90);
});

test('what is being sent needs its room until it is done', () => {
  const queue = new Queue(2, 1_000);
  const { offer, dropped } = filler(queue);
  offer('INFO');
  const [sent] = queue.take(1, 1_000);
  offer('INFO');
  offer('INFO');
  assert.deepEqual(dropped, [2]);
  queue.done(sent);
  offer('INFO');
  assert.deepEqual([dropped, queue.count, queue.bytes], [[2], 2, 20]);
});

test('records come out in the order of their calls, whatever their levels, within the bounds of a request', () => {
  const queue = new Queue(100, 10_000);
  const { offer } = filler(queue);
  for (const level of ['INFO', 'ERROR', 'DEBUG', 'FATAL', 'INFO', 'TRACE']) offer(level);
  assert.deepEqual(orders(queue.take(2, 1_000)), [1, 2]);
  assert.deepEqual(orders(queue.take(10, 20)), [3, 4]);
  assert.deepEqual(orders(queue.take(10, 1)), [5]);
  assert.equal(queue.order, 6);
});

test('a full queue takes as long for a record as an empty one', () => {
  const queue = new Queue(200_000, 1e9);
  const { offer } = filler(queue);
  const time = () => {
    const start = performance.now();
    for (let count = 0; count < 200_000; count += 1) offer('INFO');
    return performance.now() - start;
  };
  time();
  assert.ok(time() < 3_000);
  assert.equal(queue.count, 200_000);
});

test('levels are known as the gateway knows them', () => {
  const cases = /** @type {[unknown, string][]} */ ([['warning', 'WARN'], [' Err ', 'ERROR'], ['PANIC', 'FATAL'], [30, 'INFO'], ['50', 'ERROR'], [35, 'INFO'], ['loud', 'INFO'], [undefined, 'INFO'], [{}, 'INFO']]);
  for (const [level, name] of cases) assert.equal(NAMES[rankOf(level)], name);
});

test('what was dropped is told by channel, of a hundred at most, and can be taken back', () => {
  const drops = new Drops();
  for (let channel = 0; channel < 150; channel += 1) drops.count(`logs:a:${channel}`, 2, 'queue_full');
  drops.count('logs:a:1', 4, 'refused');
  drops.count('logs:a:1', 4, 'closed');
  drops.count(null, 4, 'refused');
  const notices = drops.take();
  assert.equal(notices.length, 100);
  assert.ok(drops.isTold);
  assert.equal(JSON.parse(notices[0].line).logData.dropped, 51);
  const told = JSON.parse(notices[1].line);
  assert.deepEqual([told.channel, told.logData.message, told.logData.reasons, told.logData.levels], ['logs:a:1', '2 records dropped by the publisher', { queue_full: 1, refused: 1 }, { INFO: 1, ERROR: 1 }]);
  drops.restore(notices[1]);
  drops.count('logs:a:1', 2, 'queue_full');
  assert.equal(JSON.parse(drops.take()[0].line).logData.dropped, 3);
  assert.deepEqual(drops.counts, { queue_full: 151, refused: 2, closed: 1 });
});
