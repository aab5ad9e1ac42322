// Two copies of the library, as two parts of a page that were built apart have them.
import { createLogsClient as one } from './one/core.js';
import { createLogsClient as two } from './two/core.js';

const copies = { one, two };
const parts = new Map();

window.parts = {
  mount(name, { copy = 'one', client = {}, ...options }) {
    const given = [];
    const onRecords = (records) => given.push(...records.map(({ id }) => id));
    const owner = copies[copy](client);
    parts.set(name, { owner, given, subscription: owner.subscribe({ maxLogs: 100_000, ...options, onRecords }) });
  },
  unmount(name) {
    parts.get(name).subscription.close();
  },
  disconnect: (name) => parts.get(name).owner.disconnect(),
  connect: (name) => parts.get(name).owner.connect(),
  // In the order in which they were given, ever since the part was mounted.
  given: (name) => parts.get(name).given,
  shown: (name) => parts.get(name).subscription.snapshot.logs.map(({ id }) => id),
  gaps: (name) => parts.get(name).subscription.snapshot.gaps,
  status(name) {
    const { connectionStatus, streamId, error } = parts.get(name).subscription.snapshot;
    return { connectionStatus, streamId, error };
  },
};
