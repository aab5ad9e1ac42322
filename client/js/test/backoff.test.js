import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../backoff.js';

const ALMOST_ONE = 0.999_999;

test('waits double up to the longest', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 8 }, () => backoff.lost(0, ALMOST_ONE));
  assert.deepEqual(waits, [499, 999, 1999, 3999, 4999, 4999, 4999, 4999]);
  for (let tries = 0; tries < 5_000; tries += 1) assert.ok(backoff.lost(0, ALMOST_ONE) < 5_000);
});

test('a wait is anything down to nothing', () => {
  const backoff = new Backoff();
  assert.equal(backoff.lost(0, 0), 0);
  assert.equal(backoff.lost(0, 0.5), 500);
});

test('it starts over after a stable stream', () => {
  const backoff = new Backoff();
  for (let tries = 0; tries < 5; tries += 1) backoff.lost(0, 0.5);
  backoff.opened(1_000);
  assert.equal(backoff.lost(11_000, 0.5), 250);
});

test('a stream that was lost at once counts as a failed try', () => {
  const backoff = new Backoff();
  backoff.lost(0, 0.5);
  backoff.opened(1_000);
  assert.equal(backoff.lost(2_000, 0.5), 500);
  // The time it was open is not counted twice.
  assert.equal(backoff.lost(60_000, 0.5), 1_000);
});
