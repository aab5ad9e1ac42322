//! The command line: the gateway itself, and commands that are clients of one.

mod backoff;
mod client;
mod colour;
pub(crate) mod connector;
mod doctor;
mod health;
mod line;
mod proxy;
mod publish;
mod simulate;
mod story;
mod tail;
mod token;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use logs_shared::api::DEFAULT_URL;

use crate::config::Settings;

/// Takes log records from services and streams them live, in order and without loss, to pages over
/// Server-Sent Events. Without a command it serves.
#[derive(Parser)]
#[command(name = "logs-gateway", version, max_term_width = 110)]
pub struct Cli {
    /// What to do; without one: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub settings: Settings,
}

/// The commands beside serving. Each is a client of a running gateway, the proxy on behalf of browsers.
#[derive(Subcommand)]
pub enum Command {
    /// Publish each line of standard input as a record
    Publish(publish::Publish),
    /// Show records as they come, in colour
    Tail(tail::Tail),
    /// Publish a believable ETL run again and again, for trying out
    Simulate(simulate::Simulate),
    /// Say whether a gateway is ready, with an exit code: 0 where it is, 1 where not
    ///
    /// Asks `/health/ready` of the gateway on this machine, or of the one that --url names, once, and waits 5 s at most: for
    /// containers and scripts that have no HTTP client.
    Health(health::Health),
    /// Make a reader's token for a gateway with AUTH=jwt, for trying out
    Token(token::Token),
    /// Say where a stream is held back, packed, cut or not let through, between a gateway and a browser
    Doctor(Box<doctor::Doctor>),
    /// Serve a gateway's stream on a page's own origin, with the identity of who is signed in there
    ///
    /// For pages whose content policy knows no other origin. It stands in front of a gateway (`SSE_BACKEND_URL`) and behind, or
    /// beside, the page's sign-on. `PROXY_IDENTITY` says how it knows who is behind a request; the gateway is told with
    /// X-User-Id, X-Workspace-Id and X-Proxy-Token, and sees none of the browser's cookies.
    Proxy(Box<proxy::Proxy>),
}

/// How to reach a gateway.
#[derive(Args, Clone)]
pub struct Target {
    /// The gateway's address
    #[arg(long, env = "LOGS_GATEWAY_URL", default_value = DEFAULT_URL)]
    url: String,
    /// The token to publish or read with [default for publishing: the demo token of the channel's service]
    #[arg(long, env = "LOGS_GATEWAY_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Command {
    /// Runs the command until it is done or interrupted; how the program ends.
    ///
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Publish(publish) => interruptible(publish.run()).await,
            Self::Tail(tail) => interruptible(tail.run()).await,
            Self::Simulate(simulate) => interruptible(simulate.run()).await,
            // Stops politely, by itself.
            Self::Proxy(proxy) => proxy.run().await,
            Self::Health(health) => health.run().await,
            Self::Token(token) => token.run(),
            Self::Doctor(doctor) => return Ok(doctor.run().await),
        }
        .map(|()| ExitCode::SUCCESS)
    }
}

/// A command that a person stops has done what it was asked to.
async fn interruptible(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::select! {
        result = command => result,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for Ctrl-C"),
    }
}
