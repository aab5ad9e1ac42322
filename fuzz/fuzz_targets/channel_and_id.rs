//! The small texts: channels, patterns, ids, times and levels. What is read is written and read again as itself.

#![no_main]

use std::{fmt::Display, str::FromStr};

use libfuzzer_sys::fuzz_target;
use logs_shared::{Channel, ChannelPattern, Level, RecordId, Timestamp};

fuzz_target!(|text: &str| {
    let channel = text.parse::<Channel>();
    let pattern = text.parse::<ChannelPattern>();
    if let Ok(channel) = &channel {
        parts_make_the_whole(channel, text);
        chosen_by_its_patterns(channel);
        let pattern = pattern.as_ref().unwrap();
        assert_eq!(pattern.as_channel().as_ref(), Some(channel));
    }
    if let Ok(pattern) = &pattern {
        assert_eq!(pattern.as_str(), text);
        assert_eq!(channel.is_err(), text.contains('*'));
        assert_eq!(
            pattern.segments().iter().filter(|part| part.is_none()).count(),
            text.matches('*').count()
        );
    }
    if let Ok(id) = text.parse::<RecordId>() {
        neighbours_are_in_order(id);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(Timestamp::from_unix_ms(time.unix_ms()), Ok(time));
    }
    written_is_read_again::<Channel>(text);
    written_is_read_again::<ChannelPattern>(text);
    written_is_read_again::<RecordId>(text);
    written_is_read_again::<Timestamp>(text);
    written_is_read_again::<Level>(text);
});

fn written_is_read_again<T: FromStr + Display + PartialEq>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let written = value.to_string();
    assert!(
        written.parse::<T>().is_ok_and(|again| again == value),
        "{written}"
    );
}

fn parts_make_the_whole(channel: &Channel, text: &str) {
    assert_eq!(channel.as_str(), text);
    let again = Channel::new(channel.service(), channel.workspace_id(), channel.resource_id());
    assert_eq!(again.as_ref(), Ok(channel));
    let json = serde_json::to_string(channel).unwrap();
    assert_eq!(json, format!("\"{text}\""), "a channel needs no escaping");
    assert_eq!(&serde_json::from_str::<Channel>(&json).unwrap(), channel);
}

fn chosen_by_its_patterns(channel: &Channel) {
    let (service, workspace, resource) = (channel.service(), channel.workspace_id(), channel.resource_id());
    let chooses = |service, workspace, resource| {
        ChannelPattern::new(service, workspace, resource)
            .unwrap()
            .matches(channel)
    };
    assert!(ChannelPattern::everything().matches(channel));
    assert!(chooses(service, workspace, resource));
    assert!(chooses("*", workspace, resource));
    assert!(chooses(service, "*", resource));
    assert!(chooses(service, workspace, Some("*")));
    assert_eq!(chooses("*", "*", None), resource.is_none());
    assert!(!chooses(&format!("{}x", &service[1..]), workspace, resource) || service.ends_with('x'));
}

fn neighbours_are_in_order(id: RecordId) {
    assert!(id.previous() <= id && id <= id.next());
    assert!(id.next() == id || id.next().previous() == id);
    assert!(id.previous() == id || id.previous().next() == id);
    assert!(id.following(id.ms) >= id && id.following(id.ms.saturating_add(1)) >= id);
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(serde_json::from_str::<RecordId>(&json).unwrap(), id);
}
