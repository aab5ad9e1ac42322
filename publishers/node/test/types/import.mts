import { configure, createPublisher, publishETLLog, publishFAASLog, publishLog, type Publisher, type Stats } from '@datashop/logs-sse-publisher';
import transport from '@datashop/logs-sse-publisher/pino';
import { LogsTransport } from '@datashop/logs-sse-publisher/winston';

const publisher: Publisher = createPublisher({ url: new URL('http://localhost'), service: 'etl', max_records: 1, on_problem: (problem) => problem.length });
publisher.publish({ message: 'm', rows: 42 }, { workspace_id: 'w', workflow_id: 'f' });
publisher.error('failed', new Error('why'));
const stats: Stats = publisher.stats();
const dropped: number | undefined = stats.dropped.queue_full;
const flushed: boolean = await publisher.flush(100);
configure({ token: 't' }).info('m');
publishFAASLog('w', 'f', 'm');
publishETLLog('w', 'f', { message: 'm' });
publishLog('m', 'WARN', { rows: dropped, flushed });
transport({ messageKey: 'message' }).end();
new LogsTransport({ level: 'warn', service: 'etl' }).end();
// @ts-expect-error: a setting that there is not
createPublisher({ urll: 'http://localhost' });
