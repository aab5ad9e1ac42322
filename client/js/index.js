'use client';
// The package: React's hooks, and the client for anything else.

export * from './core.js';
export { LogsSSEProvider, useLogsSSE, useLogsSubscription } from './react.js';

/**
 * The tag, which the gateway's own script makes known.
 * @typedef {import('./widget.js').LogsWidgetElement} LogsWidgetElement
 */
