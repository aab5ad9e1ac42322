//! [`RunBar`]: which run is followed, and the way back.

use leptos::prelude::*;
use logs_shared::ChannelPattern;

use super::{follow::Follow, tools::FollowRun, viewer::Viewer};
use crate::{Logs, filter::Filter, run::Run};

/// What follows a run in `logs` and shows no others.
pub(super) fn follow_run(logs: Logs, filter: RwSignal<Filter>, follow: Follow) -> FollowRun {
    FollowRun(Callback::new(move |(name, value): (String, String)| {
        let run = Run::new(name, value);
        filter.update(|filter| filter.run.clone_from(&run));
        logs.run.set(run);
        follow.resume();
    }))
}

/// Says which run is followed through the workspace, and leads back to the channels.
#[component]
pub(super) fn RunBar() -> impl IntoView {
    let viewer: Viewer = expect_context();
    let Logs { run, channels, .. } = viewer.logs;
    let leave = move |_| {
        run.set(None);
        viewer.filter.update(|filter| filter.run = None);
        viewer.follow.resume();
        viewer.announce("Back to the channel");
    };
    move || {
        let run = run.get()?;
        let of = channels.with(|channels| workspaces(channels));
        let bar = view! {
            <div class="logs-run" part="run" role="status">
                <p class="logs-run-words">
                    "Following " <b>{run.name().to_owned()} "=" <bdi>{run.value().to_owned()}</bdi></b> {of}
                </p>
                <button type="button" class="logs-button logs-run-leave" on:click=leave>"Back to all lines"</button>
            </div>
        };
        Some(bar.into_any())
    }
}

/// Where it is followed, in words.
fn workspaces(channels: &[ChannelPattern]) -> String {
    let patterns = Run::patterns(channels);
    match patterns.as_slice() {
        [one] => match one.segments()[1] {
            Some(workspace) => format!(" through all services of {workspace}"),
            None => " through all workspaces".to_owned(),
        },
        _ => " through all services of these workspaces".to_owned(),
    }
}
