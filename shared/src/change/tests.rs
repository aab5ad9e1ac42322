use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::interest::{patterns, tests::interest};

fn parse(body: &serde_json::Value) -> StreamChange {
    StreamChange::parse(body.to_string().as_bytes()).unwrap()
}

/// Status and code of each entry, and the set afterwards as JSON.
fn apply(set: &mut Vec<Interest>, body: &serde_json::Value) -> (Vec<String>, serde_json::Value) {
    let results = parse(body).apply(set, |pattern| !pattern.as_str().contains("secret"));
    let results = results.into_iter().map(|result| {
        assert_eq!(result.code.is_some(), result.detail.is_some());
        let status = serde_json::to_value(result.status).unwrap();
        let code = result.code.map(|code| format!(" {code}")).unwrap_or_default();
        format!("{} {}{code}", result.channel, status.as_str().unwrap())
    });
    (results.collect(), json!(set))
}

#[test]
fn what_is_there_already_or_not_there_changes_nothing() {
    let mut set = Vec::new();
    let change = json!({ "add": ["logs:a:w", "logs:a:w", "logs:b:w"], "remove": ["logs:c:w"] });
    assert_eq!(
        apply(&mut set, &change),
        (
            vec![
                "logs:a:w added".into(),
                "logs:a:w unchanged".into(),
                "logs:b:w added".into(),
                "logs:c:w unchanged".into()
            ],
            json!(["logs:a:w", "logs:b:w"])
        )
    );
    let change = json!({ "remove": ["logs:a:w", "logs:a:w"] });
    assert_eq!(
        apply(&mut set, &change),
        (
            vec!["logs:a:w removed".into(), "logs:a:w unchanged".into()],
            json!(["logs:b:w"])
        )
    );
    assert_eq!(apply(&mut set, &json!({})), (vec![], json!(["logs:b:w"])));
}

#[test]
fn a_text_removes_every_entry_with_that_pattern_and_a_filter_only_itself() {
    let errors = json!({ "channel": "logs:a:w", "level": "ERROR" });
    let run = json!({ "channel": "logs:a:w", "where": { "run_id": "42" } });
    let mut set = Vec::new();
    apply(&mut set, &json!({ "add": ["logs:a:w", errors, run, "logs:a:*"] }));
    assert_eq!(patterns(&set).len(), 2);
    let (results, left) = apply(&mut set, &json!({ "remove": [errors] }));
    assert_eq!(
        (results, left),
        (
            vec!["logs:a:w removed".to_owned()],
            json!(["logs:a:w", run, "logs:a:*"])
        )
    );
    let (results, left) = apply(&mut set, &json!({ "remove": [errors, "logs:a:w"] }));
    assert_eq!(
        (results, left),
        (
            vec!["logs:a:w unchanged".to_owned(), "logs:a:w removed".to_owned()],
            json!(["logs:a:*"])
        )
    );
}

#[test]
fn removing_comes_first_so_that_an_entry_can_be_replaced() {
    let full: Vec<String> = (0..MAX_CHANNELS_PER_STREAM)
        .map(|n| format!("logs:etl:w{n}"))
        .collect();
    let mut set = Vec::new();
    apply(&mut set, &json!({ "add": full }));
    let narrower = json!({ "channel": "logs:etl:w0", "level": "WARN" });
    let (results, left) = apply(&mut set, &json!({ "add": [narrower], "remove": ["logs:etl:w0"] }));
    assert_eq!(results, ["logs:etl:w0 added", "logs:etl:w0 removed"]);
    assert_eq!(left.as_array().and_then(|set| set.last()), Some(&narrower));
}

