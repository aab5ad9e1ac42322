//! [`El`]: elements of the page, made by hand.
//!
//! A view in Leptos is a type of its own, with its own copy of all that builds, changes and removes it. Here every
//! element is the same type and every reaction the same effect: what parts of the viewer are made of adds only what it
//! says to the download.

mod reaction;
mod view;

use leptos::prelude::{AnyView, Mountable, Render};
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, EventTarget, HtmlElement, Node};

pub(crate) use self::reaction::{at_end, effect, effect_later, memo_bool, memo_string};
use crate::listener::Listener;

const SVG: &str = "http://www.w3.org/2000/svg";

#[wasm_bindgen]
extern "C" {
    /// A node of the page: an element, or a piece of text, which has no attributes and nothing in it. A handle: a
    /// clone is the same node.
    ///
    /// Listeners and reactions belong to the reactive owner they are made under, and end with it.
    #[wasm_bindgen(extends = HtmlElement, extends = Element, extends = Node, extends = EventTarget)]
    #[derive(Clone, Debug)]
    pub(crate) type El;

    #[wasm_bindgen(js_namespace = document, js_name = createElement)]
    fn create_element(name: &str) -> El;
    #[wasm_bindgen(js_namespace = document, js_name = createElementNS)]
    fn create_element_ns(namespace: &str, name: &str) -> El;
    #[wasm_bindgen(js_namespace = document, js_name = createTextNode)]
    fn create_text(text: &str) -> El;
    #[wasm_bindgen(js_namespace = document, js_name = createComment)]
    fn create_comment(text: &str) -> El;

    #[wasm_bindgen(method, js_name = append)]
    fn put_last(this: &El, node: &El);
    #[wasm_bindgen(method, js_name = before)]
    fn put_before(this: &El, node: &El);
    #[wasm_bindgen(method, js_name = setAttribute)]
    fn put_attribute(this: &El, name: &str, value: &str);
    #[wasm_bindgen(method, js_name = removeAttribute)]
    fn take_attribute(this: &El, name: &str);
    #[wasm_bindgen(method, setter, js_name = data)]
    fn set_data(this: &El, text: &str);
    #[wasm_bindgen(method, getter, js_name = classList)]
    fn classes(this: &El) -> Classes;

    type Classes;
    #[wasm_bindgen(method)]
    fn toggle(this: &Classes, class: &str, is_there: bool);
}

/// An element of HTML with these classes; without any where there is no name.
pub(crate) fn el(name: &str, class: &str) -> El {
    with_class(create_element(name), class)
}

/// An element of SVG with these classes.
pub(crate) fn svg(name: &str, class: &str) -> El {
    with_class(create_element_ns(SVG, name), class)
}

/// A button, which sends no form, with these classes and what it does in words.
pub(crate) fn button(class: &str, title: &str) -> El {
    let button = el("button", class).attr("type", "button");
    if title.is_empty() {
        button
    } else {
        button.attr("title", title)
    }
}

/// A picture of 16 by 16 in the colour of the text, by its path.
pub(crate) fn icon(path: &str) -> El {
    svg("svg", "logs-icon")
        .attr("viewBox", "0 0 16 16")
        .attr("aria-hidden", "true")
        .add(svg("path", "").attr("d", path))
}

/// A piece of text.
pub(crate) fn text(text: &str) -> El {
    create_text(text)
}

fn with_class(el: El, class: &str) -> El {
    if class.is_empty() {
        el
    } else {
        el.attr("class", class)
    }
}

impl El {
    /// Sets an attribute.
    pub(crate) fn attr(self, name: &str, value: &str) -> Self {
        self.put_attribute(name, value);
        self
    }

    /// Sets or removes an attribute.
    pub(crate) fn set_attr(&self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.put_attribute(name, value),
            None => self.take_attribute(name),
        }
    }

    /// Names it for the style sheets of hosts.
    pub(crate) fn part(self, name: &str) -> Self {
        self.attr("part", name)
    }

    /// Adds text at its end.
    pub(crate) fn text(self, text: &str) -> Self {
        self.add(create_text(text))
    }

    /// Adds a node at its end.
    pub(crate) fn add(self, child: El) -> Self {
        self.put_last(&child);
        self
    }

    /// Adds nodes at its end.
    pub(crate) fn add_all(self, children: Vec<El>) -> Self {
        children.iter().for_each(|child| self.put_last(child));
        self
    }

    /// Adds a view at its end. It is taken out when the owner ends.
    pub(crate) fn add_view(self, view: AnyView) -> Self {
        let mut state = view.build();
        state.mount(&self, None);
        at_end(Box::new(move || state.unmount()));
        self
    }

    /// Listens to an event.
    pub(crate) fn on(self, name: &'static str, call: impl FnMut(Event) + 'static) -> Self {
        self.listen(name, Box::new(call))
    }

    fn listen(self, name: &'static str, call: Box<dyn FnMut(Event)>) -> Self {
        let listener = Listener::boxed(&self, name, call);
        at_end(Box::new(move || drop(listener)));
        self
    }

    /// Does something when it is pressed.
    pub(crate) fn on_click(self, press: impl FnMut() + 'static) -> Self {
        self.press(Box::new(press))
    }

    fn press(self, mut press: Box<dyn FnMut()>) -> Self {
        self.listen("click", Box::new(move |_| press()))
    }
}
