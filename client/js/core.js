// The package without React.

export { LogsClient, LogsSubscription, createLogsClient } from './client.js';