#[test]
fn what_is_broken_forbidden_or_too_much_is_refused_by_itself() {
    let many: Vec<String> = (0..MAX_CHANNELS_PER_STREAM)
        .map(|n| format!("logs:etl:w{n}"))
        .collect();
    let mut set = Vec::new();
    let change =
        json!({ "add": [5, "etl", { "channel": "logs:etl:w", "level": "loud" }, "logs:secret:w", {}] });
    let (results, _) = apply(&mut set, &change);
    assert_eq!(
        results,
        [
            "5 invalid invalid_interest",
            "etl invalid invalid_channel",
            "logs:etl:w invalid invalid_level",
            "logs:secret:w denied forbidden_channel",
            "{} invalid missing_channels"
        ]
    );
    let (_, _) = apply(&mut set, &json!({ "add": many }));
    assert_eq!(set.len(), MAX_CHANNELS_PER_STREAM);
    let (results, _) = apply(
        &mut set,
        &json!({ "add": ["logs:etl:w0", "logs:etl:more"], "remove": [[]] }),
    );
    assert_eq!(
        results,
        [
            "logs:etl:w0 unchanged",
            "logs:etl:more denied too_many_channels",
            "[] invalid invalid_interest"
        ]
    );
}

#[test]
fn a_body_that_is_no_change_is_refused_as_a_whole() {
    let many = json!({ "add": vec![1; MAX_CHANGES], "remove": [1] }).to_string();
    let cases: [(&[u8], &str); 12] = [
        (b"", code::BROKEN_JSON),
        (b"{", code::BROKEN_JSON),
        (b"add=logs:etl:w", code::BROKEN_JSON),
        (b"{\"add\":[]} x", code::BROKEN_JSON),
        (b"{\"add\":[\"\xff\"]}", code::BROKEN_JSON),
        (b"[]", code::INVALID_BODY),
        (b"[[\"logs:etl:w\"],[]]", code::INVALID_BODY),
        (b"null", code::INVALID_BODY),
        (b"{\"add\":\"logs:etl:w\"}", code::INVALID_BODY),
        (b"{\"add\":[],\"add\":[]}", code::INVALID_BODY),
        (b"{\"ad\":[\"logs:etl:w\"]}", code::INVALID_BODY),
        (many.as_bytes(), code::TOO_MANY_CHANNELS),
    ];
    for (body, code) in cases {
        assert_eq!(
            StreamChange::parse(body).unwrap_err().code(),
            code,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    assert_eq!(StreamChange::parse(b" {}"), Ok(StreamChange::default()));
}

/// A fuzzer's find: written by its channel alone, an entry with a broken level came back as one that follows everything.
#[test]
fn an_entry_that_cannot_be_read_stays_one_when_it_is_written() {
    let broken = json!([{ "channel": "logs:etl:w", "level": "loud" }, 5, "etl", {}, "x".repeat(200)]);
    let change = parse(&json!({ "add": broken, "remove": broken }));
    let again = StreamChange::parse(change.to_json().as_bytes()).unwrap();
    let texts = |entries: &[Entry]| -> Vec<_> {
        let unreadable = entries.iter().map(|entry| entry.as_ref().unwrap_err());
        unreadable.map(|unreadable| unreadable.text.clone()).collect()
    };
    assert_eq!(texts(&again.add), texts(&change.add));
    assert_eq!(texts(&again.remove), texts(&change.remove));
}

proptest! {
    #[test]
    fn every_change_round_trips(
        add in prop::collection::vec(interest(), 0..5),
        remove in prop::collection::vec(interest(), 0..5),
    ) {
        let change = StreamChange { add: add.into_iter().map(Ok).collect(), remove: remove.into_iter().map(Ok).collect() };
        prop_assert_eq!(StreamChange::parse(change.to_json().as_bytes()), Ok(change));
    }

    #[test]
    fn a_set_never_has_an_entry_twice_and_ends_with_what_was_added(
        before in prop::collection::btree_set(interest(), 0..5),
        add in prop::collection::vec(interest(), 0..5),
    ) {
        let mut set: Vec<Interest> = before.into_iter().collect();
        let remove = set.iter().take(2).cloned().map(Ok).collect();
        let change = StreamChange { add: add.iter().cloned().map(Ok).collect(), remove };
        let results = change.apply(&mut set, |_| true);
        prop_assert_eq!(results.len(), change.add.len() + change.remove.len());
        prop_assert!(add.iter().all(|interest| set.contains(interest)));
        let distinct: std::collections::BTreeSet<_> = set.iter().collect();
        prop_assert_eq!(distinct.len(), set.len());
    }

    #[test]
    fn any_body_is_a_change_or_refused(body in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = StreamChange::parse(&body);
    }
}
