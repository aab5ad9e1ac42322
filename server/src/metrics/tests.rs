use std::time::Duration;

use super::*;
use crate::histogram::{BATCHES, DURATIONS, Histogram};

fn figures() -> Figures {
    let durations = Histogram::new(&DURATIONS);
    durations.took(Duration::from_millis(3));
    let batches = Histogram::new(&BATCHES);
    batches.observe(40);
    Figures {
        version: "1.2.3",
        started_at: Timestamp::from_unix_ms(1_758_796_200_250).unwrap(),
        is_well: true,
        streams: 2,
        max_streams: 20,
        channels: 3,
        published: 4,
        published_bytes: 400,
        services: vec![ServiceOverview {
            service: "etl".to_owned(),
            accepted: 12,
            repeated: 13,
            rejected: 14,
        }],
        appends: durations.counted(),
        batches: batches.counted(),
        writes: durations.counted(),
        delivered: 5,
        delivered_bytes: 500,
        deliveries: durations.counted(),
        lag: Lag {
            ms: 1_500,
            streams: 1,
        },
        gaps: vec![("retention", 15), ("other", 0)],
        stalled: 6,
        rejections: vec![("invalid_token", 10), ("of_a_kind_of_its_own", 11)],
        tail_bytes: 8,
        kept_bytes: 9,
        most_bytes: 90,
        disk: Some(DiskUse {
            store: Some(16),
            journal: Some(17),
            free: Some(18),
            total: None,
        }),
        redis: Some(RedisState {
            trouble: Some("full"),
        }),
        process: ProcessFigures {
            memory_bytes: 7,
            virtual_bytes: 70,
            open_fds: 19,
            max_fds: 190,
            cpu: Duration::from_millis(2_500),
        },
    }
}

#[test]
fn each_figure_has_its_row_its_kind_and_its_unit() {
    let text = figures().to_text(Format::OpenMetrics).unwrap();
    for line in [
        "logs_gateway_build_info{version=\"1.2.3\"} 1",
        "logs_gateway_healthy 1",
        "logs_gateway_streams 2",
        "logs_gateway_streams_limit 20",
        "logs_gateway_channels 3",
        "logs_gateway_records_published_total 4",
        "logs_gateway_published_bytes_total 400",
        "logs_gateway_service_records_total{service=\"etl\",outcome=\"accepted\"} 12",
        "logs_gateway_service_records_total{service=\"etl\",outcome=\"repeated\"} 13",
        "logs_gateway_service_records_total{service=\"etl\",outcome=\"rejected\"} 14",
        "logs_gateway_append_duration_seconds_count 1",
        "logs_gateway_append_duration_seconds_sum 0.003",
        "logs_gateway_append_duration_seconds_bucket{le=\"0.0025\"} 0",
        "logs_gateway_append_duration_seconds_bucket{le=\"0.005\"} 1",
        "logs_gateway_append_duration_seconds_bucket{le=\"+Inf\"} 1",
        "logs_gateway_writer_batch_records_bucket{le=\"50.0\"} 1",
        "logs_gateway_store_write_duration_seconds_count 1",
        "logs_gateway_records_delivered_total 5",
        "logs_gateway_delivered_bytes_total 500",
        "logs_gateway_delivery_duration_seconds_count 1",
        "logs_gateway_slowest_stream_lag_seconds 1.5",
        "logs_gateway_streams_behind 1",
        "logs_gateway_gaps_total{reason=\"retention\"} 15",
        "logs_gateway_gaps_total{reason=\"other\"} 0",
        "logs_gateway_stalled_connections_total 6",
        "logs_gateway_rejections_total{reason=\"invalid_token\"} 10",
        "logs_gateway_rejections_total{reason=\"of_a_kind_of_its_own\"} 11",
        "logs_gateway_tail_bytes 8",
        "logs_gateway_kept_bytes 9",
        "logs_gateway_kept_limit_bytes 90",
        "logs_gateway_store_disk_bytes 16",
        "logs_gateway_store_journal_bytes 17",
        "logs_gateway_disk_free_bytes 18",
        "logs_redis_up 0",
        "logs_redis_trouble{state=\"full\"} 1",
        "logs_redis_trouble{state=\"unreachable\"} 0",
        "process_resident_memory_bytes 7",
        "process_virtual_memory_bytes 70",
        "process_open_fds 19",
        "process_max_fds 190",
        "process_cpu_seconds_total 2.5",
        "process_start_time_seconds 1758796200.25",
        "# TYPE logs_gateway_rejections counter",
        "# TYPE logs_gateway_streams gauge",
        "# TYPE logs_gateway_append_duration_seconds histogram",
        "# UNIT logs_gateway_kept_bytes bytes",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn what_is_not_known_of_a_disk_has_no_row() {
    let text = figures().to_text(Format::Text).unwrap();
    assert!(text.contains("logs_gateway_disk_free_bytes") && !text.contains("logs_gateway_disk_size_bytes"));
    let in_memory = Figures {
        disk: None,
        ..figures()
    };
    let text = in_memory.to_text(Format::Text).unwrap();
    assert!(!text.contains("_disk_") && !text.contains("_journal_"), "{text}");
}

#[test]
fn a_redis_that_is_well_has_no_trouble_and_one_that_is_not_used_no_row() {
    let text = |redis| {
        let figures = Figures { redis, ..figures() };
        figures.to_text(Format::Text).unwrap()
    };
    let well = text(Some(RedisState { trouble: None }));
    assert!(well.contains("\nlogs_redis_up 1\n"), "{well}");
    for state in REDIS_TROUBLES {
        let row = format!("\nlogs_redis_trouble{{state=\"{state}\"}} 0\n");
        assert!(well.contains(&row), "{row} in {well}");
    }
    assert!(!text(None).contains("redis"));
}

#[test]
fn every_code_has_one_row_before_it_was_ever_needed() {
    let text = figures().to_text(Format::OpenMetrics).unwrap();
    for code in code::ALL {
        let row = format!("logs_gateway_rejections_total{{reason=\"{code}\"}} ");
        assert_eq!(text.matches(&row).count(), 1, "{row}");
    }
}

#[test]
fn what_is_written_of_a_metric_stands_together_and_has_a_help() {
    for format in [Format::OpenMetrics, Format::Text] {
        let text = figures().to_text(format).unwrap();
        let mut family = "";
        let mut known = Vec::new();
        for line in text.lines().take_while(|line| *line != "# EOF") {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split(' ').next().unwrap();
                assert!(!known.contains(&family), "{family} twice");
                assert!(help.len() > family.len() + 10, "{help}");
                known.push(family);
            } else {
                let name = line.trim_start_matches("# TYPE ").trim_start_matches("# UNIT ");
                assert!(name.starts_with(family), "{line} is not of {family}");
            }
        }
        assert!(known.len() > 25, "{known:?}");
    }
}

#[test]
fn both_texts_have_the_same_rows() {
    let rows = |format| {
        let text = figures().to_text(format).unwrap();
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rows(Format::OpenMetrics), rows(Format::Text));
}
