import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { Endpoint, Refused } from '../endpoint.js';

test('a gateway is named by its origin, or by the path of its stream', () => {
  for (const [gatewayUrl, path] of [
    ['https://logs.example.com/', 'https://logs.example.com/api/logs/stream?channels='],
    ['', '/api/logs/stream?channels='],
    ['/api/logs/stream', '/api/logs/stream?channels='],
    ['/sse/logs/stream/', '/sse/logs/stream?channels='],
  ]) {
    const url = new Endpoint({ gatewayUrl }).streamUrl(['logs:etl:w'], null);
    assert.ok(String(url).startsWith(path), `${gatewayUrl}: ${url}`);
  }
});

test('a refusal says why', () => {
  assert.equal(new Refused(400, 'a "b"').message, 'A "b".');
  assert.equal(new Refused(502).message, 'The gateway answered with status 502.');
});

test('history is beside the stream', async () => {
  const asked = [];
  const server = createServer((request, answer) => {
    asked.push(request.url);
    answer.end('{"id":"1-0"}\n');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  for (const gatewayUrl of [origin, `${origin}/api/logs/stream`, `${origin}/sse/logs/stream/`]) {
    const lines = await new Endpoint({ gatewayUrl }).history({ limit: '1' }, new AbortController().signal);
    assert.deepEqual(lines, ['{"id":"1-0"}']);
  }
  server.close();
  assert.deepEqual(asked, ['/api/logs/history?limit=1', '/api/logs/history?limit=1', '/sse/logs/history?limit=1']);
});
