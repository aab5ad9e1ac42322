// Live logs without a framework.

import { Feed } from './feed.js';
import { Lines } from './lines.js';
import { safely } from './subscription.js';

/** How many records are kept unless told otherwise. */
const MAX_LOGS = 1_000;

/**
 * @typedef {import('./connection.js').Status} ConnectionStatus
 * @typedef {import('./item.js').LogRecord} LogRecord
 * @typedef {import('./hub.js').HubOptions & { autoConnect?: boolean }} ClientOptions
 */

/**
 * What to follow: `channels`, or a `service` and a `workspace_id`, with a resource within it or without.
 * @typedef {object} SubscribeOptions
 * @property {readonly (string | import('./entry.js').Entry)[]} [channels] Channels such as `logs:etl:workspace123:workflow456`,
 *   patterns such as `logs:*:workspace123:*`, or entries with a minimum level and fields that a record must have.
 * @property {string} [service] Who publishes: etl, faas, function, … `*` for all.
 * @property {string} [workspace_id] The workspace. `*` for all.
 * @property {string} [workflow_id] The workflow within it. Left out: the channel that has none; `*`: all of the workspace.
 * @property {string} [resource_id] The same by another name. Records have it as `workflow_id`, whatever it is.
 * @property {string} [function_id] The same by another name.
 * @property {number} [maxLogs] How many of the newest records are kept. Left out: 1000.
 * @property {boolean} [persistence] Whether they are kept in IndexedDB too, so that they are there at once after a reload and
 *   the stream goes on after the last of them. Left out: no.
 * @property {(records: LogRecord[]) => void} [onRecords] Called with the records that came, in order, none twice, at most
 *   once per animation frame.
 */

/** The channels of the options, or why there are none. @param {SubscribeOptions} options */
export function channelsOf({ channels, service, workspace_id, ...ids }) {
  if (channels) return { channels, error: null };
  if (!service || !workspace_id) return { channels: [], error: 'Name channels, or a service and a workspace_id.' };
  const resource = ids.workflow_id ?? ids.resource_id ?? ids.function_id;
  const channel = ['logs', service, workspace_id, ...(resource ? [resource] : [])];
  const wrong = channel.find((segment) => segment !== '*' && !/^[\w.-]{1,128}$/.test(segment));
  if (wrong !== undefined) return { channels: [], error: `“${wrong}” is no part of a channel: 1 to 128 of A–Z a–z 0–9 . _ -` };
  return { channels: [channel.join(':')], error: null };
}

/** A client of one gateway. All clients of a page share its stream. */
export class LogsClient {
  #options;
  #isConnected;
  /** @type {Set<LogsSubscription>} */
  #subscriptions = new Set();

  /** @param {ClientOptions} [options] */
  constructor({ autoConnect = true, ...options } = {}) {
    this.#options = options;
    this.#isConnected = autoConnect;
  }

  /** Follows channels until the subscription is closed. @param {SubscribeOptions} options */
  subscribe(options) {
    const subscription = new LogsSubscription(this.#options, options, !this.#isConnected, () => {
      this.#subscriptions.delete(subscription);
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Uses this token from now on; where the gateway has refused the page for want of one, it is tried at once. @param {ClientOptions['token']} token */
  setToken(token) {
    this.#options = { ...this.#options, token };
    for (const subscription of this.#subscriptions) subscription.setToken(token);
  }

  /** Connects, or tries again at once after an error; also what was refused. */
  connect() {
    this.#isConnected = true;
    for (const subscription of this.#subscriptions) subscription.resume();
  }

  /** Leaves the stream; the records stay, and `connect` goes on after the last of them. */
  disconnect() {
    this.#isConnected = false;
    for (const subscription of this.#subscriptions) subscription.pause();
  }

  /** Closes all of its subscriptions. */
  close() {
    for (const subscription of [...this.#subscriptions]) subscription.close();
  }
}

/**
 * @typedef {object} Snapshot
 * @property {readonly LogRecord[]} logs The newest records, the oldest first.
 * @property {readonly import('./item.js').Gap[]} gaps Where records are missing.
 * @property {ConnectionStatus} connectionStatus
 * @property {boolean} isConnected
 * @property {string | null} error What is wrong, in a sentence.
 * @property {boolean} isUnauthorized Whether the gateway wants a token, or another one: nothing comes before it has it.
 * @property {string | null} streamId The gateway's name for the page's stream.
 */

/** The live records of a client's subscription. */
export class LogsSubscription {
  #lines;
  #error;
  /** @type {Feed | null} */
  #feed = null;
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** @type {Snapshot} */
  #snapshot;
  #left;

  /**
   * @param {import('./hub.js').HubOptions} hub
   * @param {SubscribeOptions} options
   * @param {boolean} isPaused
   * @param {() => void} left
   */
  constructor(hub, options, isPaused, left) {
    const { channels, error } = channelsOf(options);
    const { persistence, onRecords } = options;
    const maxLogs = Math.max(1, Math.floor(options.maxLogs ?? MAX_LOGS) || MAX_LOGS);
    this.#left = left;
    this.#error = error;
    this.#lines = new Lines(maxLogs);
    this.#snapshot = this.#look();
    if (channels.length === 0) return;
    const batch = (/** @type {import('./item.js').Item[]} */ items) => {
      const records = this.#lines.add(items);
      this.#change();
      if (records.length > 0) onRecords?.(records);
    };
    const forget = (/** @type {string[] | null} */ patterns) => {
      this.#lines.forget(patterns);
      this.#change();
    };
    const sink = { batch, forget, changed: () => this.#change() };
    this.#feed = new Feed(hub, { channels, most: maxLogs, persistence }, sink, isPaused);
    this.#snapshot = this.#look();
  }

  /** What there is now; the same object until something is another. */
  get snapshot() {
    return this.#snapshot;
  }

  /** Calls when there is another snapshot, at most once per animation frame for records; returns what ends it. @param {() => void} call */
  onChange(call) {
    this.#watchers.add(call);
    return () => {
      this.#watchers.delete(call);
    };
  }

  /** Forgets the records that are there. */
  clear() {
    this.#lines.clear();
    this.#change();
  }

  /** @param {ClientOptions['token']} token */
  setToken(token) {
    this.#feed?.setToken(token);
  }

  pause() {
    this.#feed?.pause();
  }

  resume() {
    this.#feed?.resume();
  }

  /** Leaves the stream. */
  close() {
    this.#feed?.close();
    this.#left();
    this.#change();
  }

  /** @returns {Snapshot} */
  #look() {
    const connectionStatus = this.#error ? 'ERROR' : (this.#feed?.status ?? 'DISCONNECTED');
    return {
      logs: this.#lines.records,
      gaps: this.#lines.gaps,
      connectionStatus,
      isConnected: connectionStatus === 'CONNECTED',
      error: this.#error ?? this.#feed?.error ?? null,
      isUnauthorized: this.#feed?.isUnauthorized ?? false,
      streamId: this.#feed?.streamId ?? null,
    };
  }

  #change() {
    const next = this.#look();
    const isSame = Object.entries(next).every(([name, value]) => /** @type {any} */ (this.#snapshot)[name] === value);
    if (isSame) return;
    this.#snapshot = next;
    for (const watcher of this.#watchers) safely(watcher);
  }
}

/**
 * A client of a gateway.
 * @param {ClientOptions} [options]
 */
export function createLogsClient(options) {
  return new LogsClient(options);
}
