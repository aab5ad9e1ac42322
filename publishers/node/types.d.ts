/** Where a record goes: the channel `logs:{service}:{workspace_id}` or `logs:{service}:{workspace_id}:{workflow_id}`. */
export interface Where {
  /** Who publishes: etl, faas, function, … */
  service?: string;
  workspace_id?: string;
  workflow_id?: string;
  /** The same as `workflow_id` by another name. */
  resource_id?: string;
  /** The same as `workflow_id` by another name. */
  function_id?: string;
}

/** What is left out comes from the environment, and else is what is said here. */
export interface PublisherOptions extends Where {
  /** The gateway; `LOGS_GATEWAY_URL`, `http://localhost:3002`. */
  url?: string | URL;
  /** A token that may publish; `LOGS_GATEWAY_TOKEN`, none. */
  token?: string;
  /** `LOGS_SERVICE`. */
  service?: string;
  /** `LOGS_WORKSPACE_ID`. */
  workspace_id?: string;
  /** `LOGS_WORKFLOW_ID`; none: the channel of three parts. */
  workflow_id?: string;
  /** The most records that wait; 10,000. */
  max_records?: number;
  maxRecords?: number;
  /** The most bytes of encoded records that wait; 8 MiB. */
  max_bytes?: number;
  maxBytes?: number;
  /** How long a record waits for company, in milliseconds; 100. */
  linger_ms?: number;
  lingerMs?: number;
  /** How long a request may take in all, in milliseconds; 5000. */
  timeout_ms?: number;
  timeoutMs?: number;
  /** How long the end of the program waits for what is left, in milliseconds; 5000. */
  close_ms?: number;
  closeMs?: number;
  /** Is told what is wrong, in a sentence, once a minute at most; otherwise standard error is. */
  on_problem?: (problem: string) => void;
  onProblem?: (problem: string) => void;
}

/** Why records were dropped: there was no room, they were over 256 KiB, the gateway refused them, it did not answer for nine minutes, or the program ended. */
export type DropReason = 'queue_full' | 'too_large' | 'refused' | 'unconfirmed' | 'closed';

/** In all as many as there were records. */
export interface Stats {
  /** That wait, or are being sent. */
  queued: number;
  /** That the gateway has stored. */
  sent: number;
  /** By reason; a reason that there was not is left out. */
  dropped: Partial<Record<DropReason, number>>;
}

/** Publishes a message; what JSON has no word for is written as text. */
export type Log = (message: unknown, fields?: unknown) => void;

/** Its functions need no `this`. None waits, and none throws. */
export interface Publisher {
  /** Publishes a record: an object with `message`, `level`, `timestamp` and whatever else, or a text; of anything else its JSON is the message. */
  readonly publish: (logData: unknown, where?: Where | null) => void;
  readonly trace: Log;
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
  readonly fatal: Log;
  /** Sends what there is now, for so many milliseconds (`close_ms`), and says whether nothing was left. */
  readonly flush: (ms?: number) => Promise<boolean>;
  /** As `flush`, and ends the publisher: what is left, and what comes later, is dropped. */
  readonly close: (ms?: number) => Promise<boolean>;
  readonly stats: () => Stats;
}
