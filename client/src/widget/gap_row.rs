//! [`GapRow`]: where records are missing.

use leptos::prelude::*;
use logs_shared::event::{Gap, GapReason};

/// A line where records are missing, and why.
#[component]
pub(super) fn GapRow(gap: Gap) -> impl IntoView {
    let why = match gap.reason {
        GapReason::Retention => "retention has taken them",
        GapReason::Restart => "the gateway was restarted and keeps lines in memory only",
        GapReason::UnknownCursor => "it is not known what was read before",
        GapReason::Other => "the stream was interrupted",
    };
    view! {
        <p class="logs-gap" part="gap" title=format!("{} to {}", gap.from, gap.to)>
            <span>{format!("Lines of {} may be missing here: {why}.", gap.channel)}</span>
        </p>
    }
}
