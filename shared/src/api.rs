//! Paths, headers and limits that both ends spell.

/// The stream of records: `GET`, answered with `text/event-stream`.
pub const STREAM_PATH: &str = "/api/logs/stream";
/// The same stream under its older name; `POST` on it publishes.
pub const STREAM_ALIAS_PATH: &str = "/logs/stream";
/// Open streams; a slash and its `stream_id` name one. `PATCH` changes what it follows.
pub const STREAMS_PATH: &str = "/api/logs/streams";
/// Publishing: `POST` with a JSON object, a JSON array or NDJSON.
pub const PUBLISH_PATH: &str = "/api/logs/publish";
/// Publishing for what speaks OpenTelemetry: `POST` with OTLP's logs, in protobuf or JSON.
pub const OTLP_LOGS_PATH: &str = "/v1/logs";
/// Publishing for trying out, without a token; off in production.
pub const TEST_LOGS_PATH: &str = "/test/logs";
/// A page of the past.
pub const HISTORY_PATH: &str = "/api/logs/history";
/// The channels that exist and the caller may see.
pub const CHANNELS_PATH: &str = "/api/logs/channels";
/// Whether the gateway is well.
pub const HEALTH_PATH: &str = "/health";
/// Whether the process runs at all.
pub const HEALTH_LIVE_PATH: &str = "/health/live";
/// Whether the gateway may be sent requests.
pub const HEALTH_READY_PATH: &str = "/health/ready";
/// What the gateway is doing, for operators.
pub const STATS_PATH: &str = "/admin/logs/stats";
/// Everything that can be asked of the gateway, as OpenAPI describes it.
pub const OPENAPI_PATH: &str = "/openapi.json";
/// What the gateway counts, for Prometheus.
pub const METRICS_PATH: &str = "/metrics";
/// Open streams, for operators; a slash, a stream's id or number and `/close` end it.
pub const ADMIN_STREAMS_PATH: &str = "/admin/logs/streams";
/// Ends what a user or a token may, at once.
pub const REVOKE_PATH: &str = "/admin/logs/revoke";

/// The live logs page.
pub const PAGE_PATH: &str = "/";
/// The page shell with three micro frontends.
pub const DEMO_PATH: &str = "/demo";
/// The micro frontends of the demo, each a path of its own so that a reload stays where it was.
pub const DEMO_VIEW_PATHS: [&str; 3] = ["/indata/logs", "/faas/logs", "/functions/logs"];
/// How the gateway does, for operators, as it changes.
pub const ADMIN_PATH: &str = "/admin";
/// What [`OPENAPI_PATH`] says, for people.
pub const DOCS_PATH: &str = "/docs";

/// The script that makes `<logs-widget>` known to a page of any origin. Its address never changes.
pub const WIDGET_PATH: &str = "/logs-widget.js";

/// Names the publisher's token. `Authorization: Bearer` does the same.
pub const SERVICE_TOKEN_HEADER: &str = "x-service-token";
/// Names a publication, so that it can be repeated when its answer was lost
/// (IETF draft httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
/// Names the reader where reading is open, or where a proxy says who reads.
pub const USER_ID_HEADER: &str = "x-user-id";
/// Names the workspaces that the reader of a proxy may see, apart by commas.
pub const WORKSPACE_ID_HEADER: &str = "x-workspace-id";
/// Holds a reader's token in a query, because an `EventSource` can set no header.
pub const TOKEN_PARAMETER: &str = "token";
/// Proves that a proxy may say who reads.
pub const PROXY_TOKEN_HEADER: &str = "x-proxy-token";
/// The cursor an `EventSource` sends when it reconnects (WHATWG HTML, section 9.2.3).
pub const LAST_EVENT_ID_HEADER: &str = "last-event-id";

/// One JSON object or array.
pub const JSON_TYPE: &str = "application/json";
/// One JSON object a line.
pub const NDJSON_TYPE: &str = "application/x-ndjson";
/// RFC 9457.
pub const PROBLEM_TYPE: &str = "application/problem+json";
/// WHATWG HTML, section 9.2.5.
pub const EVENT_STREAM_TYPE: &str = "text/event-stream";

/// The longest channel segment, in characters.
pub const MAX_SEGMENT_CHARS: usize = 128;
/// The most channels and patterns a stream may follow.
pub const MAX_CHANNELS_PER_STREAM: usize = 128;
/// The most entries one change of a stream's set may have.
pub const MAX_CHANGES: usize = 1_024;
/// The largest body of such a change, in bytes.
pub const MAX_CHANGE_BYTES: usize = 1024 * 1024;
/// The most conditions one entry of a stream's set may have.
pub const MAX_CONDITIONS: usize = 8;
/// The longest field name in a condition, in characters.
pub const MAX_CONDITION_NAME_CHARS: usize = 128;
/// The longest text in a condition, in characters.
pub const MAX_CONDITION_TEXT_CHARS: usize = 256;
/// The longest path and query of a request, in bytes. As many channels as a stream may follow, each as long as it may
/// be and every mark in it escaped, take five sixths of it.
pub const MAX_URI_BYTES: usize = 60 * 1024;
/// The most headers of a request. Somewhat fewer than the 100 for which HTTP servers set memory aside on their stacks,
/// and over which some of them, this gateway's too, refuse without a word.
pub const MAX_HEADERS: usize = 96;
/// The most bytes they may have together, names and values.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
/// The largest encoded record, in bytes.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// The most records one publication may hold, broken ones included. Three bytes can be a record, so of a body of many
/// megabytes, which a few kilobytes can be packed into, a gateway would make gigabytes.
pub const MAX_RECORDS_PER_PUBLICATION: usize = 100_000;
/// How deep `logData` may nest. A browser and every JSON reader can follow this far.
pub const MAX_DEPTH: usize = 64;
/// The most records `tail=` gives; a larger number is read as this one.
pub const MAX_TAIL: usize = 10_000;
/// How long a stream may be silent, in milliseconds, unless the operator says otherwise.
pub const DEFAULT_HEARTBEAT_MS: u64 = 15_000;
/// What a browser waits before it reconnects, in milliseconds, before jitter.
pub const RETRY_MS: u64 = 2_000;
/// The port a gateway listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 3002;
/// Where the command line looks for a gateway unless told otherwise.
pub const DEFAULT_URL: &str = "http://localhost:3002";

/// The tokens that work in development without being configured, each with its service.
pub const DEMO_TOKENS: [(&str, &str); 4] = [
    ("l5-etl-token", "etl"),
    ("faas-token", "faas"),
    ("function-token", "function"),
    ("analytics-token", "analytics"),
];
