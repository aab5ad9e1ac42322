//! What text is marked in the list.

use js_sys::{Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, Node, Selection};

/// Where marked text begins and ends, by the way it was marked; nothing where none is.
pub(super) fn marked(list: &HtmlElement) -> [Option<Node>; 2] {
    let selection = selection(list).filter(|selection| !selection.is_collapsed());
    selection.map_or([None, None], |selection| {
        [selection.anchor_node(), selection.focus_node()]
    })
}

/// The selection as it is seen from inside: to the document a shadow root is one piece.
fn selection(list: &HtmlElement) -> Option<Selection> {
    let root: JsValue = list.get_root_node().into();
    let own = Reflect::get(&root, &"getSelection".into()).ok();
    let own = own.and_then(|get| get.dyn_into::<Function>().ok()?.call0(&root).ok());
    own.and_then(|selection| selection.dyn_into().ok())
        .or_else(|| window().get_selection().ok().flatten())
}
