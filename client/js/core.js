// The package without React.

export { LogsClient, LogsSubscription, createLogsClient } from './client.js';

/**
 * @typedef {import('./client.js').ClientOptions} ClientOptions
 * @typedef {import('./client.js').ConnectionStatus} ConnectionStatus
 * @typedef {import('./client.js').LogRecord} LogRecord
 * @typedef {import('./client.js').Snapshot} LogsSnapshot
 * @typedef {import('./client.js').SubscribeOptions} SubscribeOptions
 * @typedef {import('./item.js').Gap} Gap
 */
