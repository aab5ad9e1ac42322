//! [`Ending`]: what an operator ends, after a second look.

use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local_scoped};

use super::{
    ask::{self, Trouble},
    watch::Watch,
};

/// What is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A stream, whose reader may come back.
    Stream {
        /// What the gateways call it by.
        name: String,
        /// What its row says.
        shown: String,
        /// Whose it is.
        user: String,
    },
    /// What a user may.
    User(String),
}

/// For how long a user may be kept out: the words, and the seconds.
const TIMES: [(&str, u64); 4] = [
    ("an hour", 3_600),
    ("a day", 86_400),
    ("a week", 604_800),
    ("a year", 31_536_000),
];

/// What an operator is about to end, and what came of it, as a context.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    asked: RwSignal<Option<End>>,
    told: RwSignal<Option<Result<String, String>>>,
}

impl Ending {
    pub(super) fn provide() {
        provide_context(Self {
            asked: RwSignal::default(),
            told: RwSignal::default(),
        });
    }

    /// Asks whether it is meant.
    pub(super) fn ask(self, end: End) {
        self.told.set(None);
        self.asked.set(Some(end));
    }
}

/// Asks whether what was pressed is meant, does it, and tells what came of it.
#[component]
pub(super) fn EndingDialog(watch: Watch) -> impl IntoView {
    let ending: Ending = expect_context();
    let Ending { asked, told } = ending;
    let dialog = NodeRef::<html::Dialog>::new();
    let told_at = NodeRef::<html::P>::new();
    let for_s = RwSignal::new(TIMES[1].1);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match asked.read().is_some() {
            // Fails for a dialog that is open.
            true => drop(dialog.show_modal()),
            false => dialog.close(),
        }
    });
    // It is told a moment later, when there may be another question.
    let closed = move |_| {
        if dialog.get_untracked().is_some_and(|dialog| !dialog.open()) {
            asked.set(None);
        }
    };
    let end = move |_| {
        let Some(end) = asked.get_untracked() else { return };
        let for_s = for_s.get_untracked();
        asked.set(None);
        spawn_local_scoped(async move {
            let answer = carry_out(watch, &end, for_s).await;
            told.try_set(Some(answer));
            // The button that was pressed may be gone with its row. What is told is shown by then.
            request_animation_frame(move || {
                if let Some(told) = told_at.try_get_untracked().flatten() {
                    let _ = told.focus();
                }
            });
            watch.ask();
        });
    };
    let question = move || match asked.get() {
        None => String::new(),
        Some(End::Stream { shown, user, .. }) => format!("Close the stream {shown} of {user}?"),
        Some(End::User(user)) => format!("Revoke the user {user}?"),
    };
    let consequence = move || match asked.get() {
        None => "",
        Some(End::Stream { .. }) => "Its reader is told, and may come back.",
        Some(End::User(_)) => {
            "All streams of this user end now, and what the user holds counts for nothing so long."
        }
    };
    let is_user = Memo::new(move |_| matches!(*asked.read(), Some(End::User(_))));
    let verb = move || {
        if is_user.get() {
            "Revoke user"
        } else {
            "Close stream"
        }
    };
    let times = TIMES.map(|(words, seconds)| {
        view! {
            <option value=seconds.to_string() selected=move || for_s.get() == seconds>{words}</option>
        }
    });
    view! {
        <p
            class="logs-told"
            class:logs-error=move || told.with(|told| matches!(told, Some(Err(_))))
            role="status"
            tabindex="-1"
            node_ref=told_at
        >
            {move || told.get().map(|told| told.unwrap_or_else(|error| error))}
        </p>
        <dialog
            class="logs-dialog"
            aria-labelledby="logs-end-question"
            node_ref=dialog
            on:close=closed
        >
            <h2 id="logs-end-question" class="logs-heading">{question}</h2>
            <p>{consequence}</p>
            <p class="logs-dialog-time" hidden=move || !is_user.get()>
                <label for="logs-end-for">"For "</label>
                <select
                    id="logs-end-for"
                    class="logs-input"
                    on:change=move |event| for_s.set(event_target_value(&event).parse().unwrap_or(TIMES[1].1))
                >
                    {times.collect_view()}
                </select>
            </p>
            <div class="logs-dialog-actions">
                <button type="button" class="logs-button" autofocus on:click=move |_| asked.set(None)>"Cancel"</button>
                <button type="button" class="logs-button logs-button-main" on:click=end>{verb}</button>
            </div>
        </dialog>
    }
}

async fn carry_out(watch: Watch, end: &End, for_s: u64) -> Result<String, String> {
    let done = match end {
        End::Stream { name, shown, .. } => ask::close(watch.token, name)
            .await
            .map(|()| format!("The stream {shown} was closed.")),
        End::User(user) => ask::revoke(watch.token, user, for_s)
            .await
            .map(|closed| match closed {
                1 => format!("The user {user} is revoked; 1 stream ends."),
                closed => format!("The user {user} is revoked; {closed} streams end."),
            }),
    };
    done.map_err(|trouble| match trouble {
        Trouble::Refused(why) => why,
        Trouble::Unreachable => "The gateway does not answer. Whether it was done is not known.".to_owned(),
        Trouble::TokenWanted { .. } | Trouble::Off => {
            "The gateway does not take this token any more.".to_owned()
        }
    })
}

/// A user to revoke who has no stream open.
#[component]
pub(super) fn RevokeForm() -> impl IntoView {
    let ending: Ending = expect_context();
    let user = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = user.with_untracked(|user| user.trim().to_owned());
        if !name.is_empty() {
            user.set(String::new());
            ending.ask(End::User(name));
        }
    };
    view! {
        <form class="logs-revoke" on:submit=submit>
            <label class="logs-unseen" for="logs-revoke-user">"User to revoke"</label>
            <input
                id="logs-revoke-user"
                class="logs-input"
                placeholder="User"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=user
                on:input=move |event| user.set(event_target_value(&event))
            />
            <button type="submit" class="logs-button">"Revoke"</button>
        </form>
    }
}
