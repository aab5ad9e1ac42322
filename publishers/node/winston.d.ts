import { Writable } from 'node:stream';
import type { PublisherOptions, Stats } from './types.js';

/** As of winston's other transports. */
export interface WinstonOptions extends PublisherOptions {
  /** The least grave level that is published; otherwise the logger's. */
  level?: string;
  /** Is applied to what is published here. */
  format?: { transform(info: any, options?: any): any; options?: any };
  silent?: boolean;
  handleExceptions?: boolean;
  handleRejections?: boolean;
}

/** A transport of winston's. */
export class LogsTransport extends Writable {
  constructor(options?: WinstonOptions);
  level?: string;
  format?: any;
  silent?: boolean;
  handleExceptions?: boolean;
  handleRejections?: boolean;
  log(info: any, next: () => void): void;
  close(): void;
  /** Sends what there is now, for so many milliseconds (`close_ms`), and says whether nothing was left. */
  flush(ms?: number): Promise<boolean>;
  stats(): Stats;
}
