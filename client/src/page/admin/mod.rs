//! [`AdminPage`]: how the gateway does, for its operator.

mod ask;
mod ending;
mod history;
mod table;
mod tables;
mod tiles;
mod watch;
mod words;

use leptos::prelude::*;

use self::{
    ending::{Ending, EndingDialog},
    tables::{Channels, Gateways, Refusals, Services, Streams},
    tiles::Tiles,
    watch::{Standing, Watch},
};
use super::token_field::TokenForm;

/// How the gateway does, as it changes.
#[component]
pub(super) fn AdminPage() -> impl IntoView {
    let watch = Watch::provide();
    Ending::provide();
    let has_figures = Memo::new(move |_| watch.stats.with(Option::is_some));
    let has_several = Memo::new(move |_| {
        watch
            .stats
            .with(|stats| stats.as_ref().is_some_and(|stats| stats.nodes.len() > 1))
    });
    view! {
        <Head watch />
        <Show when=move || has_figures.get()>
            <Tiles watch />
            <Show when=move || has_several.get()>
                <Gateways watch />
            </Show>
            <div class="logs-pair">
                <Services watch />
                <Refusals watch />
            </div>
            <Streams watch />
            <Channels watch />
            <EndingDialog watch />
        </Show>
    }
}

/// Whether the gateway is well, and whether what is shown is of now.
#[component]
fn Head(watch: Watch) -> impl IntoView {
    let Watch {
        stats,
        standing,
        restarted,
        token,
        ..
    } = watch;
    let kind = move || match standing.get() {
        Standing::Loading => "CONNECTING",
        Standing::Lost { .. } => "ERROR",
        Standing::TokenWanted { .. } | Standing::Off => "DISCONNECTED",
        Standing::Live if is_well(watch) => "WELL",
        Standing::Live => "ERROR",
    };
    let status = move || match standing.get() {
        Standing::Loading => "Asking the gateway",
        Standing::Lost { .. } => "No connection",
        Standing::TokenWanted { .. } => "A token is needed",
        Standing::Off => "Administration is off",
        Standing::Live if is_well(watch) => "Healthy",
        Standing::Live => "Unhealthy",
    };
    let give = Callback::new(move |token: String| watch.give(&token));
    let forget = move |_| {
        token.set("");
        // With all that was shown for it.
        let _ = location().reload();
    };
    let is_wanted = Memo::new(move |_| matches!(standing.get(), Standing::TokenWanted { .. }));
    let about = move || {
        stats.with(|stats| {
            let stats = stats.as_ref()?;
            Some(format!(
                "Version {}, up {}.",
                stats.version,
                words::lasted(stats.uptime_s)
            ))
        })
    };
    view! {
        <div class="logs-status-bar logs-admin-bar">
            <p class="logs-status" role="status" data-status=kind>{status}</p>
            <p class="logs-hint">{about}</p>
            <p class="logs-hint" role="status">{move || meaning(watch)}</p>
            {move || restarted.get().map(|at| view! {
                <p class="logs-hint logs-restarted" role="status">
                    {format!("The gateway was started anew, as this page found at {at}: what is counted since the start began again.")}
                </p>
            })}
            <div class="logs-actions">
                <Show when=move || standing.get() == Standing::Off>
                    <button type="button" class="logs-button" on:click=move |_| watch.ask()>"Ask again"</button>
                </Show>
                <Show when=move || token.is_given()>
                    <button type="button" class="logs-button" on:click=forget>"Forget token"</button>
                </Show>
            </div>
            <Show when=move || standing.get() == (Standing::TokenWanted { is_wrong: true })>
                <p class="logs-error" role="alert">"This is not the gateway's ADMIN_TOKEN."</p>
            </Show>
            <Show when=move || is_wanted.get()>
                <TokenForm
                    label="Admin token"
                    hint="The gateway shows how it does to who has its ADMIN_TOKEN. The token is kept in this tab only, until it is closed."
                    give
                />
            </Show>
        </div>
    }
}

fn is_well(watch: Watch) -> bool {
    // A gateway that does not say is one that answers.
    watch
        .stats
        .with(|stats| stats.as_ref().is_none_or(|stats| stats.status != "unhealthy"))
}

/// What the standing means for who looks, and what to do.
fn meaning(watch: Watch) -> String {
    match watch.standing.get() {
        Standing::Loading => String::new(),
        Standing::Live => {
            let reason = watch
                .stats
                .with(|stats| stats.as_ref().and_then(|stats| stats.reason.clone()));
            reason.map_or_else(
                || "Asked every two seconds.".to_owned(),
                |reason| format!("{reason}."),
            )
        }
        Standing::Lost { since, why } => {
            let why = why.unwrap_or_else(|| "The gateway does not answer.".to_owned());
            match since.as_str() {
                "" => format!("{why} It is asked again every two seconds."),
                since => format!("{why} The figures are those of {since}."),
            }
        }
        Standing::TokenWanted { .. } => String::new(),
        Standing::Off => {
            "This gateway has no ADMIN_TOKEN, and in production nobody administers it without. Start it with \
                          ADMIN_TOKEN set to a secret of your own, and give that secret here."
                .to_owned()
        }
    }
}
