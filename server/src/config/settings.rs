//! [`Settings`]: flags and environment variables, as they were given.

use std::path::PathBuf;

use clap::Args;

/// Flags and environment variables, as they were given. `Config::from_settings` makes sense of them.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Port to listen on; 0 picks a free one and prints it [default: 3002]
    #[arg(long, env = "PORT", global = false)]
    pub port: Option<String>,
    /// Address to listen on [default: 0.0.0.0]
    #[arg(long, env = "HOST")]
    pub host: Option<String>,
    /// The gateway's certificate, as a PEM file with those that lead to it: opens HTTPS and HTTP/2 [default: none, plain HTTP]
    #[arg(long, env = "TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, as a PEM file; both are read again on SIGHUP
    #[arg(long, env = "TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// `development` opens what makes trying out easy; `production` opens nothing by itself [default: development]
    #[arg(long, env = "NODE_ENV", value_name = "MODE")]
    pub node_env: Option<String>,
    /// Origins whose pages may call: `*`, or a comma list such as `https://app.example.com,https://*.example.com` [default: *]
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "LIST")]
    pub allowed_origins: Option<String>,
    /// How much the gateway says about itself: error, warn, info, debug, trace, or a filter by module [default: info]
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// text or json [default: text; json in production]
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Who may publish: `token=service[,service…][@workspace[,…]];…`, `*` for all [default: the demo tokens in development, nobody in production]
    #[arg(long, env = "SERVICE_TOKENS", value_name = "GRANTS", hide_env_values = true)]
    pub service_tokens: Option<String>,
    /// The same from a file, a grant a line; `#` starts a comment
    #[arg(long, env = "SERVICE_TOKENS_FILE", value_name = "FILE")]
    pub service_tokens_file: Option<PathBuf>,
    /// Opens statistics, metrics and the closing of streams to whoever has it [default: open in development, closed in production]
    #[arg(long, env = "ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
    /// Who may read: `open` everybody, `proxy` whom a proxy has logged in, `jwt` who shows a signed token [default: open in development, nobody in production]
    #[arg(long, env = "AUTH", value_name = "MODE")]
    pub auth: Option<String>,
    /// For AUTH=proxy: what the proxy sends as X-Proxy-Token; a comma list while it is changed
    #[arg(long, env = "PROXY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub proxy_token: Option<String>,
    /// For AUTH=jwt: the secret that tokens are signed with (HS256); it should have 32 bytes or more
    #[arg(long, env = "JWT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// For AUTH=jwt: the public keys of whoever signs, as PEM or a JWKS: RSA (RS256), P-256 (ES256), Ed25519 (EdDSA)
    #[arg(long, env = "JWT_PUBLIC_KEY_FILE", value_name = "FILE")]
    pub jwt_public_key_file: Option<PathBuf>,
    /// For AUTH=jwt: the cookie that may hold the token
    #[arg(long, env = "JWT_COOKIE", value_name = "NAME")]
    pub jwt_cookie: Option<String>,
    /// For AUTH=jwt: for whom a token must be made (aud), any of a comma list [default: not asked]
    #[arg(long, env = "JWT_AUDIENCE", value_name = "LIST")]
    pub jwt_audience: Option<String>,
    /// For AUTH=jwt: who must have made it (iss), any of a comma list [default: not asked]
    #[arg(long, env = "JWT_ISSUER", value_name = "LIST")]
    pub jwt_issuer: Option<String>,
    /// Proxies whose X-Forwarded-For tells where a reader is: addresses and networks such as 10.0.0.0/8 [default: none]
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// Where records are kept: disk or memory [default: disk]
    #[arg(long, env = "STORE", value_name = "KIND")]
    pub store: Option<String>,
    /// The folder for records; no two gateways may share one [default: ./data]
    #[arg(long, env = "DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// What an acknowledged record survives: the end of the `process`, by `kill -9` too; or with `fsync` the loss of power [default: process]
    #[arg(long, env = "DURABILITY", value_name = "KIND")]
    pub durability: Option<String>,
    /// Keeps records in Redis (7 or later) or Valkey instead, shared by all gateways that name the same one: redis://, rediss:// with TLS, unix://
    /// or redis-sentinel://host,host/name; with user:password@ before the host [default: none]
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// With REDIS_URL: how every key begins. Gateways with another prefix share nothing with these [default: logs-gateway:]
    #[arg(long, env = "REDIS_PREFIX", value_name = "TEXT")]
    pub redis_prefix: Option<String>,
    /// With REDIS_URL: how many replicas must have a record before it is acknowledged [default: 0]
    #[arg(long, env = "REDIS_REPLICAS", value_name = "COUNT")]
    pub redis_replicas: Option<String>,
    /// Records kept per channel [default: 100000]
    #[arg(long, env = "RETENTION_RECORDS", value_name = "COUNT")]
    pub retention_records: Option<String>,
    /// How long records are kept: seconds, or with a unit as in 12h or 7d [default: 7d]
    #[arg(long, env = "RETENTION_AGE", value_name = "AGE")]
    pub retention_age: Option<String>,
    /// What records may take in all, before compression: bytes, or with a unit as in 4GiB [default: 4GiB; 512MiB in memory or in Redis]
    #[arg(long, env = "RETENTION_BYTES", value_name = "SIZE")]
    pub retention_bytes: Option<String>,
    /// The longest silence on a stream, in milliseconds [default: 15000]
    #[arg(long, env = "HEARTBEAT_MS", value_name = "MS")]
    pub heartbeat_ms: Option<String>,
    /// While the gateway is busy, a stream is woken by records no sooner than so many milliseconds after the last time, and is sent all that
    /// came meanwhile; 0: at once, always [default: 10]
    #[arg(long, env = "WRITE_PACE_MS", value_name = "MS")]
    pub write_pace_ms: Option<String>,
    /// The longest a polite stop may take, in milliseconds [default: 10000]
    #[arg(long, env = "DRAIN_MS", value_name = "MS")]
    pub drain_ms: Option<String>,
    /// Connections that may be open [default: what MAX_STREAMS needs and 1024 more, as far as the system gives files]
    #[arg(long, env = "MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<String>,
    /// Streams that may be open on this gateway [default: 20000]
    #[arg(long, env = "MAX_STREAMS", value_name = "COUNT")]
    pub max_streams: Option<String>,
    /// Streams that may be open for one user, or for one address where readers have no name; with Redis over all gateways [default: 64]
    #[arg(long, env = "MAX_STREAMS_PER_USER", value_name = "COUNT")]
    pub max_streams_per_user: Option<String>,
    /// Streams that may be open for one address of named readers, this machine's own not counted; with Redis over all gateways [default: 1000]
    #[arg(long, env = "MAX_STREAMS_PER_ADDRESS", value_name = "COUNT")]
    pub max_streams_per_address: Option<String>,
    /// Streams a second that one user, or address without a name, may open on the long run, on each gateway; 0: any number [default: 50]
    #[arg(long, env = "STREAM_RATE", value_name = "COUNT")]
    pub stream_rate: Option<String>,
    /// Records a second that one token may publish, and the most it may send at once, on each gateway; 0: any number [default: 0]
    #[arg(long, env = "PUBLISH_RATE", value_name = "COUNT")]
    pub publish_rate: Option<String>,
    /// Different channels that one token may publish to within a day, through each gateway; 0: any number [default: 100000]
    #[arg(long, env = "MAX_CHANNELS_PER_TOKEN", value_name = "COUNT")]
    pub max_channels_per_token: Option<String>,
    /// The largest body of a publication, unpacked: bytes, or with a unit [default: 8MiB]
    #[arg(long, env = "MAX_BODY_BYTES", value_name = "SIZE")]
    pub max_body_bytes: Option<String>,
    /// OpenTelemetry's attributes that name a record's service, the first of a comma list that it has [default: service.name]
    #[arg(long, env = "OTLP_SERVICE", value_name = "LIST")]
    pub otlp_service: Option<String>,
    /// Those that name its workspace [default: workspace.id,service.namespace]
    #[arg(long, env = "OTLP_WORKSPACE", value_name = "LIST")]
    pub otlp_workspace: Option<String>,
    /// Those that name the workflow, function or other resource within it [default: workflow.id,faas.name]
    #[arg(long, env = "OTLP_RESOURCE", value_name = "LIST")]
    pub otlp_resource: Option<String>,
    /// The workspace of OpenTelemetry's records that name none [default: none, they are refused]
    #[arg(long, env = "OTLP_DEFAULT_WORKSPACE", value_name = "WORKSPACE")]
    pub otlp_default_workspace: Option<String>,
}
