import { LogsTransport } from '@datashop/logs-sse-publisher/winston';
import winston from 'winston';

const transport = new LogsTransport({ level: 'warn', service: 'etl', format: winston.format.json() });
winston.createLogger({ transports: [transport] }).add(transport);
