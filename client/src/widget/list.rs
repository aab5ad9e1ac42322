//! [`list`]: the rows, which scroll.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Event, HtmlElement, KeyboardEvent, Node, ResizeObserver, WheelEvent};

use super::{
    keys,
    marking::marked,
    nothing::nothing,
    past::head,
    sheet::{Scrolled, Sheet},
    viewer::Viewer,
};
use crate::{
    Row,
    dom::{El, at_end, effect_later, el},
    frame::Frame,
    listener::Listener,
};

/// The sheet, as long as its elements are there.
type Held = StoredValue<Option<Parts>, LocalStorage>;

/// What lives as long as the list.
struct Parts {
    sheet: Rc<RefCell<Option<Sheet>>>,
    _on_resize: Closure<dyn FnMut()>,
    _on_marking: Listener,
}

/// The rows, of which only those near the viewport are in the document.
///
/// It is one stop for the keyboard; within it arrows go from row to row.
pub(super) fn list(label: &str, empty: Option<ViewFn>) -> El {
    let viewer: Viewer = expect_context();
    let list = el("div", "logs-list")
        .part("list")
        .attr("role", "log")
        .attr("aria-label", label)
        // Thousands of lines a second would be read out; the announcer sums them up.
        .attr("aria-live", "off")
        .attr("tabindex", "0");
    let window = el("div", "logs-window");
    let sheet = el("div", "logs-sheet").add(window.clone());
    let parts = Parts::new(viewer, [list.clone(), sheet.clone(), window]);
    let held: Held = StoredValue::new_local(Some(parts));
    at_end(Box::new(move || held.set_value(None)));
    effect_later(Box::new(move || {
        viewer.view.track();
        viewer.follow.is_following();
        let (selected, revealed) = (viewer.selected.get(), viewer.revealed.get());
        draw(viewer, held);
        if let Some(key) = revealed {
            viewer.revealed.set(None);
            with_sheet(held, |sheet| sheet.show(key, true));
        }
        with_sheet(held, |sheet| sheet.select(selected));
    }));

    let on_scroll = move |_: Event| {
        let scrolled = draw(viewer, held);
        // Towards what was not loaded; coming back from there it is above what is read, and left alone.
        if scrolled == Scrolled::Down
            && let Some(Some(after)) = with_sheet(held, |sheet| sheet.unloaded())
        {
            viewer.past.load_on(after);
        }
    };
    // Before the list has moved: while lines stream in, the first small step up would be undone.
    let on_wheel = move |event: Event| {
        let is_up = event.unchecked_ref::<WheelEvent>().delta_y() < 0.0;
        if is_up && with_sheet(held, |sheet| sheet.is_long()) == Some(true) {
            viewer.follow.hold_for_reading();
        }
    };
    let on_click = move |event: Event| {
        let target: Option<Node> = event.target().and_then(|target| target.dyn_into().ok());
        let key = with_sheet(held, |sheet| sheet.key_of(target.as_ref())).flatten();
        let Some(key) = key else { return };
        viewer.selected.set(Some(key));
        let control = target.and_then(|node| node.dyn_into::<web_sys::Element>().ok());
        let control = control.and_then(|element| element.closest("button, summary, a").ok().flatten());
        if control.is_some() {
            // What is opened is to be read.
            viewer.follow.hold_for_reading();
        }
    };

    let list = list
        .on("scroll", on_scroll)
        .on("wheel", on_wheel)
        .on("keydown", move |event| {
            on_key(viewer, held, event.unchecked_ref());
        })
        .on("click", on_click);
    nothing(head(list).add(sheet), empty)
}

impl Parts {
    fn new(viewer: Viewer, elements: [El; 3]) -> Self {
        let list = elements[0].clone();
        // Made first, so that it can be let go of last.
        let sheet: Rc<RefCell<Option<Sheet>>> = Rc::default();
        let frame = Frame::new({
            let sheet = Rc::downgrade(&sheet);
            move || {
                if let Some(sheet) = sheet.upgrade() {
                    heed(viewer, with(&sheet, Sheet::scrolled));
                    with(&sheet, Sheet::draw);
                }
            }
        });
        let on_resize = Closure::new({
            let sheet = Rc::downgrade(&sheet);
            move || {
                // Between layout and paint: what has moved is put back, other rows are drawn in the next frame.
                if let Some(sheet) = sheet.upgrade() {
                    heed(viewer, with(&sheet, Sheet::scrolled));
                    with(&sheet, Sheet::settle);
                    frame.ask();
                }
            }
        });
        let resize = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
        *sheet.borrow_mut() = Some(Sheet::new(viewer, elements, resize));
        let on_marking = Listener::on(&document(), "selectionchange", {
            let sheet = Rc::downgrade(&sheet);
            move |_| {
                let Some(sheet) = sheet.upgrade() else { return };
                let [one, other] =
                    marked(&list).map(|node| with(&sheet, |sheet| sheet.key_of(node.as_ref())).flatten());
                let rows = one.or(other).zip(other.or(one));
                with(&sheet, |sheet| sheet.keep_marked(rows));
                if rows.is_some() {
                    viewer.follow.hold_for_reading();
                }
            }
        });
        Self {
            sheet,
            _on_resize: on_resize,
            _on_marking: on_marking,
        }
    }
}

