//! Whether a reader that comes back gets what it missed.

use logs_shared::{
    RecordId, ServerEvent,
    api::LAST_EVENT_ID_HEADER,
    event::{Gap, GapReason},
};

use super::delivery::{PLAIN, beginning};
use crate::cli::doctor::{
    advice,
    finding::{Check, Finding},
    party::Party,
    probe::Probe,
};

const PARAMETER: &str = "last_event_id";
/// A cursor that cannot be read: a gateway that is told of it says so in the stream.
const UNREADABLE: &str = "doctor";

/// Comes back with a cursor, in the header as a browser does and in the query as a page does.
pub(in crate::cli::doctor) async fn check(probe: &Probe, party: Party, published: &[RecordId]) -> Finding {
    let mut lost = Vec::new();
    for in_header in [true, false] {
        let came = match published {
            [first, rest @ ..] if !rest.is_empty() => missed(probe, in_header, *first, rest).await,
            _ => noticed(probe, in_header).await,
        };
        match came {
            Ok(true) => {}
            Ok(false) => lost.push(in_header),
            Err(error) => {
                return Finding::fail(Check::Resume, format!("a second stream is refused: {error}"));
            }
        }
    }
    let how = match published {
        [_, rest @ ..] if !rest.is_empty() => format!(
            "who comes back after the first of {} records gets the others",
            rest.len() + 1
        ),
        _ => "the cursor reaches the gateway".to_owned(),
    };
    match *lost {
        [] => Finding::ok(Check::Resume, format!("{how}, with Last-Event-ID and with last_event_id=")),
        [true] => Finding::fail(
            Check::Resume,
            "the header Last-Event-ID does not reach the gateway: a browser that reconnects misses what came in between, and nobody is told",
        )
        .change(advice::with_last_event_id(party)),
        [_] => Finding::fail(Check::Resume, "last_event_id= in the query does not reach the gateway").change(advice::WITH_QUERY),
        _ => Finding::fail(Check::Resume, "the cursor does not reach the gateway, neither as a header nor in the query")
            .change(advice::with_last_event_id(party)),
    }
}

/// Whether the records after the first one come, and nothing older, before the past has ended.
async fn missed(probe: &Probe, in_header: bool, first: RecordId, rest: &[RecordId]) -> Result<bool, String> {
    let mut came = Vec::new();
    let all = open(probe, in_header, &first.to_string(), |event| match event {
        ServerEvent::Log(record) => {
            came.push(record.id);
            None
        }
        ServerEvent::CaughtUp(_) => Some(()),
        _ => None,
    })
    .await?;
    Ok(all.is_some() && are_after(first, rest, &came))
}

/// Whether all of `rest` are in what came, in order, and none that the reader has had. Others publish to the channel too, before,
/// between and after them.
fn are_after(first: RecordId, rest: &[RecordId], came: &[RecordId]) -> bool {
    let mut left = came.iter();
    rest.iter().all(|id| left.any(|it| it == id)) && came.iter().all(|id| *id > first)
}

/// Whether the gateway says that the cursor cannot be read.
async fn noticed(probe: &Probe, in_header: bool) -> Result<bool, String> {
    let told = open(probe, in_header, UNREADABLE, |event| match event {
        ServerEvent::Gap(Gap {
            reason: GapReason::UnknownCursor,
            ..
        }) => Some(true),
        ServerEvent::CaughtUp(_) => Some(false),
        _ => None,
    });
    Ok(told.await?.unwrap_or(false))
}

async fn open<T>(
    probe: &Probe,
    in_header: bool,
    cursor: &str,
    wanted: impl FnMut(ServerEvent) -> Option<T>,
) -> Result<Option<T>, String> {
    if in_header {
        beginning(probe, &[], &[PLAIN, (LAST_EVENT_ID_HEADER, cursor)], wanted).await
    } else {
        beginning(probe, &[(PARAMETER, cursor)], &[PLAIN], wanted).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(seqs: &[u64]) -> Vec<RecordId> {
        seqs.iter().map(|&seq| RecordId { ms: 1, seq }).collect()
    }

    #[test]
    fn what_others_publish_meanwhile_is_no_fault() {
        let came = ids(&[2, 3, 4, 5, 6]);
        assert!(are_after(came[0], &ids(&[3, 5]), &came[1..]));
    }

    #[test]
    fn a_record_that_is_missing_or_older_is_one() {
        let [first, ..] = *ids(&[2]) else { unreachable!() };
        for came in [&[][..], &[3, 4], &[5, 3], &[1, 2, 3, 5]] {
            assert!(!are_after(first, &ids(&[3, 5]), &ids(came)), "{came:?}");
        }
    }
}
