import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooses, entryOf, isPlain, keyOf, toWire, wants } from '../entry.js';

test('a pattern chooses what the gateway says it does', () => {
  const channels = ['logs:etl:w', 'logs:etl:w:r', 'logs:faas:w:r', 'logs:etl:v:r'];
  const chosen = (pattern) => channels.filter((channel) => chooses(pattern, channel));
  assert.deepEqual(chosen('logs:etl:w'), ['logs:etl:w']);
  assert.deepEqual(chosen('logs:etl:w:r'), ['logs:etl:w:r']);
  assert.deepEqual(chosen('logs:*:w:r'), ['logs:etl:w:r', 'logs:faas:w:r']);
  assert.deepEqual(chosen('logs:*:w:*'), ['logs:etl:w', 'logs:etl:w:r', 'logs:faas:w:r']);
  assert.deepEqual(chosen('logs:*:*'), ['logs:etl:w']);
  assert.deepEqual(chosen('logs:*:*:*'), channels);
});

test('an entry is one however it is written', () => {
  const one = entryOf({ channel: 'logs:etl:w', where: { b: '2', a: 1 } });
  const other = entryOf({ channel: 'logs:etl:w', where: { a: '1', b: '2' } });
  assert.equal(keyOf(one), keyOf(other));
  assert.notEqual(keyOf(one), keyOf(entryOf('logs:etl:w')));
  assert.ok(isPlain(entryOf({ channel: 'logs:etl:w', where: {} })));
  assert.equal(toWire(entryOf('logs:etl:w')), 'logs:etl:w');
});

test('conditions hold for texts, numbers, booleans and null, never for what is not there', () => {
  const record = { level: 'WARN', fields: { run_id: '42', rows: 7, ok: true, none: null, deep: {} } };
  const holds = (where, level) => wants(entryOf({ channel: 'logs:etl:w', where, level }), record);
  assert.ok(holds({ run_id: '42' }) && holds({ rows: '7' }) && holds({ ok: 'true' }) && holds({ none: 'null' }));
  assert.ok(!holds({ run_id: '4' }) && !holds({ rows: '' }) && !holds({ absent: 'undefined' }) && !holds({ deep: '{}' }));
  assert.ok(!holds({ run_id: '42', rows: '8' }));
  assert.ok(holds({}, 'WARN') && !holds({}, 'ERROR'));
});
