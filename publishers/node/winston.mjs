import winston from './winston.js';

export const { LogsTransport } = winston;
