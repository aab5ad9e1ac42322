//! [`Summary`]: what the gateway says when it starts.

use std::{fmt, net::SocketAddr};

use logs_shared::api::{
    ADMIN_PATH, DEFAULT_PORT, DEMO_PATH, DOCS_PATH, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STREAM_PATH,
    TEST_LOGS_PATH,
};

use crate::{access::ReadAccess, config::Config, engine::Storage, gateway::VERSION, origins::AllowedOrigins};

/// What the gateway says when it starts: where it is, who may do what, and what to try next.
pub struct Summary {
    url: String,
    everywhere: bool,
    production: bool,
    /// Whether who reads shows a token.
    readers_show_tokens: bool,
    /// Who may do what, and by which variable that is opened or closed.
    rights: Vec<Right>,
    warnings: Vec<String>,
    /// Where records are kept.
    records: String,
    /// How this program was called.
    program: String,
}

/// Who may do something.
#[derive(Debug)]
pub struct Right {
    /// What.
    pub what: &'static str,
    /// Who may.
    pub who: String,
    /// What an operator sets to change it.
    pub variable: &'static str,
}

impl Summary {
    /// The summary of a gateway that listens there.
    #[must_use]
    pub fn new(config: &Config, address: SocketAddr) -> Self {
        let everywhere = address.ip().is_unspecified();
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        Self {
            url: reachable(scheme, address),
            everywhere,
            production: config.production,
            readers_show_tokens: matches!(config.read, ReadAccess::Jwt(_)),
            rights: rights(config),
            warnings: warnings(config),
            records: match &config.storage {
                Storage::Memory => "records in memory".to_owned(),
                Storage::Disk { dir, .. } => format!("records in {}", dir.display()),
                Storage::Redis(redis) => format!("records in {}, shared with other gateways", redis.url),
            },
            program: std::env::args()
                .next()
                .unwrap_or_else(|| "logs-gateway".to_owned()),
        }
    }

    /// What a command needs to find this gateway, where it would look elsewhere.
    fn to_here(&self) -> String {
        let usual = format!(":{DEFAULT_PORT}");
        if self.url.starts_with("http:") && self.url.ends_with(&usual) {
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

    /// Who may do what.
    #[must_use]
    pub fn rights(&self) -> &[Right] {
        &self.rights
    }

    /// What an operator should not overlook.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn rights(config: &Config) -> Vec<Right> {
    let right = |what, who: &str, variable| Right {
        what,
        who: who.to_owned(),
        variable,
    };
    let tokens = &config.service_tokens;
    let limits = &config.stream_limits;
    vec![
        match &config.read {
            ReadAccess::Open => right("reading", "everybody, everything", "AUTH=proxy or jwt closes it"),
            ReadAccess::NotConfigured => right("reading", "nobody", "AUTH=proxy, jwt or open opens it"),
            ReadAccess::Proxy(_) => right(
                "reading",
                "whom the proxy has logged in",
                "AUTH=proxy, PROXY_TOKEN",
            ),
            ReadAccess::Jwt(jwt) => right(
                "reading",
                &format!("who shows a token ({})", jwt.algorithms()),
                "AUTH=jwt, JWT_…",
            ),
        },
        match () {
            () if tokens.is_empty() => right("publishing", "nobody", "SERVICE_TOKENS opens it"),
            () if tokens.has_demo_token() => right(
                "publishing",
                "who has a demo token, which everybody knows",
                "SERVICE_TOKENS closes it",
            ),
            () => right(
                "publishing",
                "who has one of the service tokens",
                "SERVICE_TOKENS or …_FILE",
            ),
        },
        match (config.admin.needs_token(), config.admin.is_configured()) {
            (true, _) => right("administration", "who has the admin token", "ADMIN_TOKEN"),
            (false, true) => right("administration", "everybody", "ADMIN_TOKEN closes it"),
            (false, false) => right("administration", "nobody", "ADMIN_TOKEN opens it"),
        },
        match &config.allowed_origins {
            AllowedOrigins::Any => right(
                "other origins",
                "pages of all of them, without cookies",
                "ALLOWED_ORIGINS closes it",
            ),
            AllowedOrigins::List(list) => right(
                "other origins",
                &format!("pages of those it names ({}), with cookies", list.len()),
                "ALLOWED_ORIGINS",
            ),
        },
        if config.production {
            right(TEST_LOGS_PATH, "nobody", "off in production")
        } else {
            right(TEST_LOGS_PATH, "everybody", "NODE_ENV=production closes it")
        },
        right(
            "streams",
            &format!(
                "{}, {} a user, {} an address",
                limits.total, limits.per_owner, limits.per_address
            ),
            "MAX_STREAMS, …_PER_USER, …_PER_ADDRESS",
        ),
    ]
}

fn warnings(config: &Config) -> Vec<String> {
    let in_production = if config.production {
        open(config)
    } else {
        Vec::new()
    };
    let in_production = in_production.into_iter().map(str::to_owned);
    config.overlooked.iter().cloned().chain(in_production).collect()
}

/// What stands open, or shut, in production.
fn open(config: &Config) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    match &config.read {
        ReadAccess::Open => warnings.push("AUTH=open: everybody who reaches this gateway reads everything"),
        ReadAccess::NotConfigured => warnings.push("nobody may read: set AUTH"),
        ReadAccess::Proxy(_) => {}
        ReadAccess::Jwt(jwt) => {
            if jwt.has_short_secret() {
                warnings.push("JWT_SECRET is shorter than 32 bytes: it can be found by trying");
            }
            if jwt.settings().audiences.is_empty() {
                warnings
                    .push("JWT_AUDIENCE is not set: tokens that were made for other services are taken too");
            }
        }
    }
    if config.service_tokens.is_empty() {
        warnings.push("nobody may publish: set SERVICE_TOKENS");
    }
    if config.allowed_origins == AllowedOrigins::Any {
        warnings.push("ALLOWED_ORIGINS=*: pages of every origin may call");
    }
    if config.storage == Storage::Memory {
        warnings.push("STORE=memory: records are gone with this process");
    }
    warnings
}

/// Where what listens there can be called from this machine.
pub(crate) fn reachable(scheme: &str, address: SocketAddr) -> String {
    // Of an address that one cannot call, this machine's own stands in for it.
    match address.ip() {
        ip if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{}", address.port()),
        _ => format!("{scheme}://{address}"),
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
        for Right { what, who, variable } in &self.rights {
            writeln!(f, "  {what:<14} {who:<44} {variable}")?;
        }
        if !self.production {
            writeln!(f)?;
            writeln!(f, "Try next:")?;
            writeln!(f, "  open       {url}/ or {url}{DEMO_PATH}")?;
            writeln!(f, "  look up    {url}{DOCS_PATH}; how it does: {url}{ADMIN_PATH}")?;
            writeln!(f, "  simulate   {} simulate{}", self.program, self.to_here())?;
            let token = match self.readers_show_tokens {
                true => " -H \"authorization: Bearer $TOKEN\"",
                false => "",
            };
            writeln!(
                f,
                "  watch      curl -N '{url}{STREAM_PATH}?channels=logs:*:workspace123:*'{token}"
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
