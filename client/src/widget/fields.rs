//! [`chips`] and [`Details`]: what a record says beside its message.

use std::{borrow::Cow, sync::Arc};

use js_sys::{Function, Reflect};
use leptos::{
    ev::MouseEvent,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
};
use logs_shared::LogRecord;

use super::{
    export,
    message::{draw, with_needle},
    tools::{FollowRun, button, icon, icons},
    viewer::Viewer,
};
use crate::{
    filter::Needle,
    fold::grouped,
    highlight::{pieces, visible},
    value::Value,
};

/// How many fields are shown on the record's row.
const MOST_CHIPS: usize = 6;
/// How much of a value is shown there, in characters.
const MOST_CHIP_CHARS: usize = 48;
/// How much of a value is shown in the tree before it is asked for.
const MOST_CHARS: usize = 400;
/// How many values of an object or array are shown before the others are asked for.
const MOST_CHILDREN: usize = 100;
/// Objects and arrays are open where they have no more values than this, and are not deep within others.
const FEW_CHILDREN: usize = 20;
const SHALLOW: usize = 2;

/// The first fields as `name=value`, on one line, while the row is not opened.
pub(super) fn chips(
    record: Arc<LogRecord>,
    viewer: Option<Viewer>,
    toggle: impl Fn() + Copy + 'static,
) -> AnyView {
    let chips = move || {
        let fields: Vec<_> = Value::of(&record).children().collect();
        let more = fields.len().saturating_sub(MOST_CHIPS);
        let chips = fields.iter().take(MOST_CHIPS).map(|(name, value)| {
            let text = value.scalar().unwrap_or(Cow::Borrowed(value.json()));
            let text = short(&text);
            with_needle(viewer, |needle| {
                let mark = if needle.is_field(name, &text) {
                    " logs-mark"
                } else {
                    ""
                };
                view! {
                    <bdi class=format!("logs-chip-name{mark}")>{draw(pieces(name, needle))}</bdi>
                    <bdi class=format!("logs-chip-value{mark}")>{draw(pieces(&text, needle))}</bdi>
                }
                .into_any()
            })
        });
        view! {
            {chips.collect_view()}
            {(more > 0).then(|| view! { <span class="logs-chip-more">{format!("+{more} fields")}</span> })}
        }
        .into_any()
    };
    // Text that can be selected, so no button; the one at the row's start does the same.
    let press = move |event: MouseEvent| {
        if !is_marked(&event) {
            toggle();
        }
    };
    view! {
        <div class="logs-chips" part="fields" on:click=press>{chips}</div>
    }
    .into_any()
}

/// Whether a click is the end of marking text. To the document a shadow root is one piece: it is asked itself, where
/// it can be.
fn is_marked(event: &MouseEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
    let own = target.and_then(|target| {
        let root = JsValue::from(target.get_root_node());
        let get: Function = Reflect::get(&root, &"getSelection".into())
            .ok()?
            .dyn_into()
            .ok()?;
        get.call0(&root).ok()?.dyn_into::<web_sys::Selection>().ok()
    });
    own.or_else(|| window().get_selection().ok().flatten())
        .is_some_and(|marked| !marked.is_collapsed())
}

/// A value on one line, cut where it is long.
fn short(text: &str) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let start: String = chars.by_ref().take(MOST_CHIP_CHARS).collect();
    if chars.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

/// All of a record: its fields as a tree, and where it belongs.
#[derive(Clone)]
pub(super) struct Details {
    pub(super) record: Arc<LogRecord>,
    pub(super) viewer: Option<Viewer>,
}

impl Details {
    pub(super) fn draw(self) -> AnyView {
        let about = [
            ("channel", self.record.channel.to_string()),
            ("time", self.record.timestamp.to_string()),
            ("id", self.record.id.to_string()),
        ];
        let about = about.map(|(name, text)| {
            let copied = text.clone();
            let copy = self.copy(move || copied.clone());
            leaf(
                name.into(),
                view! { <span class="logs-value">{text}</span> }.into_any(),
                copy,
                "logs-node logs-about",
            )
        });
        let children = self.children(self.record.fields.as_json(), "", 0);
        view! {
            <ul class="logs-tree" part="fields" aria-label="Fields">{children} {about.into_iter().collect_view()}</ul>
        }
        .into_any()
    }

