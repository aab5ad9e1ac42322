import { Publisher, PublisherOptions } from './types.js';

export * from './types.js';

/** Makes a publisher. Wrong settings are told as a problem, and none is thrown. */
export function createPublisher(options?: PublisherOptions): Publisher;

/** Makes the publisher of the functions below, which is otherwise made from the environment, and returns it. What the one before has is still sent. */
export function configure(options?: PublisherOptions): Publisher;

/** Publishes a record of the service `faas`. */
export function publishFAASLog(workspace_id: string, workflow_id: string, logData: unknown): void;

/** Publishes a record of the service `etl`. */
export function publishETLLog(workspace_id: string, workflow_id: string, logData: unknown): void;

/** Publishes a message; the level is INFO unless told otherwise. */
export function publishLog(message: unknown, level?: string, fields?: unknown): void;
