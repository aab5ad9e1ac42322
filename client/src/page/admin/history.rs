//! [`History`]: what the figures were in the last minutes.

use std::collections::VecDeque;

use logs_shared::overview::Stats;

/// How many moments are kept: five minutes, at one every two seconds.
pub(super) const MOMENTS: usize = 150;

/// What the figures were in the last minutes, the newest last. A moment for which nothing could be told has no figures.
#[derive(Clone, Debug, Default)]
pub(super) struct History(VecDeque<Moment>);

/// Some of the figures, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moment {
    pub(super) published: Option<f64>,
    pub(super) delivered: Option<f64>,
    pub(super) streams: Option<f64>,
    pub(super) channels: Option<f64>,
    pub(super) append_ms: Option<f64>,
    pub(super) delivery_ms: Option<f64>,
    pub(super) lag_ms: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) cpu: Option<f64>,
    pub(super) kept: Option<f64>,
}

/// Which figure of a moment is drawn.
pub(super) type Of = fn(&Moment) -> Option<f64>;

impl Moment {
    // Drawn by the pixel: nothing is lost that could be seen.
    #[expect(clippy::cast_precision_loss)]
    fn of(stats: &Stats) -> Self {
        Self {
            published: Some(stats.messages_per_second),
            delivered: Some(stats.delivered_per_second),
            streams: Some(stats.connections as f64),
            channels: Some(stats.channels as f64),
            append_ms: stats.append.p99_ms,
            delivery_ms: stats.delivery.p99_ms,
            lag_ms: Some(stats.lag_ms as f64),
            memory: Some(stats.memory_bytes as f64),
            cpu: Some(stats.cpu),
            kept: Some(stats.kept_bytes as f64),
        }
    }
}

impl History {
    /// Adds what the figures are now; `None` where they are not known.
    pub(super) fn add(&mut self, stats: Option<&Stats>) {
        if self.0.len() == MOMENTS {
            self.0.pop_front();
        }
        self.0.push_back(stats.map(Moment::of).unwrap_or_default());
    }

    /// One figure at all the moments.
    pub(super) fn series(&self, of: Of) -> Vec<Option<f64>> {
        self.0.iter().map(of).collect()
    }
}

/// A line through the figures as a path, in a box so many high; a break where there is none. The newest is at the
/// right edge.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn line(series: &[Option<f64>], height: u32) -> String {
    let highest = series.iter().flatten().copied().fold(0.0, f64::max);
    let y = |value: f64| match highest > 0.0 {
        // Within the box, so it is small and not negative.
        true => (f64::from(height) * (1.0 - value / highest)).round() as u32,
        false => height,
    };
    let first = MOMENTS.saturating_sub(series.len());
    let mut path = String::new();
    let mut is_drawing = false;
    for (place, value) in series.iter().enumerate() {
        if let Some(value) = value {
            let mark = if is_drawing { 'L' } else { 'M' };
            path.push_str(&format!("{mark}{} {}", first + place, y(*value)));
        }
        is_drawing = value.is_some();
    }
    path
}

/// The line in words: the least, the most and the newest.
pub(super) fn words(series: &[Option<f64>], write: fn(f64) -> String) -> String {
    let known = || series.iter().flatten().copied();
    let Some(newest) = known().next_back() else {
        return "nothing measured yet".to_owned();
    };
    let (least, most) = known().fold((newest, newest), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    format!(
        "in the last minutes between {} and {}, now {}",
        write(least),
        write(most),
        write(newest)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_the_right_and_breaks_where_nothing_is_known() {
        let end = MOMENTS - 1;
        let line = line(&[Some(0.0), Some(10.0), None, Some(5.0)], 20);
        assert_eq!(line, format!("M{} 20L{} 0M{} 10", end - 3, end - 2, end));
        assert_eq!(super::line(&[Some(0.0)], 20), format!("M{end} 20"));
        assert_eq!(super::line(&[], 20), "");
    }

    #[test]
    fn a_line_can_be_heard() {
        let write = |value: f64| format!("{value:.0}");
        assert_eq!(
            words(&[Some(3.0), None, Some(1.0), Some(2.0), None], write),
            "in the last minutes between 1 and 3, now 2"
        );
        assert_eq!(words(&[None], write), "nothing measured yet");
    }

    #[test]
    fn only_the_last_minutes_are_kept() {
        let mut history = History::default();
        for _ in 0..=MOMENTS {
            history.add(None);
        }
        assert_eq!(history.series(|moment| moment.published).len(), MOMENTS);
    }
}
