//! What is published now, to many.

use super::{Act, EVERYBODY, Scenario, at_rate, idle, live};
use crate::figures::Figure;
use crate::load::{From, Readers, Step};
use crate::targets::Target;

const LIVE: &[Figure] = &[
    Figure::Delivered,
    Figure::CpuPerEvent,
    Figure::P50,
    Figure::P99,
    Figure::P999,
    Figure::Longest,
    Figure::Faults,
];

const BOTH: &[Target] = &[Target::Gateway, Target::GatewayUnpaced];

pub(super) fn all(quick: bool) -> Vec<Scenario> {
    let seconds = if quick { 1.0 } else { 5.0 };
    let live_at = |name, what, targets, readers: Readers, publishers, rate: f64| Scenario {
        name,
        variant: format!("{rate} records/s"),
        what,
        figures: LIVE,
        targets,
        acts: vec![Act::Measure(Step {
            readers: vec![readers],
            publishing: Some(at_rate(readers.channels, publishers, rate, seconds)),
            ..Step::default()
        })],
    };
    let fan_out = |rate| {
        live_at(
            "fan-out",
            "1 channel, 1,000 readers",
            EVERYBODY,
            live(1, 1000),
            1,
            rate,
        )
    };
    let mut all = vec![fan_out(20.0), fan_out(100.0)];
    all.push(Scenario {
        name: "highest",
        variant: "1 × 1,000".to_owned(),
        what: "1 channel, 1,000 readers, at the highest rate that the server keeps up with",
        figures: LIVE,
        targets: EVERYBODY,
        acts: vec![Act::Highest(Step {
            readers: vec![live(1, 1000)],
            publishing: Some(at_rate(1, 16, 100.0, if quick { 1.0 } else { 2.0 })),
            ..Step::default()
        })],
    });
    let hundred = "100 channels, 10 readers each";
    all.push(live_at("channels", hundred, EVERYBODY, live(100, 10), 4, 2000.0));
    all.push(live_at(
        "few",
        "1 channel, 50 readers",
        EVERYBODY,
        live(1, 50),
        1,
        200.0,
    ));
    let firehose = Readers {
        from: From::Firehose,
        ..live(100, 1)
    };
    all.push(Scenario {
        acts: vec![Act::Measure(Step {
            readers: vec![Readers {
                channels: 1,
                ..firehose
            }],
            publishing: Some(at_rate(100, 4, 2000.0, seconds)),
            ..Step::default()
        })],
        ..live_at(
            "firehose",
            "100 channels, one reader of all of them",
            EVERYBODY,
            firehose,
            4,
            2000.0,
        )
    });
    all.push(Scenario {
        name: "idle",
        variant: "10,000 streams".to_owned(),
        what: "10,000 streams of 100 channels, on which nothing comes",
        figures: &[Figure::MemoryPerStream, Figure::Memory, Figure::Connecting],
        targets: EVERYBODY,
        acts: vec![Act::Measure(Step {
            readers: vec![idle(if quick { 1000 } else { 10_000 })],
            publishing: None,
            settle_ms: if quick { 200 } else { 3000 },
            ..Step::default()
        })],
    });
    let pacing = "1 channel, 1,000 readers, with write pacing and without";
    all.extend([10.0, 100.0, 1000.0, 10_000.0].map(|rate| {
        let mut scenario = live_at("pacing", pacing, BOTH, live(1, 1000), 32, rate);
        if let Some(Act::Measure(step)) = scenario.acts.first_mut() {
            step.publishing = step.publishing.map(|publishing| crate::load::Publishing {
                // At most 1,000 requests a second: more would be about publishing.
                batch: if rate > 1000.0 { 10 } else { 1 },
                ..publishing
            });
        }
        scenario
    }));
    all
}
