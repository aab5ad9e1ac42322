//! What a figure should not grow with.

use super::{Act, GATEWAYS, Scenario, at_rate, fill, idle, live};
use crate::figures::Figure;
use crate::load::Step;

const FIGURES: &[Figure] = &[
    Figure::CpuPerEvent,
    Figure::P50,
    Figure::P99,
    Figure::Memory,
    Figure::Faults,
];

pub(super) fn all(quick: bool) -> Vec<Scenario> {
    let seconds = if quick { 1.0 } else { 4.0 };
    let step = |idle_streams| {
        let mut readers = vec![live(1, 100)];
        if idle_streams > 0 {
            readers.push(idle(idle_streams));
        }
        Step {
            readers,
            publishing: Some(at_rate(1, 1, 200.0, seconds)),
            ..Step::default()
        }
    };
    let curve = |name, what, points: [usize; 3], acts: &dyn Fn(usize) -> Vec<Act>| {
        points.map(|point| Scenario {
            name,
            variant: point.to_string(),
            what,
            figures: FIGURES,
            targets: GATEWAYS,
            acts: acts(point),
        })
    };
    let after = |before: Step| vec![Act::Prepare(before), Act::Measure(step(0))];
    let channels = "100 readers × 200 records/s, beside so many other channels that have a record";
    let streams = "100 readers × 200 records/s, beside so many idle streams";
    let kept = "100 readers × 200 records/s, in a channel that keeps so many records";
    let several = if quick { [0, 100, 1000] } else { [0, 1000, 10_000] };
    let many = if quick {
        [0, 1000, 10_000]
    } else {
        [0, 100_000, 1_000_000]
    };
    let mut all = Vec::new();
    all.extend(curve("curve-channels", channels, several, &|point| match point {
        0 => vec![Act::Measure(step(0))],
        _ => after(fill(1000, point, 1)),
    }));
    all.extend(curve("curve-idle", streams, several, &|point| {
        vec![Act::Measure(step(point))]
    }));
    all.extend(curve("curve-kept", kept, many, &|point| match point {
        0 => vec![Act::Measure(step(0))],
        _ => after(fill(0, 1, point as u64)),
    }));
    all
}
