import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compareIds, isId, maxId } from '../id.js';

test('ids are ordered as numbers, however long they are', () => {
  const ordered = ['0-0', '9-9', '10-0', '1758796200000-0', '1758796200000-2', '1758796200000-10', '1758796200000-18446744073709551614', '1758796200000-18446744073709551615', '1758796200001-0'];
  for (let place = 1; place < ordered.length; place += 1) {
    assert.ok(compareIds(ordered[place - 1], ordered[place]) < 0, ordered[place]);
    assert.ok(compareIds(ordered[place], ordered[place - 1]) > 0, ordered[place]);
  }
  assert.equal(compareIds('5-1', '5-1'), 0);
});

test('the larger id is the one that is there', () => {
  assert.equal(maxId('9-0', '10-0'), '10-0');
  assert.equal(maxId(null, '10-0'), '10-0');
  assert.equal(maxId('9-0', undefined), '9-0');
  assert.equal(maxId(null, null), null);
});

test('what is no id is none', () => {
  for (const text of ['', '5', '5-', '-5', '5-x', ' 5-0', null, 5]) assert.equal(isId(text), false, String(text));
  assert.ok(isId('1758796200000-0'));
});
