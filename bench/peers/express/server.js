// Server-Sent Events with Express, as they are written first: nothing is kept, and who was away has missed it.

import express from 'express';

/** Who reads which channel. @type {Map<string, Set<express.Response>>} */
const channels = new Map();
let number = 0;

const app = express();
app.use(express.json());

app.get('/stream', (request, response) => {
  const names = request.query.channels.split(',');
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  for (const name of names) {
    if (!channels.has(name)) channels.set(name, new Set());
    channels.get(name).add(response);
  }
  request.on('close', () => {
    for (const name of names) {
      const readers = channels.get(name);
      readers.delete(response);
      if (readers.size === 0) channels.delete(name);
    }
  });
});

app.post('/publish', (request, response) => {
  if (request.get('x-service-token') !== process.env.TOKEN) return response.sendStatus(401);
  const { channel, level, message } = request.body;
  const [, service, workspace_id, workflow_id] = channel.split(':');
  const now = new Date();
  const id = `${now.getTime()}-${number++}`;
  const timestamp = now.toISOString();
  const record = { type: 'log', id, channel, service, workspace_id, workflow_id, timestamp, level, message };
  const event = `id: ${id}\ndata: ${JSON.stringify(record)}\n\n`;
  for (const reader of channels.get(channel) ?? []) reader.write(event);
  response.json({ success: true, id });
});

const server = app.listen(0, '127.0.0.1', 16384, () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
