use std::sync::Barrier;

use logs_shared::Interest;

use super::*;
use crate::{
    access::{Credential, ReadScope},
    engine::{Engine, Retention, Storage, Watch},
};

fn engine() -> Engine {
    let retention = Retention {
        records: 10,
        age_ms: u64::MAX,
        bytes: u64::MAX,
    };
    Engine::open(&Storage::Memory, retention).unwrap()
}

/// A reader that may see everything, named or known by its address alone.
fn reader(owner: &str, is_named: bool) -> ReaderIdentity {
    let named = ReaderIdentity::named(owner.to_owned(), ReadScope::Everything, Credential::default());
    ReaderIdentity { is_named, ..named }
}

fn open_as(streams: &Streams, watch: &Watch, reader: ReaderIdentity) -> Result<OpenStream, Refused> {
    streams.open(NewStream {
        reader,
        asked: Vec::new(),
        connected_at: Timestamp::default(),
        subscriber: watch.subscriber(),
        place: None,
    })
}

fn open_on(streams: &Streams, watch: &Watch, owner: &str, is_named: bool) -> Result<OpenStream, Refused> {
    open_as(streams, watch, reader(owner, is_named))
}

fn open(streams: &Streams, owner: &str) -> Result<OpenStream, Refused> {
    open_on(streams, &engine().watch(Vec::new()), owner, false)
}

fn add(channel: &str) -> StreamChange {
    StreamChange {
        add: vec![Ok(Interest::new(channel.parse().unwrap(), None))],
        remove: Vec::new(),
    }
}

const LIMITS: StreamLimits = StreamLimits {
    total: 3,
    per_owner: 2,
    per_address: 2,
};

#[test]
fn a_stream_that_goes_gives_its_place_back() {
    let streams = Streams::new(LIMITS, None);
    let first = open(&streams, "a").ok();
    let second = open(&streams, "a").ok();
    assert_eq!(open(&streams, "a").err(), Some(Refused::PerOwner(2)));
    let third = open(&streams, "b").ok();
    assert_eq!(open(&streams, "c").err(), Some(Refused::Total(3)));
    drop(first);
    assert!(open(&streams, "a").is_ok());
    drop((second, third));
    assert_eq!((streams.count(), streams.state().by_owner.len()), (0, 0));
}

#[test]
fn no_stream_begins_once_all_are_asked_to_end() {
    let streams = Streams::new(LIMITS, None);
    let first = open(&streams, "a").unwrap_or_else(|refused| panic!("{refused}"));
    streams.drain(Duration::from_secs(9));
    let drain = first.drain().unwrap_or_else(|| panic!("it was asked to end"));
    assert!(drain.end_at <= Instant::now() + Duration::from_secs(9));
    assert_eq!(open(&streams, "b").err(), Some(Refused::Stopping));
}

#[test]
fn a_named_stream_is_changed_by_its_owner_only_and_another_by_whoever_knows_its_id() {
    let (engine, streams) = (engine(), Streams::new(LIMITS, None));
    let watch = engine.watch(Vec::new());
    let change = |id: &str, owner: &str| {
        let changed = streams.change(
            id,
            &add("logs:etl:w"),
            &reader(owner, true).owner,
            &ReadScope::Everything,
        );
        changed.map(|changed| changed.channels.len())
    };
    let named = open_on(&streams, &watch, "user a", true).unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(
        change(named.id(), "user b"),
        Err(NotChanged::Unknown(UnknownStream))
    );
    assert_eq!(named.take_change(), None);
    assert_eq!(change(named.id(), "user a"), Ok(1));
    let anonymous = open_on(&streams, &watch, "::1", false).unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(change(anonymous.id(), "user b"), Ok(1));
    let id = named.id().to_owned();
    drop(named);
    assert_eq!(change(&id, "user a"), Err(NotChanged::Unknown(UnknownStream)));
}

