// The tag `<logs-widget>`, as the gateway's `/logs-widget.js` makes it known: its types only.

import type { DetailedHTMLProps, HTMLAttributes } from 'react';

import type { LogRecord, ConnectionStatus } from './client.js';

/** What `logs-status` tells, after each change of any of it. */
export interface LogsStatus {
  status: ConnectionStatus;
  /** What is wrong, in a sentence. */
  error: string | null;
  /** Whether the gateway wants a token, or another one. */
  isUnauthorized: boolean;
  /** The gateway's name for the stream. */
  streamId: string | null;
}

/** What `logs-record` tells: what came in since the last one. */
export interface LogsBatch {
  readonly records: LogRecord[];
  readonly count: number;
}

/** The element. What may be set may be set at any time. */
export interface LogsWidgetElement extends HTMLElement {
  service: string | null;
  workspaceId: string | null;
  workflowId: string | null;
  resourceId: string | null;
  functionId: string | null;
  /** Channels and patterns, separated by commas. */
  channels: string | null;
  /** Where the gateway is; left out: where the script comes from. */
  gatewayUrl: string | null;
  maxLogs: string | null;
  persistence: string | null;
  scope: string | null;
  withCredentials: string | null;
  at: string | null;
  label: string | null;
  theme: string | null;
  /** The reader's token, or a function that gives it, also as a promise; asked before each request. */
  token: string | (() => string | null | undefined | Promise<string | null | undefined>) | null;
  /** The records, the oldest first. */
  readonly logs: LogRecord[];
  readonly status: ConnectionStatus;
  readonly error: string | null;
  readonly isUnauthorized: boolean;
  readonly streamId: string | null;
  /** Connects, or tries again at once after an error. */
  connect(): void;
  /** Closes the stream. The lines stay. */
  disconnect(): void;
}

/** The attributes of the tag. */
export interface LogsWidgetAttributes {
  service?: string;
  'workspace-id'?: string;
  'workflow-id'?: string;
  'resource-id'?: string;
  'function-id'?: string;
  channels?: string;
  'gateway-url'?: string;
  'max-logs'?: number | string;
  persistence?: boolean | '' | 'true' | 'false';
  scope?: 'page' | 'browser';
  'with-credentials'?: boolean | '' | 'true' | 'false';
  /** Everybody sees it who sees the page; the property takes a function too. */
  token?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  at?: string;
  label?: string;
  theme?: 'light' | 'dark' | 'auto';
}

declare global {
  interface HTMLElementTagNameMap {
    'logs-widget': LogsWidgetElement;
  }
  interface HTMLElementEventMap {
    'logs-status': CustomEvent<LogsStatus>;
    'logs-record': CustomEvent<LogsBatch>;
  }
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'logs-widget': DetailedHTMLProps<HTMLAttributes<LogsWidgetElement>, LogsWidgetElement> & LogsWidgetAttributes;
    }
  }
}
