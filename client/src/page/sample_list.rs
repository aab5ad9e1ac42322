//! [`SampleList`]: what log lines look like here.

use leptos::prelude::*;

use crate::{samples::samples, widget::RecordRow};

/// Fifteen records that nobody published, so that the page shows what it will be like.
#[component]
pub(super) fn SampleList() -> impl IntoView {
    let rows = samples().into_iter().map(|record| view! { <RecordRow record /> });
    view! {
        <section class="logs-samples" aria-labelledby="logs-samples-heading">
            <div class="logs-section-head">
                <h2 id="logs-samples-heading" class="logs-heading">"Sample entries"</h2>
                <p class="logs-hint">"Made up, to show what a run looks like. Nothing here is live."</p>
            </div>
            <div class="logs-sample-rows">{rows.collect_view()}</div>
        </section>
    }
}
