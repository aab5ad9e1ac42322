//! [`TimeStyle`]: how times are written, and the clock that is looked at for it.

use std::{sync::LazyLock, time::Duration};

use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use logs_shared::Timestamp;

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeStyle {
    /// As the reader's clock shows it.
    #[default]
    Local,
    /// As on the wire.
    Utc,
    /// How long ago.
    Relative,
}

impl TimeStyle {
    pub(super) const ALL: [Self; 3] = [Self::Local, Self::Utc, Self::Relative];

    /// Its name on a button.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Utc => "UTC",
            Self::Relative => "Relative",
        }
    }

    /// The one after it, and after the last the first.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
            Self::Relative => Self::Local,
        }
    }

    /// A time in this style, to the millisecond; with its date where that is not today. Reads the clock
    /// where that changes it.
    pub(super) fn write(self, timestamp: Timestamp) -> String {
        match self {
            Self::Local => local(timestamp),
            Self::Utc => utc(timestamp, js_sys::Date::now()),
            Self::Relative => relative(now_ms() - timestamp.unix_ms()),
        }
    }
}

/// The time of day where the reader is.
fn local(timestamp: Timestamp) -> String {
    // Exact: the year 9999 is far below 2^53 milliseconds.
    #[expect(clippy::cast_precision_loss)]
    let date = js_sys::Date::new(&JsValue::from_f64(timestamp.unix_ms() as f64));
    let time = format!(
        "{:02}:{:02}:{:02}.{:03}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds(),
        date.get_milliseconds()
    );
    let today = js_sys::Date::new_0();
    let day = |date: &js_sys::Date| (date.get_full_year(), date.get_month(), date.get_date());
    if day(&date) == day(&today) {
        return time;
    }
    let (year, month, day) = day(&date);
    format!("{year}-{:02}-{day:02} {time}", month + 1)
}

fn utc(timestamp: Timestamp, now: f64) -> String {
    let text = timestamp.to_string();
    let (day, time) = text.split_once('T').unwrap_or_default();
    if timestamp_of(now).to_string().starts_with(day) {
        time.to_owned()
    } else {
        format!("{day} {time}")
    }
}

fn timestamp_of(ms: f64) -> Timestamp {
    Timestamp::from_number(ms).unwrap_or_default()
}

/// The time now, on the reader's clock.
pub(super) fn timestamp_now() -> Timestamp {
    timestamp_of(js_sys::Date::now())
}

/// How long ago something was. Clocks differ: what is a little ahead is now.
fn relative(ms: i64) -> String {
    let (ahead, seconds) = (ms < 0, ms.abs() / 1_000);
    let (count, unit) = match seconds {
        0 => return "now".into(),
        1..5 if ahead => return "now".into(),
        1..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    if ahead {
        format!("in {count} {unit}")
    } else {
        format!("{count} {unit} ago")
    }
}

/// The page's clock. One for all rows of all viewers.
static NOW: LazyLock<ArcRwSignal<i64>> = LazyLock::new(|| ArcRwSignal::new(0));

/// The time now in milliseconds since 1970, and again each second.
pub(super) fn now_ms() -> i64 {
    NOW.get().max(1_000 * seconds())
}

fn seconds() -> i64 {
    timestamp_now().unix_ms() / 1_000
}

/// Keeps the clock going as long as the component lives.
pub(super) fn keep_time() {
    let tick = || {
        let now = 1_000 * seconds();
        // Several viewers keep it.
        if NOW.get_untracked() != now {
            NOW.set(now);
        }
    };
    tick();
    if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
        on_cleanup(move || handle.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_told_in_the_largest_unit() {
        for (ms, expected) in [
            (0, "now"),
            (999, "now"),
            (-4_000, "now"),
            (12_345, "12 s ago"),
            (60_000, "1 min ago"),
            (7_200_000, "2 h ago"),
            (200_000_000, "2 d ago"),
            (-120_000, "in 2 min"),
        ] {
            assert_eq!(relative(ms), expected, "{ms}");
        }
    }

    #[test]
    fn the_date_is_told_when_it_is_not_today() {
        let timestamp: Timestamp = "2025-09-25T10:30:00Z".parse().unwrap();
        #[expect(clippy::cast_precision_loss)]
        let later = |ms: i64| utc(timestamp, (timestamp.unix_ms() + ms) as f64);
        assert_eq!(later(1_000), "10:30:00.000Z");
        assert_eq!(later(86_400_000), "2025-09-25 10:30:00.000Z");
    }
}
