//! [`chips`] and [`Details`]: what a record says beside its message.

use std::{borrow::Cow, rc::Rc, sync::Arc};

use js_sys::{Function, Reflect};
use leptos::prelude::*;
use logs_shared::LogRecord;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Event;

use super::{
    export,
    message::Said,
    record_row::Toggle,
    tools::{FollowRun, icons},
    viewer::Viewer,
};
use crate::{
    dom::{El, button, el, icon},
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
pub(super) fn chips(record: Arc<LogRecord>, toggle: Toggle) -> El {
    // Text that can be selected, so no button; the one at the row's start does the same.
    let chips = el("div", "logs-chips").part("fields").on("click", move |event| {
        if !is_marked(&event) {
            toggle.run();
        }
    });
    chips.says(toggle.viewer, move |needle| {
        let fields: Vec<_> = Value::of(&record).children().collect();
        let mut said = Vec::new();
        for (name, value) in fields.iter().take(MOST_CHIPS) {
            let text = value.scalar().unwrap_or(Cow::Borrowed(value.json()));
            let text = short(&text);
            let classes = if needle.is_field(name, &text) {
                ["logs-chip-name logs-mark", "logs-chip-value logs-mark"]
            } else {
                ["logs-chip-name", "logs-chip-value"]
            };
            for (class, text) in classes.into_iter().zip([&**name, &text]) {
                said.push(Said {
                    within: ("bdi", class),
                    pieces: pieces(text, needle),
                });
            }
        }
        let more = fields.len().saturating_sub(MOST_CHIPS);
        if more > 0 {
            let mut words = String::from("+");
            words.push_str(&more.to_string());
            words.push_str(" fields");
            said.push(Said {
                within: ("span", "logs-chip-more"),
                pieces: pieces(&words, &Needle::default()),
            });
        }
        said
    })
}

/// Whether a click is the end of marking text. To the document a shadow root is one piece: it is asked itself, where
/// it can be.
fn is_marked(event: &Event) -> bool {
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
    let mut short = start;
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// All of a record: its fields as a tree, and where it belongs.
pub(super) struct Details {
    record: Arc<LogRecord>,
    viewer: Option<Viewer>,
}

impl Details {
    /// The tree. What is folded in it is made when it is unfolded.
    pub(super) fn draw(record: Arc<LogRecord>, viewer: Option<Viewer>) -> El {
        let details = Rc::new(Self { record, viewer });
        let record = &details.record;
        let mut tree = el("ul", "logs-tree").part("fields").attr("aria-label", "Fields");
        tree = details.children(tree, record.fields.as_json(), "", 0);
        let about = [
            ("channel", record.channel.to_string()),
            ("time", record.timestamp.to_string()),
            ("id", record.id.to_string()),
        ];
        for (name, text) in about {
            let leaf = leaf().add(el("span", "logs-value").text(&text));
            let leaf = leaf.add(details.copy(text));
            tree = tree.add(node("logs-node logs-about", name, leaf));
        }
        tree
    }

    /// Adds the values of an object or array to a tree; the first of them where they are many.
    fn children(self: &Rc<Self>, tree: El, json: &str, path: &str, depth: usize) -> El {
        let mut all: Vec<(String, String)> = Value::new(json)
            .children()
            .map(|(name, value)| (name.into_owned(), value.json().to_owned()))
            .collect();
        let count = all.len();
        let others = all.split_off(count.min(MOST_CHILDREN));
        let tree = tree.add_all(self.nodes(&all, path, depth));
        if others.is_empty() {
            return tree;
        }
        let is_all = RwSignal::new(false);
        let (details, path) = (Rc::clone(self), path.to_owned());
        tree.children_from(move || {
            if is_all.get() {
                return details.nodes(&others, &path, depth);
            }
            let mut label = String::from("Show all ");
            label.push_str(&count.to_string());
            let button = button("logs-unfold", "Show the others")
                .text(&label)
                .on_click(move || is_all.set(true));
            vec![el("li", "logs-node").add(button)]
        })
    }

    fn nodes(self: &Rc<Self>, children: &[(String, String)], path: &str, depth: usize) -> Vec<El> {
        let nodes = children.iter().map(|(name, json)| {
            let mut within = path.to_owned();
            if !within.is_empty() {
                within.push('.');
            }
            within.push_str(name);
            self.node(name, json, &within, depth)
        });
        nodes.collect()
    }

    fn node(self: &Rc<Self>, name: &str, json: &str, path: &str, depth: usize) -> El {
        let value = Value::new(json);
        let Some(text) = value.scalar() else {
            return self.branch(name, json, path, depth);
        };
        let class = if value.is_text() {
            "logs-value logs-value-text"
        } else {
            "logs-value logs-value-other"
        };
        let leaf = self.text(leaf(), &text, class);
        let leaf = leaf.add_all(self.actions(&text, path, depth));
        node("logs-node", name, leaf)
    }

    /// An object or array that can be folded. What is folded is not made.
    fn branch(self: &Rc<Self>, name: &str, json: &str, path: &str, depth: usize) -> El {
        let value = Value::new(json);
        let count = value.children().count();
        let is_open = RwSignal::new(count <= FEW_CHILDREN && depth < SHALLOW);
        let (open, close) = if value.is_object() { ("{", "}") } else { ("[", "]") };
        let mut label = String::from(open);
        if count > 0 {
            label.push(' ');
            label.push_str(&count.to_string());
            label.push(' ');
        }
        label.push_str(close);
        let fold = button("logs-branch", "")
            .bool_from("aria-expanded", move || is_open.get())
            .on_click(move || is_open.update(|is_open| *is_open = !*is_open))
            .add(icon(icons::OPEN))
            .add(el("bdi", "logs-name").text(&visible(name)))
            .add(el("span", "logs-value-other").text(&label));
        let (details, json, path) = (Rc::clone(self), json.to_owned(), path.to_owned());
        el("li", "logs-node")
            .add(fold)
            .add(self.copy(json.clone()))
            .child_from(move || {
                let tree = || details.children(el("ul", "logs-tree"), &json, &path, depth + 1);
                is_open.get().then(tree)
            })
    }

    /// Adds a value's text with matches marked, its beginning where it is long.
    fn text(&self, leaf: El, text: &str, class: &str) -> El {
        let is_long = text.char_indices().nth(MOST_CHARS).is_some();
        let text = visible(text).into_owned();
        let value = el("span", class).attr("dir", "auto");
        // What is made visible takes as many characters.
        let cut = text.char_indices().nth(MOST_CHARS).map(|(at, _)| at);
        let cut = cut.filter(|_| is_long).unwrap_or(text.len());
        let is_all = RwSignal::new(!is_long);
        let count = text.chars().count();
        let leaf = leaf.add(value.says(self.viewer, move |needle| {
            let shown = if is_all.get() { &*text } else { &text[..cut] };
            vec![Said::plain(pieces(shown, needle))]
        }));
        if !is_long {
            return leaf;
        }
        leaf.child_from(move || {
            (!is_all.get()).then(|| {
                let mut label = String::from("… show all ");
                label.push_str(&grouped(count));
                label.push_str(" characters");
                button("logs-unfold", "Show all of this value")
                    .text(&label)
                    .on_click(move || is_all.set(true))
            })
        })
    }

    /// What can be done with a value.
    fn actions(&self, text: &str, path: &str, depth: usize) -> Vec<El> {
        let mut actions = vec![self.copy(text.to_owned())];
        let Some(viewer) = self.viewer else {
            return actions;
        };
        let (name, value) = (path.to_owned(), text.to_owned());
        actions.push(
            button(
                "logs-node-action logs-filter-for",
                "Search for lines with this value",
            )
            .text("Filter for this")
            .on_click(move || {
                let needle = Needle::for_field(&name, &value);
                let mut words = String::from("Searching for ");
                words.push_str(&needle.to_string());
                viewer.announce(words);
                viewer.filter.update(|filter| filter.needle = needle);
            }),
        );
        if depth == 0 && !text.is_empty() {
            let FollowRun(follow) = viewer.tools.follow_run;
            let (name, value) = (path.to_owned(), text.to_owned());
            actions.push(
                button(
                    "logs-node-action logs-follow-run",
                    "Follow everything with this value, whatever service it comes from",
                )
                .text("Follow this")
                .on_click(move || follow.run((name.clone(), value.clone()))),
            );
        }
        actions
    }

    fn copy(&self, text: String) -> El {
        let viewer = self.viewer;
        button("logs-node-action", "Copy this value")
            .text("Copy")
            .on_click(move || export::copy(viewer, text.clone(), "Copied this value".into()))
    }
}

/// A name, and the value it has.
fn node(class: &str, name: &str, leaf: El) -> El {
    el("li", class)
        .add(el("bdi", "logs-name").text(&visible(name)))
        .add(leaf)
}

fn leaf() -> El {
    el("span", "logs-leaf")
}
