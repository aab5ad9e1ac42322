//! What was published before.

use super::{Act, Scenario, fill, live};
use crate::figures::Figure;
use crate::load::{From, Readers, Step};
use crate::targets::Target;

const FIGURES: &[Figure] = &[
    Figure::Delivered,
    Figure::CpuPerEvent,
    Figure::Connecting,
    Figure::Faults,
];

/// Who keeps something.
const KEEPING: &[Target] = &[Target::Gateway, Target::GatewayMemory, Target::Nchan];
const ON_DISK: &[Target] = &[Target::Gateway];

pub(super) fn all(quick: bool) -> Vec<Scenario> {
    let replay = Step {
        readers: vec![Readers {
            from: From::Replay,
            ..live(1, 1)
        }],
        ..Step::default()
    };
    let records = if quick { [1000, 10_000] } else { [10_000, 100_000] };
    let mut all: Vec<Scenario> = records
        .into_iter()
        .map(|records| Scenario {
            name: "replay",
            variant: format!("{records} records"),
            what: "one reader of all that a channel keeps, just after it was published",
            figures: FIGURES,
            targets: KEEPING,
            acts: vec![Act::Prepare(fill(0, 1, records)), Act::Measure(replay.clone())],
        })
        .collect();
    all.extend(records.into_iter().map(|records| Scenario {
        name: "replay-disk",
        variant: format!("{records} records"),
        what: "one reader of all that a channel keeps, from a server that has just been started again",
        figures: FIGURES,
        targets: ON_DISK,
        acts: vec![
            Act::Prepare(fill(0, 1, records)),
            Act::Restart,
            Act::Measure(replay.clone()),
        ],
    }));
    let witness = Readers {
        from: From::Witness,
        ..live(1, 1)
    };
    all.push(Scenario {
        name: "resume",
        variant: "1,000 readers".to_owned(),
        what: "1,000 readers reconnect at once, each 100 records behind",
        figures: FIGURES,
        targets: KEEPING,
        acts: vec![
            Act::Prepare(Step {
                readers: vec![witness],
                ..fill(0, 1, 1000)
            }),
            Act::Measure(Step {
                readers: vec![Readers {
                    from: From::Resume(100),
                    at_once: 1000,
                    ..live(1, 1000)
                }],
                ..Step::default()
            }),
        ],
    });
    all
}
