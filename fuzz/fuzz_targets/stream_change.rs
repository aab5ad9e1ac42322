//! A change of a stream's set: what is read can be written and read again, and leaves a set that may be one.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use logs_shared::{
    Interest, StreamChange,
    api::{MAX_CHANGES, MAX_CHANNELS_PER_STREAM},
    change::{Entry, EntryStatus},
};

/// The longest sentence a refusal may be, in bytes: what it names of a body is cut.
const LONGEST_SENTENCE: usize = 4_096;

fuzz_target!(|body: &[u8]| {
    let change = match StreamChange::parse(body) {
        Ok(change) => change,
        Err(error) => {
            assert!(!error.code().is_empty());
            return assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}");
        }
    };
    assert!(change.add.len() + change.remove.len() <= MAX_CHANGES);
    let json = change.to_json();
    let again = StreamChange::parse(json.as_bytes()).unwrap();
    assert_eq!(names(&again.add), names(&change.add), "{json}");
    assert_eq!(names(&again.remove), names(&change.remove), "{json}");
    leaves_a_set(&change);
});

/// Each entry, or the text of one that cannot be read.
fn names(entries: &[Entry]) -> Vec<Result<&Interest, &str>> {
    fn name(entry: &Entry) -> Result<&Interest, &str> {
        entry.as_ref().map_err(|unreadable| &*unreadable.text)
    }
    entries.iter().map(name).collect()
}

fn leaves_a_set(change: &StreamChange) {
    // Some of what is to be added is there already, and one workspace may not be read.
    let mut set: Vec<Interest> = Vec::new();
    for interest in change.remove.iter().chain(&change.add).flatten().step_by(2) {
        if set.len() < MAX_CHANNELS_PER_STREAM && !set.contains(interest) {
            set.push(interest.clone());
        }
    }
    let before = set.clone();
    let results = change.apply(&mut set, |pattern| {
        pattern.segments()[1].is_some_and(|workspace| workspace != "secret")
    });
    assert_eq!(results.len(), change.add.len() + change.remove.len());
    assert!(set.len() <= MAX_CHANNELS_PER_STREAM);
    assert_eq!(set.iter().collect::<HashSet<_>>().len(), set.len());
    for (entry, result) in change.add.iter().chain(&change.remove).zip(&results) {
        assert_eq!(entry.is_err(), result.status == EntryStatus::Invalid);
        assert_eq!(
            result.code.is_some(),
            matches!(result.status, EntryStatus::Invalid | EntryStatus::Denied)
        );
        let sentence = result.detail.as_deref().unwrap_or_default();
        assert!(sentence.len() <= LONGEST_SENTENCE, "{sentence}");
        if let (Ok(interest), EntryStatus::Added) = (entry, result.status) {
            assert!(set.contains(interest));
        }
    }
    for interest in set.iter().filter(|interest| !before.contains(interest)) {
        assert_ne!(interest.pattern.segments()[1], Some("secret"));
    }
}
