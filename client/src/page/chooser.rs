//! [`Chooser`]: which channels are followed.

use gloo_net::http::Request;
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local_scoped};
use logs_shared::{ChannelPattern, api, overview::Channels};

use super::reader_token::ReaderToken;

/// Which channels are followed: those there are, with a way to leave each, and a field for more.
#[component]
pub(super) fn Chooser(
    channels: RwSignal<Vec<ChannelPattern>>,
    /// What is wrong with the channels that were asked for before.
    error: Option<String>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(error);
    // Whatever was wrong, it was about what was followed before.
    Effect::watch(move || channels.get(), move |_, _, _| error.set(None), false);
    let known = RwSignal::new(Vec::new());
    let reader: ReaderToken = expect_context();
    let look = move || {
        spawn_local_scoped(async move {
            // Suggestions only: without them the field still takes every channel.
            let mut request = Request::get(api::CHANNELS_PATH);
            if let Some(authorization) = reader.authorization() {
                request = request.header("authorization", &authorization);
            }
            if let Ok(answer) = request.send().await
                && let Ok(Channels { channels }) = answer.json().await
            {
                known.try_set(channels);
            }
        });
    };
    look();
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        match text.with_untracked(|text| text.trim().parse::<ChannelPattern>()) {
            Ok(pattern) => {
                error.set(None);
                text.set(String::new());
                if channels.with_untracked(|channels| !channels.contains(&pattern)) {
                    channels.update(|channels| channels.push(pattern));
                }
            }
            Err(wrong) => error.set(Some(format!("Not a channel: {wrong}."))),
        }
    };
    // On a narrow page the lines need the room more than the field does.
    let is_open = RwSignal::new(false);
    let count = move || channels.with(Vec::len);
    view! {
        <form class="logs-chooser" class:logs-chooser-open=move || is_open.get() || count() == 0 on:submit=add>
            <ul class="logs-followed" aria-label="Followed channels">
                <For each=move || channels.get() key=ChannelPattern::to_string let:pattern>
                    <Followed pattern channels />
                </For>
            </ul>
            <button
                type="button"
                class="logs-button logs-chooser-more"
                aria-label="Add a channel"
                aria-expanded=move || if is_open.get() { "true" } else { "false" }
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                "+"
            </button>
            <div class="logs-chooser-field">
                <label class="logs-unseen" for="logs-channel">"Channel or pattern"</label>
                <input
                    id="logs-channel"
                    class="logs-input logs-channel-input"
                    list="logs-channels"
                    placeholder="Channel or pattern, as logs:etl:workspace123:workflow456"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-describedby="logs-channel-error"
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    prop:value=text
                    on:focus=move |_| look()
                    on:input=move |event| {
                        text.set(event_target_value(&event));
                        error.set(None);
                    }
                />
                <datalist id="logs-channels">
                    <For each=move || known.get() key=|known| known.channel.clone() let:known>
                        <option value=known.channel.to_string()>{format!("{} records", known.records)}</option>
                    </For>
                </datalist>
                <button type="submit" class="logs-button">"Add channel"</button>
            </div>
            <p id="logs-channel-error" class="logs-error" role="alert">{error}</p>
        </form>
    }
}

#[component]
fn Followed(pattern: ChannelPattern, channels: RwSignal<Vec<ChannelPattern>>) -> impl IntoView {
    let name = pattern.to_string();
    let leave = move |_| channels.update(|channels| channels.retain(|followed| *followed != pattern));
    view! {
        <li class="logs-followed-channel">
            <code>{name.clone()}</code>
            <button type="button" class="logs-leave" aria-label=format!("Stop following {name}") on:click=leave>
                <span aria-hidden="true">"×"</span>
            </button>
        </li>
    }
}
