use proptest::prelude::*;

use super::*;
use crate::{
    buffer::testing::row,
    filter::{Levels, Needle},
};

const MAX_ROWS: usize = 12;

#[derive(Clone, Debug)]
enum Step {
    /// So many rows at the end, with a level each, in one frame.
    Come(Vec<usize>),
    /// A row so far back.
    Late(u64),
    Follow(bool),
    Filter(Option<usize>, bool),
    /// Records from before.
    Past(u64),
    Measure(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0..6usize, 0..16).prop_map(Step::Come),
        1 => (1..40u64).prop_map(Step::Late),
        2 => any::<bool>().prop_map(Step::Follow),
        1 => (prop::option::of(0..6usize), any::<bool>()).prop_map(|(level, text)| Step::Filter(level, text)),
        1 => (1..9u64).prop_map(Step::Past),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(row, px)| Step::Measure(row, px)),
    ]
}

fn record(ms: u64, level: usize) -> Row {
    row(
        ms,
        Level::ALL[level],
        if ms.is_multiple_of(3) { "third" } else { "other" },
    )
}

fn keys<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<RowKey> {
    rows.map(Row::key).collect()
}

proptest! {
    #[test]
    fn it_shows_what_looking_through_everything_shows(steps in prop::collection::vec(step(), 0..60)) {
        let (mut buffer, mut filter, mut is_following) = (Buffer::new(MAX_ROWS), Filter::default(), true);
        let (mut view, mut naive) = (View::default(), std::collections::BTreeMap::new());
        // Ids step by two, so that there is room for late ones.
        let (mut next, mut oldest) = (10_000u64, 1_000u64);
        for step in steps {
            match step {
                Step::Come(levels) => {
                    let most = if is_following { usize::MAX } else { MAX_ROWS };
                    for level in levels.into_iter().take(most) {
                        buffer.insert(record(next, level));
                        next += 2;
                    }
                }
                Step::Late(back) => buffer.insert(record(next - 2 * back + 1, 2)),
                Step::Follow(follow) => is_following = follow,
                Step::Filter(level, text) => {
                    filter.levels = Levels::default();
                    level.into_iter().for_each(|level| filter.levels.toggle(Level::ALL[level]));
                    filter.needle = Needle::new(if text { "third" } else { "" });
                }
                Step::Past(count) => if !is_following {
                    let rows: Vec<Row> = (oldest - count..oldest).map(|ms| record(ms, 3)).collect();
                    oldest -= count;
                    naive.extend(rows.iter().map(|row| (row.key(), row.clone())));
                    // As after every step but this one, what has come before was taken in.
                    view.insert(rows);
                }
                Step::Measure(index, px) => if !view.is_empty() {
                    view.measure(index % view.len(), f64::from(px));
                }
            }
            view.take(&buffer, &filter, is_following, 0);
            if is_following {
                naive.clear();
            }
            naive.extend(buffer.rows().map(|row| (row.key(), row.clone())));
            let shown: Vec<RowKey> = keys(naive.values().filter(|row| filter.shows(row)));
            prop_assert_eq!(keys(view.rows()), shown.clone());
            prop_assert_eq!(view.heights().len(), shown.len());
            prop_assert_eq!(view.all_records(), naive.len());
            for level in Level::ALL {
                let says = |row: &&Row| row.as_record().is_some_and(|record| record.level == level && filter.shows_text(record));
                prop_assert_eq!(view.counts()[level as usize], naive.values().filter(says).count());
            }
            for (index, key) in shown.iter().enumerate() {
                prop_assert_eq!(view.position(*key), Ok(index));
            }
        }
    }
}

/// A buffer that so many rows came into, one a frame, and a view of it.
fn watched(rows: u64) -> (Buffer, View) {
    let (mut buffer, mut view) = (Buffer::new(5), View::default());
    for ms in 1..=rows {
        buffer.insert(record(ms, 2));
        view.take(&buffer, &Filter::default(), true, 0);
    }
    (buffer, view)
}

#[test]
fn what_is_read_stays_when_the_buffer_drops_it_and_new_lines_are_counted() {
    let (mut buffer, mut view) = watched(5);
    let filter = Filter::default();
    view.take(&buffer, &filter, false, 0);
    for ms in 6..=20 {
        buffer.insert(record(ms, 2));
        view.take(&buffer, &filter, false, 0);
    }
    assert_eq!(view.len(), 20);
    assert_eq!(
        view.new_lines(),
        New {
            lines: 15,
            and_more: false
        }
    );
    view.take(&buffer, &filter, true, 0);
    assert_eq!((view.len(), view.new_lines()), (5, New::default()));
}

#[test]
fn rows_that_nobody_saw_are_told() {
    let (mut buffer, mut view) = watched(5);
    view.take(&buffer, &Filter::default(), false, 0);
    (6..=20).for_each(|ms| buffer.insert(record(ms, 2)));
    view.take(&buffer, &Filter::default(), false, 0);
    assert_eq!(
        view.new_lines(),
        New {
            lines: 15,
            and_more: false
        }
    );
    assert_eq!(view.row(5), Some(&Row::Unloaded(RecordId::new(5, 0))));
    assert_eq!(
        view.next_record(RowKey::of(RecordId::new(5, 0))),
        Some(RecordId::new(16, 0))
    );

    let (mut buffer, mut view) = watched(5);
    let filter = Filter {
        needle: Needle::new("third"),
        ..Filter::default()
    };
    view.take(&buffer, &filter, false, 0);
    (6..=20).for_each(|ms| buffer.insert(record(ms, 2)));
    view.take(&buffer, &filter, false, 0);
    assert_eq!(
        view.new_lines(),
        New {
            lines: 1,
            and_more: true
        },
        "18 of 16 to 20, and who knows"
    );
}

#[test]
fn another_buffer_is_another_view() {
    let (buffer, mut view) = watched(5);
    view.take(&buffer, &Filter::default(), false, 0);
    let mut other = Buffer::new(5);
    other.insert(record(2, 2));
    view.take(&other, &Filter::default(), false, 0);
    assert_eq!(keys(view.rows()), keys(other.rows()));
}

#[test]
fn the_far_end_goes_when_too_much_is_scrolled_back_into() {
    let (buffer, mut view) = watched(5);
    view.take(&buffer, &Filter::default(), false, 0);
    view.insert(
        (0..MOST_ROWS as u64)
            .map(|seq| Row::Unloaded(RecordId::new(0, seq)))
            .collect(),
    );
    assert_eq!((view.len(), view.is_behind()), (MOST_ROWS - 1, true));
    assert_eq!(view.row(0), Some(&Row::Unloaded(RecordId::ZERO)));
    view.take(&buffer, &Filter::default(), true, 0);
    assert_eq!((view.len(), view.is_behind()), (5, false));
}

#[test]
fn measured_rows_keep_their_height_and_others_are_guessed_by_them() {
    let (mut buffer, mut view) = watched(4);
    view.measure(0, 40.0);
    view.measure(1, 60.0);
    buffer.insert(record(5, 2));
    view.take(&buffer, &Filter::default(), true, 0);
    assert_eq!(view.heights().get(4), 50.0);
    let filter = Filter {
        needle: Needle::new("third"),
        ..Filter::default()
    };
    view.take(&buffer, &filter, true, 0);
    view.take(&buffer, &Filter::default(), true, 0);
    assert_eq!(view.heights().get(1), 60.0);
}
