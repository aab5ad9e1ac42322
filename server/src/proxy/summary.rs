//! What the proxy says when it starts.

use std::{fmt, net::SocketAddr};

use logs_shared::api::WIDGET_PATH;

use super::{config::ProxyConfig, identity::IdentitySource};
use crate::{gateway::VERSION, summary::reachable};

/// What the proxy says when it starts: where it is, what it forwards, in whose name, and what to set.
pub struct ProxySummary<'a> {
    config: &'a ProxyConfig,
    address: SocketAddr,
}

impl<'a> ProxySummary<'a> {
    /// The summary of a proxy that listens there.
    #[must_use]
    pub const fn new(config: &'a ProxyConfig, address: SocketAddr) -> Self {
        Self { config, address }
    }

    /// Where the proxy can be called from this machine.
    #[must_use]
    pub fn url(&self) -> String {
        reachable(
            if self.config.tls.is_some() {
                "https"
            } else {
                "http"
            },
            self.address,
        )
    }

    /// What an operator should not overlook.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.config.production {
            match self.config.identity {
                IdentitySource::Header(_) => warnings.push(
                    "PROXY_IDENTITY=header: whoever reaches this proxy can say who they are; let nobody reach it but the \
                     sign-on in front of it",
                ),
                IdentitySource::Fixed(_) => {
                    warnings.push("PROXY_IDENTITY=fixed: whoever reaches this proxy reads as the same user");
                }
                IdentitySource::Hook { .. } => {}
            }
            if self.config.token.is_none() {
                warnings.push("PROXY_TOKEN is not set: a gateway with AUTH=proxy refuses this proxy");
            }
        }
        warnings
    }
}

impl fmt::Display for ProxySummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProxyConfig {
            production,
            upstream,
            prefix,
            service,
            ..
        } = self.config;
        let (mode, made_up) = if *production {
            ("production", "")
        } else {
            ("development", "; user123 in workspace123 where nobody is named")
        };
        let url = self.url();
        writeln!(f, "Logs SSE Gateway {VERSION}, proxy, {mode}")?;
        let everywhere = if self.address.ip().is_unspecified() {
            " and every other address of this machine"
        } else {
            ""
        };
        writeln!(f, "listening on {url}{everywhere}")?;
        writeln!(f)?;
        writeln!(f, "  gateway      {upstream} (SSE_BACKEND_URL)")?;
        writeln!(
            f,
            "  stream       {prefix}/stream?workspace_id=…&workflow_id=… is logs:{service}:…:…"
        )?;
        writeln!(
            f,
            "  beside it    streams/{{id}}, history, channels; {WIDGET_PATH}, /assets"
        )?;
        match &self.config.identity {
            IdentitySource::Header(names) => writeln!(
                f,
                "  identity     what {} and {} of a request say{made_up} (PROXY_IDENTITY)",
                names.user, names.workspaces
            )?,
            IdentitySource::Fixed(identity) => {
                writeln!(f, "  identity     always {identity} (PROXY_IDENTITY=fixed)")?;
            }
            IdentitySource::Hook { url, headers } => {
                let (host, path) = (url.authority().map_or("", |host| host.as_str()), url.path());
                writeln!(
                    f,
                    "  identity     what {host}{path} answers to a request's cookie, in {} and {}{made_up} (PROXY_IDENTITY=hook)",
                    headers.user, headers.workspaces
                )?;
            }
        }
        let token = if self.config.token.is_some() {
            "with PROXY_TOKEN, as the gateway has to know it"
        } else {
            "without a token (set PROXY_TOKEN, here and on a gateway with AUTH=proxy)"
        };
        writeln!(f, "  vouches      {token}")?;
        if !production {
            writeln!(f)?;
            writeln!(f, "Try next:")?;
            writeln!(
                f,
                "  watch      curl -N '{url}{prefix}/stream?workspace_id=workspace123&workflow_id=workflow456'"
            )?;
            writeln!(
                f,
                "  in a page  <script type=\"module\" src=\"{WIDGET_PATH}\"></script>"
            )?;
            writeln!(
                f,
                "             <logs-widget gateway-url=\"{prefix}/stream\" service=\"{service}\" workspace-id=\"workspace123\" workflow-id=\"workflow456\">"
            )?;
        }
        Ok(())
    }
}