    /// The values of an object or array; the first of them where they are many.
    fn children(&self, json: &str, path: &str, depth: usize) -> AnyView {
        let all: Arc<[(String, String)]> = Value::new(json)
            .children()
            .map(|(name, value)| (name.into_owned(), value.json().to_owned()))
            .collect();
        let (details, path) = (self.clone(), path.to_owned());
        let draw = move |children: &[(String, String)]| {
            let nodes = children.iter().map(|(name, json)| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                details.node(name, json, &path, depth)
            });
            nodes.collect_view().into_any()
        };
        if all.len() <= MOST_CHILDREN {
            return draw(&all);
        }
        let is_all = RwSignal::new(false);
        let count = all.len();
        let first = draw(&all[..MOST_CHILDREN]);
        let more = move || {
            if is_all.get() {
                return draw(&all[MOST_CHILDREN..]);
            }
            let label = format!("Show all {count}").into_any();
            let press = move |_| is_all.set(true);
            view! { <li class="logs-node">{button("logs-unfold", label, "Show the others", press)}</li> }
                .into_any()
        };
        view! { {first} {more} }.into_any()
    }

    fn node(&self, name: &str, json: &str, path: &str, depth: usize) -> AnyView {
        let value = Value::new(json);
        match value.scalar() {
            Some(text) => {
                let kind = if value.is_text() {
                    "logs-value logs-value-text"
                } else {
                    "logs-value logs-value-other"
                };
                let actions = self.actions(&text, path, depth);
                leaf(name.to_owned(), self.text(&text, kind), actions, "logs-node")
            }
            None => self.branch(name, json, path, depth),
        }
    }

    /// An object or array that can be folded. What is folded is not made.
    fn branch(&self, name: &str, json: &str, path: &str, depth: usize) -> AnyView {
        let value = Value::new(json);
        let count = value.children().count();
        let is_open = RwSignal::new(count <= FEW_CHILDREN && depth < SHALLOW);
        let (open, close) = if value.is_object() { ("{", "}") } else { ("[", "]") };
        let label = if count == 0 {
            format!("{open}{close}")
        } else {
            format!("{open} {count} {close}")
        };
        let (details, json, path) = (self.clone(), json.to_owned(), path.to_owned());
        let copied = json.clone();
        let copy = self.copy(move || copied.clone());
        let children = move || {
            is_open
                .get()
                .then(|| view! { <ul class="logs-tree">{details.children(&json, &path, depth + 1)}</ul> })
        };
        view! {
            <li class="logs-node">
                <button
                    type="button"
                    class="logs-branch"
                    aria-expanded=move || if is_open.get() { "true" } else { "false" }
                    on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
                >
                    {icon(icons::OPEN)}
                    <bdi class="logs-name">{visible(name)}</bdi>
                    <span class="logs-value-other">{label}</span>
                </button>
                {copy}
                {children}
            </li>
        }
        .into_any()
    }

    /// A value's text with matches marked, its beginning where it is long.
    fn text(&self, text: &str, class: &'static str) -> AnyView {
        let cut = text.char_indices().nth(MOST_CHARS).map(|(at, _)| at);
        let is_all = RwSignal::new(cut.is_none());
        let (viewer, text) = (self.viewer, visible(text).into_owned());
        // What is made visible takes as many characters.
        let cut = cut.and_then(|_| text.char_indices().nth(MOST_CHARS).map(|(at, _)| at));
        let count = cut.map(|_| text.chars().count());
        let shown = move || {
            let shown = if is_all.get() {
                &*text
            } else {
                &text[..cut.unwrap_or(text.len())]
            };
            with_needle(viewer, |needle| draw(pieces(shown, needle)))
        };
        let more = move || {
            (!is_all.get()).then(|| {
                let label =
                    format!("… show all {} characters", grouped(count.unwrap_or_default())).into_any();
                button("logs-unfold", label, "Show all of this value", move |_| {
                    is_all.set(true);
                })
            })
        };
        view! { <span class=class dir="auto">{shown}</span> {more} }.into_any()
    }

    /// What can be done with a value.
    fn actions(&self, text: &str, path: &str, depth: usize) -> AnyView {
        let (copied, name, value) = (text.to_owned(), path.to_owned(), text.to_owned());
        let filter = self.viewer.map(|viewer| {
            let (name, value) = (name.clone(), value.clone());
            let press = move |_| {
                let needle = Needle::for_field(&name, &value);
                viewer.announce(format!("Searching for {needle}"));
                viewer.filter.update(|filter| filter.needle = needle);
            };
            let title = "Search for lines with this value";
            button(
                "logs-node-action logs-filter-for",
                "Filter for this".into_any(),
                title,
                press,
            )
        });
        let follow: Option<FollowRun> = self
            .viewer
            .map(|viewer| viewer.tools.follow_run)
            .filter(|_| depth == 0 && !text.is_empty());
        let follow = follow.map(|FollowRun(follow)| {
            let press = move |_| follow.run((name.clone(), value.clone()));
            let title = "Follow everything with this value, whatever service it comes from";
            button(
                "logs-node-action logs-follow-run",
                "Follow this".into_any(),
                title,
                press,
            )
        });
        view! { {self.copy(move || copied.clone())} {filter} {follow} }.into_any()
    }

    fn copy(&self, text: impl Fn() -> String + 'static) -> AnyView {
        let viewer = self.viewer;
        let press = move |_| export::copy(viewer, text(), "Copied this value".into());
        button("logs-node-action", "Copy".into_any(), "Copy this value", press)
    }
}

fn leaf(name: String, value: AnyView, actions: AnyView, class: &'static str) -> AnyView {
    view! {
        <li class=class>
            <bdi class="logs-name">{visible(&name).into_owned()}</bdi>
            <span class="logs-leaf">{value} {actions}</span>
        </li>
    }
    .into_any()
}
