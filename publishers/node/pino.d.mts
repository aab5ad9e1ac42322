import type { Writable } from 'node:stream';
import type { PublisherOptions } from './types.js';

export interface PinoOptions extends PublisherOptions {
  /** What pino calls the message, where this was changed; `msg`. */
  messageKey?: string;
}

/** A stream that takes pino's lines: in the thread of a transport, or as `pino(options, stream)`. It ends when it has sent what it has. */
export default function transport(options?: PinoOptions): Writable;
