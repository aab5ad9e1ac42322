//! [`Watch`]: the gateway's figures, asked for again and again.

use leptos::{prelude::*, task::spawn_local_scoped};
use logs_shared::overview::Stats;

use super::{
    ask::{self, Trouble},
    history::History,
};
use crate::{listener::Listener, page::tab_token::TabToken, timer::Timer};

/// How long after an answer it is asked again, in milliseconds.
const EVERY_MS: u64 = 2_000;

/// How the page stands with the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was answered yet.
    Loading,
    /// The figures are of now.
    Live,
    /// The figures are old.
    Lost {
        /// The time of day at which they were last had.
        since: String,
        /// Why there are none of now, where it is not that nobody answers.
        why: Option<String>,
    },
    /// There are no figures without a token.
    TokenWanted {
        /// Whether one was shown that does not count.
        is_wrong: bool,
    },
    /// Nobody gets figures from this gateway.
    Off,
}

/// The gateway's figures, asked for every two seconds while the page can be seen, as a context.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    /// The last ones there were.
    pub(super) stats: RwSignal<Option<Stats>>,
    /// What they were in the last minutes.
    pub(super) history: RwSignal<History>,
    pub(super) standing: RwSignal<Standing>,
    /// The time of day at which the gateway was found to have been started anew.
    pub(super) restarted: RwSignal<Option<String>>,
    /// Who asks. Not the reader's token: another right, and another person perhaps.
    pub(super) token: TabToken,
    /// When the last figures came.
    last: StoredValue<String>,
    /// Counts the questions: only the last one's answer counts.
    turn: StoredValue<u64>,
    timer: StoredValue<Option<Timer>, LocalStorage>,
}

impl Watch {
    /// Begins to ask, until the page is left.
    pub(super) fn provide() -> Self {
        let watch = Self {
            stats: RwSignal::default(),
            history: RwSignal::default(),
            standing: RwSignal::new(Standing::Loading),
            restarted: RwSignal::default(),
            token: TabToken::stored_as("logs-admin-token"),
            last: StoredValue::default(),
            turn: StoredValue::default(),
            timer: StoredValue::new_local(None),
        };
        provide_context(watch);
        let owner = Owner::current();
        let listener = Listener::on(&document(), "visibilitychange", move |_| {
            if let (false, Some(owner)) = (document().hidden(), &owner) {
                owner.with(|| watch.ask());
            }
        });
        let listener = StoredValue::new_local(Some(listener));
        on_cleanup(move || listener.set_value(None));
        watch.ask();
        watch
    }

    /// Uses this token from now on.
    pub(super) fn give(self, token: &str) {
        self.token.set(token);
        self.ask();
    }

    /// Asks now, and from then on again and again.
    pub(super) fn ask(self) {
        let Some(turn) = self.turn.try_update_value(|turn| {
            *turn += 1;
            *turn
        }) else {
            return;
        };
        let owner = Owner::current();
        spawn_local_scoped(async move {
            let answer = ask::stats(self.token).await;
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            self.take(answer);
            let is_wanted = !matches!(
                self.standing.get_untracked(),
                Standing::TokenWanted { .. } | Standing::Off
            );
            let again = move || {
                if let (false, Some(owner)) = (document().hidden(), owner) {
                    owner.with(|| self.ask());
                }
            };
            self.timer
                .set_value(is_wanted.then(move || Timer::after(EVERY_MS, again)));
        });
    }

    fn take(self, answer: Result<Stats, Trouble>) {
        match answer {
            Ok(stats) => {
                let is_another = self.stats.with_untracked(|last| {
                    last.as_ref()
                        .is_some_and(|last| is_of_another_start(last, &stats))
                });
                if is_another {
                    self.restarted.set(Some(time_of_day()));
                }
                self.last.set_value(time_of_day());
                self.history.update(|history| history.add(Some(&stats)));
                self.stats.set(Some(stats));
                self.standing_is(Standing::Live);
            }
            Err(trouble) => {
                self.history.update(|history| history.add(None));
                let lost = |why| Standing::Lost {
                    since: self.last.get_value(),
                    why,
                };
                self.standing_is(match trouble {
                    Trouble::Unreachable => lost(None),
                    Trouble::Refused(why) => lost(Some(why)),
                    Trouble::Off => Standing::Off,
                    Trouble::TokenWanted { is_wrong } => {
                        self.token.set("");
                        self.stats.set(None);
                        Standing::TokenWanted { is_wrong }
                    }
                });
            }
        }
    }

    /// Tells of a change only: a sentence that is said again every two seconds is not listened to.
    fn standing_is(self, standing: Standing) {
        if self.standing.with_untracked(|now| *now != standing) {
            self.standing.set(standing);
        }
    }
}

fn is_of_another_start(last: &Stats, now: &Stats) -> bool {
    // Of several, each has its own start in its row.
    if last.nodes.len().max(now.nodes.len()) > 1 {
        return false;
    }
    now.uptime_s < last.uptime_s || now.messages_published < last.messages_published
}

/// The time of day where the reader is.
pub(super) fn time_of_day() -> String {
    let now = js_sys::Date::new_0();
    format!(
        "{:02}:{:02}:{:02}",
        now.get_hours(),
        now.get_minutes(),
        now.get_seconds()
    )
}
