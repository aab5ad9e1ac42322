'use client';
// The package: React's hooks, and the client for anything else.

export * from './core.js';
export { LogsSSEProvider, useLogsSSE, useLogsSubscription } from './react.js';
