//! What changes with what is read: one effect for all of it.

use leptos::{
    prelude::*,
    reactive::effect::{Effect, RenderEffect},
};
use send_wrapper::SendWrapper;

use super::{El, create_comment, create_text};

/// Does something when the current owner ends.
pub(crate) fn at_end(call: Box<dyn FnOnce()>) {
    let call = SendWrapper::new(call);
    on_cleanup(move || (call.take())());
}

/// Runs at once, and again in a moment after each change of what it has read, until the current owner ends. What is
/// made during a run ends with the next one.
pub(crate) fn effect(mut run: Box<dyn FnMut()>) {
    let effect = RenderEffect::new(move |_| run());
    at_end(Box::new(move || drop(effect)));
}

/// Like [`effect`], but runs for the first time in a moment: when all is in its place.
pub(crate) fn effect_later(run: Box<dyn FnMut()>) {
    Effect::new(run);
}

/// A value that tells of itself only when it becomes another.
pub(crate) fn memo_bool(read: impl Fn() -> bool + 'static) -> Memo<bool> {
    fn boxed(read: Box<dyn Fn() -> bool>) -> Memo<bool> {
        let read = SendWrapper::new(read);
        Memo::new(move |_| read())
    }
    boxed(Box::new(read))
}

/// A text that tells of itself only when it becomes another.
pub(crate) fn memo_string(read: impl Fn() -> String + 'static) -> Memo<String> {
    fn boxed(read: Box<dyn Fn() -> String>) -> Memo<String> {
        let read = SendWrapper::new(read);
        Memo::new(move |_| read())
    }
    boxed(Box::new(read))
}

/// What there is of an element that is one thing or the other.
#[derive(Clone, Copy)]
enum Switch {
    Bool,
    Flag,
    Class,
}

impl El {
    /// Adds text that changes with what it is made of.
    pub(crate) fn text_from(self, read: impl Fn() -> String + 'static) -> Self {
        self.reads_text(Box::new(read))
    }

    fn reads_text(self, read: Box<dyn Fn() -> String>) -> Self {
        let node = create_text("");
        let mut was = String::new();
        self.put_last(&node);
        effect(Box::new(move || {
            let is = read();
            if is != was {
                node.set_data(&is);
                was = is;
            }
        }));
        self
    }

    /// An attribute that changes with what it is made of; none while there is no value.
    pub(crate) fn attr_from(self, name: &'static str, read: impl Fn() -> Option<String> + 'static) -> Self {
        self.reads_attr(name, Box::new(read))
    }

    fn reads_attr(self, name: &'static str, read: Box<dyn Fn() -> Option<String>>) -> Self {
        let node = self.clone();
        let mut was = None;
        effect(Box::new(move || {
            let is = read();
            if is != was {
                node.set_attr(name, is.as_deref());
                was = is;
            }
        }));
        self
    }

    /// An attribute that is `true` or `false`, as those of ARIA are.
    pub(crate) fn bool_from(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        self.switches(Switch::Bool, name, Box::new(read))
    }

    /// An attribute that is there or not, as `hidden` is.
    pub(crate) fn flag_from(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        self.switches(Switch::Flag, name, Box::new(read))
    }

    /// A class that is there or not, beside those it has.
    pub(crate) fn class_when(self, class: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        self.switches(Switch::Class, class, Box::new(read))
    }

    /// Hidden unless it is wanted.
    pub(crate) fn shown_when(self, read: impl Fn() -> bool + 'static) -> Self {
        self.flag_from("hidden", move || !read())
    }

    fn switches(self, what: Switch, name: &'static str, read: Box<dyn Fn() -> bool>) -> Self {
        let node = self.clone();
        let mut was = None;
        effect(Box::new(move || {
            let is = read();
            if was.replace(is) == Some(is) {
                return;
            }
            match what {
                Switch::Bool => node.set_attr(name, Some(if is { "true" } else { "false" })),
                Switch::Flag => node.set_attr(name, is.then_some("")),
                Switch::Class => node.classes().toggle(name, is),
            }
        }));
        self
    }

    /// Adds nodes that are made anew with what they are made of. What belongs to those before ends.
    pub(crate) fn children_from(self, make: impl Fn() -> Vec<El> + 'static) -> Self {
        self.makes_children(Box::new(make))
    }

    /// Adds a node while there is one to be made.
    pub(crate) fn child_from(self, make: impl Fn() -> Option<El> + 'static) -> Self {
        self.makes_child(Box::new(make))
    }

    fn makes_child(self, make: Box<dyn Fn() -> Option<El>>) -> Self {
        self.makes_children(Box::new(move || make().into_iter().collect()))
    }

    fn makes_children(self, make: Box<dyn Fn() -> Vec<El>>) -> Self {
        // They stand before it: it knows the place while there are none.
        let end = create_comment("");
        self.put_last(&end);
        let mut were: Vec<El> = Vec::new();
        effect(Box::new(move || {
            let are = make();
            were.iter().for_each(|node| node.remove());
            are.iter().for_each(|node| end.put_before(node));
            were = are;
        }));
        self
    }
}