/// Does something with the sheet, unless it is at something itself.
fn with<T>(sheet: &RefCell<Option<Sheet>>, act: impl FnOnce(&mut Sheet) -> T) -> Option<T> {
    sheet.try_borrow_mut().ok()?.as_mut().map(act)
}

fn with_sheet<T>(held: Held, act: impl FnOnce(&mut Sheet) -> T) -> Option<T> {
    let sheet = held.try_with_value(|parts| parts.as_ref().map(|parts| parts.sheet.clone()))??;
    with(&sheet, act)
}

/// Stands still for who has scrolled up, and goes along for who has come to the end.
fn heed(viewer: Viewer, scrolled: Option<Scrolled>) -> Scrolled {
    let scrolled = scrolled.unwrap_or(Scrolled::Not);
    match scrolled {
        Scrolled::Up => viewer.follow.hold_for_reading(),
        Scrolled::ToEnd => viewer.follow.end_reading(),
        Scrolled::Down | Scrolled::Not => {}
    }
    scrolled
}

/// Draws what is near to where someone has scrolled to.
fn draw(viewer: Viewer, held: Held) -> Scrolled {
    // Also when nobody has told yet: lines that come at the same moment must not undo it.
    let scrolled = heed(viewer, with_sheet(held, Sheet::scrolled));
    let is_near_start = with_sheet(held, |sheet| {
        sheet.draw();
        sheet.is_near_start()
    });
    if is_near_start == Some(true) && !viewer.follow.is_following_untracked() {
        viewer.past.load_older();
    }
    scrolled
}

/// Goes from row to row; what else keys do is told by their table.
fn on_key(viewer: Viewer, held: Held, event: &KeyboardEvent) {
    if event.default_prevented() || keys::on_key(&viewer, event) {
        return;
    }
    if event.ctrl_key() || event.alt_key() || event.meta_key() {
        return;
    }
    let page = || {
        let rows = with_sheet(held, |sheet| sheet.visible()).flatten();
        let place = |key| {
            viewer
                .view
                .read_untracked()
                .position(key)
                .unwrap_or_else(|place| place)
        };
        rows.map_or(1, |(first, last)| (place(last) - place(first)).max(1))
            .cast_signed()
    };
    match event.key().as_str() {
        "ArrowUp" | "k" => go(viewer, held, -1),
        "ArrowDown" | "j" => go(viewer, held, 1),
        "PageUp" => go(viewer, held, -page()),
        "PageDown" => go(viewer, held, page()),
        "Home" => go(viewer, held, isize::MIN),
        "End" => {
            viewer.follow.resume();
            let last = viewer.view.read_untracked().rows().next_back().map(Row::key);
            viewer.selected.set(last);
        }
        "Enter" | " " => {
            // A row's own controls are no stops for the keyboard.
            let target = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlElement>().ok());
            let item = target.filter(|target| target.matches(".logs-item").unwrap_or_default());
            let control = item.and_then(|item| item.query_selector("button, summary").ok().flatten());
            let Some(control) = control.and_then(|control| control.dyn_into::<HtmlElement>().ok()) else {
                return;
            };
            control.click();
        }
        _ => return,
    }
    event.prevent_default();
}

/// Selects the row so many further, from the selected one or from what can be seen.
fn go(viewer: Viewer, held: Held, by: isize) {
    let visible = with_sheet(held, |sheet| sheet.visible()).flatten();
    let key = viewer.view.with_untracked(|view| {
        let last = view.len().checked_sub(1)?;
        let selected = viewer
            .selected
            .get_untracked()
            .and_then(|key| view.position(key).ok());
        let index = match (selected, visible) {
            (Some(index), _) => index.saturating_add_signed(by),
            (None, Some((first, end))) => view
                .position(if by < 0 { end } else { first })
                .unwrap_or_default(),
            (None, None) => last,
        };
        (index <= last || selected != Some(last)).then(|| view.row(index.min(last)).map(Row::key))
    });
    match key {
        Some(Some(key)) => {
            viewer.follow.hold_for_reading();
            viewer.selected.set(Some(key));
            with_sheet(held, |sheet| sheet.show(key, false));
            draw(viewer, held);
        }
        // Down from the last one.
        Some(None) | None => viewer.follow.end_reading(),
    }
}
