//! [`sparkline`]: how many records have come lately.

use std::fmt::Write;

use leptos::prelude::*;
use logs_shared::Level;

use super::{time::now_ms, viewer::Viewer};
use crate::dom::{El, el, memo_string, svg};

/// Records by second and level, the present second last.
type Rate = [Second; 60];
type Second = [usize; Level::ALL.len()];

/// As the picture is measured: a second is so wide, and the highest bar so high.
const SECOND: usize = 2;
const HEIGHT: usize = 20;
const VIEW_BOX: &str = "0 0 120 20";

/// The levels that share a colour, with its class.
const COLOURS: [(&str, [bool; Level::ALL.len()]); 3] = [
    ("logs-spark-quiet", [true, true, true, false, false, false]),
    ("logs-spark-warn", [false, false, false, true, false, false]),
    ("logs-spark-error", [false, false, false, false, true, true]),
];

/// Records per second over the last minute, graver ones in their colour, and how many come now.
pub(super) fn sparkline(viewer: Viewer) -> El {
    // Once a second, whatever comes.
    let rate = Memo::new(move |_| {
        let now = u64::try_from(now_ms()).unwrap_or_default();
        viewer.view.with_untracked(|view| view.rate(now))
    });
    let picture = svg("svg", "logs-spark-bars")
        .attr("viewBox", VIEW_BOX)
        .attr("preserveAspectRatio", "none")
        .attr("aria-hidden", "true");
    let picture = COLOURS
        .iter()
        .enumerate()
        .fold(picture, |drawn, (place, (class, _))| {
            drawn.add(svg("path", class).attr_from("d", move || Some(rate.with(|rate| bars(rate, place)))))
        });
    let label = memo_string(move || rate.with(words));
    let figure = el("span", "logs-spark-figure")
        .attr("aria-hidden", "true")
        .text_from(move || compact(rate.with(per_second)) + "/s");
    el("span", "logs-spark")
        .attr("role", "img")
        .attr_from("aria-label", move || Some(label.get()))
        .attr_from("title", move || Some(label.get()))
        .add(picture)
        .add(figure)
}

/// A number that stays short: 9999, 12.3k, 4.5M.
pub(super) fn compact(number: usize) -> String {
    let tenths = |unit: usize, name| format!("{}.{}{name}", number / unit, number % unit * 10 / unit);
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => tenths(1_000, "k"),
        _ => tenths(1_000_000, "M"),
    }
}

fn of_colour(second: &Second, place: usize) -> usize {
    let levels = COLOURS[place].1.iter().zip(second);
    levels.filter(|(is_of, _)| **is_of).map(|(_, count)| count).sum()
}

/// The bars of one colour, each upon those of the colours before it.
fn bars(rate: &Rate, place: usize) -> String {
    let highest = rate
        .iter()
        .map(|second| second.iter().sum())
        .max()
        .unwrap_or(0)
        .max(1);
    // What there is can be seen, however little of all it is.
    let height = |count: usize| (count * HEIGHT / highest).max(usize::from(count > 0));
    let mut path = String::new();
    for (at, second) in rate.iter().enumerate() {
        let high = height(of_colour(second, place));
        if high == 0 {
            continue;
        }
        let below: usize = (0..place).map(|place| height(of_colour(second, place))).sum();
        let base = HEIGHT.saturating_sub(below).max(high);
        // Writing to a string does not fail.
        let _ = write!(path, "M{} {base}v-{high}h{}v{high}z", at * SECOND, SECOND);
    }
    path
}

/// The newest whole second: the one that is under way would always be too few.
fn per_second(rate: &Rate) -> usize {
    rate.iter().rev().nth(1).map_or(0, |second| second.iter().sum())
}

fn words(rate: &Rate) -> String {
    let all = |place: usize| -> usize { rate.iter().map(|second| of_colour(second, place)).sum() };
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let (quiet, warnings, errors) = (all(0), all(1), all(2));
    format!(
        "{} a second now; {}, {} and {} in the last minute",
        count(per_second(rate), "record"),
        count(quiet + warnings + errors, "record"),
        count(warnings, "warning"),
        count(errors, "error")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_told_in_words() {
        let mut rate = [[0; 6]; 60];
        assert!(words(&rate).starts_with("0 records a second now; 0 records"));
        rate[58] = [0, 0, 3, 1, 0, 0];
        rate[10] = [0, 0, 0, 0, 1, 1];
        assert_eq!(
            words(&rate),
            "4 records a second now; 6 records, 1 warning and 2 errors in the last minute"
        );
    }

    #[test]
    fn bars_stand_on_each_other_and_the_least_can_be_seen() {
        let mut rate = [[0; 6]; 60];
        rate[0] = [0, 0, 999, 0, 1, 0];
        rate[59] = [0, 0, 10, 10, 0, 0];
        assert_eq!(bars(&rate, 0), "M0 20v-19h2v19zM118 20v-1h2v1z");
        assert_eq!(bars(&rate, 1), "M118 19v-1h2v1z");
        assert_eq!(bars(&rate, 2), "M0 1v-1h2v1z");
        assert_eq!(bars(&[[0; 6]; 60], 0), "");
    }

    #[test]
    fn large_numbers_stay_short() {
        for (number, expected) in [(0, "0"), (9_999, "9999"), (12_345, "12.3k"), (4_560_000, "4.5M")] {
            assert_eq!(compact(number), expected);
        }
    }
}
