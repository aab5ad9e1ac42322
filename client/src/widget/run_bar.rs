//! [`run_bar`]: which run is followed, and the way back.

use leptos::prelude::*;
use logs_shared::ChannelPattern;

use super::{follow::Follow, tools::FollowRun, viewer::Viewer};
use crate::{
    Logs,
    dom::{El, button, el},
    filter::Filter,
    run::Run,
};

/// What follows a run in `logs` and shows no others.
pub(super) fn follow_run(logs: Logs, filter: RwSignal<Filter>, follow: Follow) -> FollowRun {
    FollowRun(Callback::new(move |(name, value): (String, String)| {
        let run = Run::new(name, value);
        filter.update(|filter| filter.run.clone_from(&run));
        logs.run.set(run);
        follow.resume();
    }))
}

/// Adds, while one is followed: which run is followed through the workspace, and the way back to the channels.
pub(super) fn run_bar(widget: El) -> El {
    let viewer: Viewer = expect_context();
    let Logs { run, channels, .. } = viewer.logs;
    let leave = move || {
        run.set(None);
        viewer.filter.update(|filter| filter.run = None);
        viewer.follow.resume();
        viewer.announce("Back to the channel");
    };
    widget.child_from(move || {
        let run = run.get()?;
        let of = channels.with(|channels| workspaces(channels));
        let name = el("b", "")
            .text(run.name())
            .text("=")
            .add(el("bdi", "").text(run.value()));
        let words = el("p", "logs-run-words").text("Following ").add(name).text(&of);
        let back = button("logs-button logs-run-leave", "")
            .on_click(leave)
            .text("Back to all lines");
        let bar = el("div", "logs-run").part("run").attr("role", "status");
        Some(bar.add(words).add(back))
    })
}

/// Where it is followed, in words.
fn workspaces(channels: &[ChannelPattern]) -> String {
    let patterns = Run::patterns(channels);
    match patterns.as_slice() {
        [one] => match one.segments()[1] {
            Some(workspace) => " through all services of ".to_owned() + workspace,
            None => " through all workspaces".to_owned(),
        },
        _ => " through all services of these workspaces".to_owned(),
    }
}
