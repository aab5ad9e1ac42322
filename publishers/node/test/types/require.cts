import publisher = require('@datashop/logs-sse-publisher');
import transport = require('@datashop/logs-sse-publisher/pino');
import winston = require('@datashop/logs-sse-publisher/winston');

const made: publisher.Publisher = publisher.createPublisher({ close_ms: 100 });
made.info('m', { rows: 1 });
publisher.publishFAASLog('w', 'f', 'm');
const options: transport.PinoOptions = { messageKey: 'message' };
transport(options).end();
const one: winston.LogsTransport = new winston.LogsTransport({ silent: true });
one.flush(100).then((isSent: boolean) => isSent);
// @ts-expect-error: a reason that there is not
made.stats().dropped.other;
