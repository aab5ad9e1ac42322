//! [`ProxySettings`]: flags and environment variables of `logs-gateway proxy`, as they were given.

use std::path::PathBuf;

use clap::Args;

/// Flags and environment variables, as they were given. `ProxyConfig::from_settings` makes sense of them.
#[derive(Args, Clone, Default)]
pub struct ProxySettings {
    /// Port to listen on; 0 picks a free one and prints it [default: 3000]
    #[arg(long, env = "PORT")]
    pub port: Option<String>,
    /// Address to listen on [default: 0.0.0.0]
    #[arg(long, env = "HOST")]
    pub host: Option<String>,
    /// The proxy's certificate, as a PEM file with those that lead to it: opens HTTPS and HTTP/2 [default: none, plain HTTP]
    #[arg(long, env = "TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, as a PEM file; both are read again on SIGHUP
    #[arg(long, env = "TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// `development` makes up an identity where there is none; `production` refuses [default: development]
    #[arg(long, env = "NODE_ENV", value_name = "MODE")]
    pub node_env: Option<String>,
    /// The gateway to forward to, http or https [default: http://localhost:3002]
    #[arg(long, env = "SSE_BACKEND_URL", value_name = "URL")]
    pub upstream: Option<String>,
    /// Where the routes are: below it `stream`, `streams/{id}`, `history`, `channels` [default: /api/dapadmin/l5-etl/sse/logs]
    #[arg(long, env = "PROXY_PREFIX", value_name = "PATH")]
    pub prefix: Option<String>,
    /// The service of the channel that `workspace_id` and `workflow_id` name [default: etl]
    #[arg(long, env = "PROXY_SERVICE", value_name = "NAME")]
    pub service: Option<String>,
    /// What the gateway knows this proxy by: its own PROXY_TOKEN (with AUTH=proxy)
    #[arg(long, env = "PROXY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Who is behind a request. `header`: whom a sign-on in front of this proxy names in headers, so nobody else may reach it;
    /// `fixed`: always the same; `hook`: whom a URL names, asked with the request's cookie [default: header in development,
    /// none in production]
    #[arg(long, env = "PROXY_IDENTITY", value_name = "MODE")]
    pub identity: Option<String>,
    /// The header that names the user, of the request (`header`) or of the hook's answer (`hook`) [default: x-user-id]
    #[arg(long, env = "PROXY_USER_HEADER", value_name = "NAME")]
    pub user_header: Option<String>,
    /// The header that names the workspaces the user may read: one, a comma list, or `*` [default: x-workspace-id]
    #[arg(long, env = "PROXY_WORKSPACE_HEADER", value_name = "NAME")]
    pub workspace_header: Option<String>,
    /// The user, for `fixed`
    #[arg(long, env = "PROXY_USER_ID", value_name = "USER")]
    pub user_id: Option<String>,
    /// The workspaces, for `fixed`: one, a comma list, or `*`
    #[arg(long, env = "PROXY_WORKSPACE_ID", value_name = "NAMES")]
    pub workspace_id: Option<String>,
    /// Whom to ask, for `hook`: gets the request's Cookie and Authorization; 2xx with both headers is the identity, 401 and 403
    /// are passed on
    #[arg(long, env = "PROXY_IDENTITY_URL", value_name = "URL")]
    pub identity_url: Option<String>,
    /// How long the gateway may take until its answer begins: seconds, or with a unit as in 500ms [default: 30s]
    #[arg(long, env = "PROXY_ANSWER_WITHIN", value_name = "TIME")]
    pub answer_within: Option<String>,
    /// The longest a polite stop may take, in milliseconds [default: 10000]
    #[arg(long, env = "DRAIN_MS", value_name = "MS")]
    pub drain_ms: Option<String>,
    /// How much the proxy says about itself: error, warn, info, debug, trace, or a filter by module [default: info]
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// text or json [default: text; json in production]
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}
