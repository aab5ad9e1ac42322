//! Publishing, with nobody reading.

use super::{Act, Scenario, at_rate, live};
use crate::figures::Figure;
use crate::load::{Publishing, Step};
use crate::targets::Target;

const FIGURES: &[Figure] = &[
    Figure::Requests,
    Figure::Published,
    Figure::CpuPerRecord,
    Figure::AnswerP99,
];

const SINGLE: &[Target] = &[
    Target::Gateway,
    Target::GatewayMemory,
    Target::GatewayFsync,
    Target::Nchan,
    Target::Express,
];
const BATCHES: &[Target] = &[Target::Gateway, Target::GatewayMemory, Target::GatewayFsync];

pub(super) fn all(quick: bool) -> Vec<Scenario> {
    let seconds = if quick { 1.0 } else { 4.0 };
    let step = |publishers, batch| Step {
        readers: Vec::new(),
        publishing: Some(Publishing {
            first_channel: 0,
            channels: 16,
            publishers,
            batch,
            rate: None,
            seconds,
            records: u64::MAX,
        }),
        ..Step::default()
    };
    let mut all: Vec<Scenario> = [1, 16, 64]
        .into_iter()
        .map(|publishers| Scenario {
            name: "publish",
            variant: format!("{publishers} publishers"),
            what: "to 16 channels, one record in a request, as fast as it is answered",
            figures: FIGURES,
            targets: SINGLE,
            acts: vec![Act::Measure(step(publishers, 1))],
        })
        .collect();
    all.extend([1, 4].into_iter().map(|publishers| Scenario {
        name: "batches",
        variant: format!("{publishers} publishers"),
        what: "to 16 channels, 100 records in a request, as fast as it is answered",
        figures: FIGURES,
        targets: BATCHES,
        acts: vec![Act::Measure(step(publishers, 100))],
    }));
    all.push(Scenario {
        name: "endurance",
        variant: "100,000 records/s".to_owned(),
        what: "1 channel, 5 readers, batches of 100, for a minute: lost, repeated, out of order",
        figures: &[
            Figure::Faults,
            Figure::Published,
            Figure::P99,
            Figure::Longest,
            Figure::CpuPerEvent,
        ],
        targets: BATCHES,
        acts: vec![Act::Measure(Step {
            readers: vec![live(1, 5)],
            publishing: Some(Publishing {
                batch: 100,
                ..at_rate(1, 4, 100_000.0, if quick { 2.0 } else { 60.0 })
            }),
            ..Step::default()
        })],
    });
    all
}
