import assert from 'node:assert/strict';
import { test } from 'node:test';

import { channelsOf, createLogsClient } from '../client.js';

test('a channel is named by its parts', () => {
  assert.deepEqual(channelsOf({ service: 'etl', workspace_id: 'w' }).channels, ['logs:etl:w']);
  assert.deepEqual(channelsOf({ service: 'etl', workspace_id: 'w', workflow_id: 'r' }).channels, ['logs:etl:w:r']);
  assert.deepEqual(channelsOf({ service: '*', workspace_id: 'w', function_id: '*' }).channels, ['logs:*:w:*']);
  assert.deepEqual(channelsOf({ channels: ['logs:a:b'] }).channels, ['logs:a:b']);
});

test('what names no channel says so and opens nothing', () => {
  const client = createLogsClient();
  for (const options of [{}, { service: 'etl' }, { service: 'e t l', workspace_id: 'w' }, { service: 'etl', workspace_id: 'a:b' }]) {
    const { snapshot } = client.subscribe(options);
    assert.equal(snapshot.connectionStatus, 'ERROR');
    assert.match(snapshot.error, /channel/);
  }
});