#[test]
fn what_may_not_be_read_is_denied_and_the_reader_is_told_once_of_what_changed() {
    let (engine, streams) = (engine(), Streams::new(LIMITS, None));
    let watch = engine.watch(Vec::new());
    let sees = |patterns: &[&str]| ReaderIdentity {
        scope: ReadScope::new(patterns.iter().map(|text| text.parse().unwrap())),
        ..reader("a", true)
    };
    let opened = open_as(
        &streams,
        &watch,
        sees(&["logs:etl:*:*", "logs:faas:*:*", "logs:late:w"]),
    );
    let stream = opened.unwrap_or_else(|refused| panic!("{refused}"));
    let change = |channel: &str| {
        let now = sees(&["logs:etl:*:*", "logs:faas:*:*", "logs:new:w"]);
        let changed = streams.change(stream.id(), &add(channel), &now.owner, &now.scope);
        changed.map(|changed| changed.from_id.is_some())
    };
    // What the stream was opened for may be less by now, and is no more than that.
    assert_eq!(change("logs:late:w"), Ok(false));
    assert_eq!(change("logs:new:w"), Ok(false));
    assert_eq!(change("logs:secret:w"), Ok(false));
    assert_eq!(stream.take_change(), None);
    assert_eq!(change("logs:etl:w"), Ok(true));
    assert_eq!(change("logs:faas:w"), Ok(true));
    assert_eq!(stream.take_change().map(|channels| channels.len()), Some(2));
    assert_eq!(stream.take_change(), None);
    assert_eq!(change("logs:faas:w"), Ok(false));
    assert_eq!(stream.take_change(), None);
}

#[test]
fn of_changes_at_once_none_is_lost() {
    const AT_ONCE: usize = 8;
    let (engine, streams) = (engine(), Streams::new(LIMITS, None));
    let watch = engine.watch(Vec::new());
    let stream = open_on(&streams, &watch, "a", false).unwrap_or_else(|refused| panic!("{refused}"));
    let together = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for thread in 0..AT_ONCE {
            let (together, streams, id) = (&together, &streams, stream.id());
            scope.spawn(move || {
                together.wait();
                for n in 0..16 {
                    let change = add(&format!("logs:etl:w{thread}-{n}"));
                    assert!(
                        streams
                            .change(id, &change, &reader("a", false).owner, &ReadScope::Everything)
                            .is_ok()
                    );
                }
            });
        }
    });
    assert_eq!(watch.subscriber().interests().len(), AT_ONCE * 16);
    assert_eq!(
        streams.overview(engine.head(), 0, 1).0[0].channels.len(),
        AT_ONCE * 16
    );
}

#[test]
fn a_change_that_meets_the_end_of_its_stream_leaves_nothing_behind() {
    let engine = engine();
    let watch = engine.watch(Vec::new());
    let subscriber = watch.subscriber();
    drop(watch);
    subscriber.set_interests(vec![Interest::new("logs:etl:w".parse().unwrap(), None)]);
    assert_eq!(engine.channel_count(), 0);
}

#[test]
fn an_address_has_so_many_streams_whatever_its_readers_are_called() {
    let (engine, streams) = (engine(), Streams::new(LIMITS, None));
    let watch = engine.watch(Vec::new());
    let open = |name: &str| {
        let address = Some([192, 0, 2, 1].into());
        open_as(
            &streams,
            &watch,
            ReaderIdentity {
                address,
                ..reader(name, true)
            },
        )
    };
    let first = open("a").ok();
    let _second = open("b").ok();
    assert_eq!(open("c").err(), Some(Refused::PerAddress(2)));
    drop(first);
    assert!(open("c").is_ok());
    drop(_second);
    assert!(streams.state().by_address.is_empty());
}

#[test]
fn an_operator_ends_one_stream_or_all_of_a_user() {
    let (engine, streams) = (engine(), Streams::new(LIMITS, None));
    let watch = engine.watch(Vec::new());
    let open =
        |name: &str| open_on(&streams, &watch, name, true).unwrap_or_else(|refused| panic!("{refused}"));
    let (one, two, other) = (open("ann"), open("ann"), open("bob"));
    assert_eq!(streams.close("4"), Err(UnknownStream));
    assert_eq!(streams.close("2"), Ok(()));
    assert_eq!((one.ending(), two.ending()), (None, Some(Ending::Closed)));
    assert_eq!(streams.revoke(&Revocation::User("ann".to_owned())), 2);
    assert_eq!((one.ending(), other.ending()), (Some(Ending::Revoked), None));
    assert_eq!(streams.close(other.id()), Ok(()));
    assert_eq!(other.ending(), Some(Ending::Closed));
}
