import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Lines } from '../lines.js';

const record = (ms) => ({ record: { id: `${ms}-0`, message: `line ${ms}` }, text: '' });
const gap = (from, to) => ({ gap: { channel: 'logs:etl:w', from: `${from}-0`, to: `${to}-0`, reason: 'retention' } });
const ids = (lines) => lines.records.map(({ id }) => Number.parseInt(id, 10));

test('the newest are kept, and none twice', () => {
  const lines = new Lines(3);
  assert.equal(lines.add([record(1), record(2)]).length, 2);
  assert.equal(lines.add([record(2), record(3), record(4)]).length, 2);
  assert.deepEqual(ids(lines), [2, 3, 4]);
});

test('one that comes twice in one batch is there once', () => {
  const lines = new Lines(10);
  assert.equal(lines.add([record(1), record(2), record(2), record(1), record(3)]).length, 3);
  assert.deepEqual(ids(lines), [1, 2, 3]);
});

test('what was given before is never changed', () => {
  const lines = new Lines(10);
  lines.add([record(1)]);
  const before = lines.records;
  lines.add([]);
  assert.equal(lines.records, before);
  lines.add([record(2)]);
  assert.equal(before.length, 1);
});

test('a gap goes with the records around it', () => {
  const lines = new Lines(2);
  lines.add([record(1), gap(1, 5), record(5)]);
  assert.equal(lines.gaps.length, 1);
  lines.add([record(6), record(7), gap(7, 9)]);
  assert.deepEqual(lines.gaps, [gap(7, 9).gap]);
});

test('the past of a channel that may be read only now is put in its place, as far as there is room', () => {
  const lines = new Lines(5);
  lines.add([record(3), record(6)]);
  assert.deepEqual(lines.add([record(1), record(2), record(3), record(5), record(7)]).map(({ id }) => id), ['2-0', '5-0', '7-0']);
  assert.deepEqual(ids(lines), [2, 3, 5, 6, 7]);
});

test('what is of a channel is forgotten, and the rest stays', () => {
  const lines = new Lines(5);
  const other = { ...record(2).record, channel: 'logs:faas:w' };
  lines.add([{ record: { ...record(1).record, channel: 'logs:etl:w' }, text: '' }, { record: other, text: '' }, gap(2, 4)]);
  lines.forget(['logs:etl:*']);
  assert.deepEqual([ids(lines), lines.gaps], [[2], []]);
  lines.forget(null);
  assert.deepEqual(ids(lines), []);
});
