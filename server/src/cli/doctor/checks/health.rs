//! Whether the gateway says that it is well.

use axum::http::Method;
use serde::Deserialize;

use crate::cli::doctor::{
    finding::{Check, Finding},
    probe::Probe,
};

#[derive(Deserialize)]
struct Health {
    status: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    reason: Option<String>,
}

/// `/health` is beside the stream of a gateway. A proxy need not have it.
pub(in crate::cli::doctor) async fn check(probe: &Probe) -> Finding {
    let answer = match probe.ask(Method::GET, &probe.hop.health(), &[], "").await {
        Ok(answer) => answer,
        Err(error) => return Finding::fail(Check::Health, format!("/health: {error}")),
    };
    let health: Option<Health> = serde_json::from_slice(&answer.body).ok();
    match health {
        Some(health) if answer.status.is_success() => {
            let own = env!("CARGO_PKG_VERSION");
            let other = if health.version.is_empty() || health.version == own {
                String::new()
            } else {
                format!(" (this command is {own})")
            };
            Finding::ok(
                Check::Health,
                format!("{}, version {}{other}", health.status, health.version),
            )
        }
        Some(health) if answer.refusal().is_none() => {
            let why = health.reason.unwrap_or_else(|| health.status.clone());
            Finding::fail(Check::Health, format!("{}: {why}", answer.status.as_u16())).change(
                "the gateway's own log has the reason: a full or failing disk, Redis, or it is stopping",
            )
        }
        // What passes nothing on but the stream's paths is as good a proxy as any.
        _ => Finding::skipped(Check::Health, "it is not passed on here, and no page needs it"),
    }
}
