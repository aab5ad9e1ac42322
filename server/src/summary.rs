//! [`Summary`]: what the gateway says when it starts.

use std::{fmt, net::SocketAddr};

use logs_shared::api::{DEFAULT_PORT, DEMO_PATH, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STREAM_PATH};

use crate::{access::ReadAccess, config::Config, engine::Storage, gateway::VERSION, origins::AllowedOrigins};

/// What the gateway says when it starts: where it is, who may do what, and what to try next.
pub struct Summary {
    url: String,
    everywhere: bool,
    production: bool,
    read: ReadAccess,
    publishing: Publishing,
    admin: &'static str,
    any_origin: bool,
    /// Where records are kept.
    records: String,
    /// How this program was called.
    program: String,
}

enum Publishing {
    Nobody,
    DemoTokens,
    Tokens,
}

impl Summary {
    /// The summary of a gateway that listens there.
    #[must_use]
    pub fn new(config: &Config, address: SocketAddr) -> Self {
        let everywhere = address.ip().is_unspecified();
        let tokens = &config.service_tokens;
        Self {
            url: reachable(address),
            everywhere,
            production: config.production,
            read: config.read,
            publishing: match () {
                () if tokens.is_empty() => Publishing::Nobody,
                () if tokens.has_demo_token() => Publishing::DemoTokens,
                () => Publishing::Tokens,
            },
            admin: match (config.admin.needs_token(), config.admin.is_configured()) {
                (true, _) => "who has ADMIN_TOKEN",
                (false, true) => "everybody",
                (false, false) => "nobody (set ADMIN_TOKEN)",
            },
            records: match &config.storage {
                Storage::Memory => "records in memory".to_owned(),
                Storage::Disk { dir, .. } => format!("records in {}", dir.display()),
            },
            any_origin: config.allowed_origins == AllowedOrigins::Any,
            program: std::env::args()
                .next()
                .unwrap_or_else(|| "logs-gateway".to_owned()),
        }
    }

    /// What a command needs to find this gateway, where it would look elsewhere.
    fn to_here(&self) -> String {
        let usual = format!(":{DEFAULT_PORT}");
        if self.url.ends_with(&usual) {
            String::new()
        } else {
            format!(" --url {}", self.url)
        }
    }

    /// Where the gateway can be called from this machine.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What an operator should not overlook.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.production {
            match self.read {
                ReadAccess::Open => {
                    warnings.push("AUTH=open: everybody who reaches this gateway reads everything");
                }
                ReadAccess::NotConfigured => warnings.push("nobody may read: set AUTH"),
            }
            if matches!(self.publishing, Publishing::Nobody) {
                warnings.push("nobody may publish: set SERVICE_TOKENS");
            }
            if self.any_origin {
                warnings.push("ALLOWED_ORIGINS=*: pages of every origin may call");
            }
        }
        warnings
    }
}

/// Where what listens there can be called from this machine.
pub(crate) fn reachable(address: SocketAddr) -> String {
    // Of an address that one cannot call, this machine's own stands in for it.
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, .. } = self;
        let mode = if self.production {
            "production"
        } else {
            "development"
        };
        writeln!(f, "Logs SSE Gateway {VERSION}, {mode}, {}", self.records)?;
        writeln!(
            f,
            "listening on {url}{}",
            if self.everywhere {
                " and every other address of this machine"
            } else {
                ""
            }
        )?;
        writeln!(f)?;
        let read = match self.read {
            ReadAccess::Open => "everybody",
            ReadAccess::NotConfigured => "nobody (set AUTH)",
        };
        let publish = match self.publishing {
            Publishing::Nobody => "nobody (set SERVICE_TOKENS)",
            Publishing::DemoTokens => "who has a demo token (set SERVICE_TOKENS for your own)",
            Publishing::Tokens => "who has one of SERVICE_TOKENS",
        };
        writeln!(f, "  reading      {read}")?;
        writeln!(f, "  publishing   {publish}")?;
        writeln!(f, "  statistics   {}", self.admin)?;
        if !self.production {
            writeln!(f)?;
            writeln!(f, "Try next:")?;
            writeln!(f, "  open       {url}/ or {url}{DEMO_PATH}")?;
            writeln!(f, "  simulate   {} simulate{}", self.program, self.to_here())?;
            writeln!(
                f,
                "  watch      curl -N '{url}{STREAM_PATH}?channels=logs:*:workspace123:*'"
            )?;
            writeln!(
                f,
                "  publish    curl {url}{PUBLISH_PATH} -H '{SERVICE_TOKEN_HEADER}: l5-etl-token' \\"
            )?;
            writeln!(
                f,
                "               -d '{{\"service\":\"etl\",\"workspace_id\":\"workspace123\",\"workflow_id\":\"workflow456\",\"logData\":\"hello\"}}' \\"
            )?;
            writeln!(f, "               -H 'content-type: application/json'")?;
        }
        Ok(())
    }
}
