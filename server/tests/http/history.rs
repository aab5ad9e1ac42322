//! Looking back: pages by id and time, forwards and backwards, by level and text.

use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use logs_shared::{event::GapReason, history::HistoryPage};
use serde_json::json;

use crate::app::{TOKEN, TestApp, settings};

async fn page(app: &TestApp, query: &str) -> HistoryPage {
    let answer = app.get(&format!("/api/logs/history?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.json());
    let page: HistoryPage = serde_json::from_slice(&answer.body).expect("a page");
    assert_eq!(page.first_id, page.records.first().map(|record| record.id));
    assert_eq!(page.last_id, page.records.last().map(|record| record.id));
    page
}

fn messages(page: &HistoryPage) -> Vec<&str> {
    page.records
        .iter()
        .map(|record| record.message.as_str())
        .collect()
}

/// Ten records `m0` to `m9`, alternately in two channels, every third an error.
async fn ten(app: &TestApp) -> Vec<logs_shared::RecordId> {
    let mut ids = Vec::new();
    for n in 0..10 {
        let channel = ["logs:etl:w:a", "logs:faas:w:b"][n % 2];
        let level = if n % 3 == 0 { "error" } else { "info" };
        ids.push(
            app.publish(
                channel,
                json!({ "message": format!("m{n}"), "level": level, "n": n }),
            )
            .await,
        );
    }
    ids
}

#[tokio::test]
async fn a_page_is_the_newest_or_the_oldest_from_a_place_and_always_ascending() {
    let app = TestApp::new();
    let ids = ten(&app).await;
    let (third, seventh) = (ids[3], ids[7]);
    let cases = [
        (
            String::new(),
            vec!["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"],
            false,
        ),
        ("&limit=3".into(), vec!["m7", "m8", "m9"], true),
        (format!("&before={seventh}&limit=2"), vec!["m5", "m6"], true),
        (format!("&before={third}&limit=3"), vec!["m0", "m1", "m2"], false),
        (format!("&after={seventh}"), vec!["m8", "m9"], false),
        (format!("&after={third}&limit=2"), vec!["m4", "m5"], true),
        (format!("&since={third}&limit=2"), vec!["m3", "m4"], true),
        (
            format!("&since={third}&until={seventh}"),
            vec!["m3", "m4", "m5", "m6", "m7"],
            false,
        ),
        (
            format!("&after={third}&before={seventh}"),
            vec!["m4", "m5", "m6"],
            false,
        ),
        (
            format!("&since={}&limit=100", ids[0].ms),
            vec!["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"],
            false,
        ),
        ("&since=2999-01-01T00:00:00Z".into(), vec![], false),
        ("&before=0-0".into(), vec![], false),
        ("&level=error".into(), vec!["m0", "m3", "m6", "m9"], false),
        ("&level=error&limit=2".into(), vec!["m6", "m9"], true),
        ("&level=error&after=0-0&limit=2".into(), vec!["m0", "m3"], true),
    ];
    for (query, expected, has_more) in cases {
        let page = page(&app, &format!("channels=logs:*:w:*{query}")).await;
        assert_eq!((messages(&page), page.has_more), (expected, has_more), "{query}");
    }
    let one = page(&app, "service=faas&workspace_id=w&workflow_id=b&limit=2").await;
    assert_eq!(messages(&one), ["m7", "m9"]);
}

#[tokio::test]
async fn what_retention_has_taken_after_a_place_is_said() {
    let app = TestApp::with(Settings {
        retention_records: Some("5".to_owned()),
        ..settings()
    });
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(app.publish("logs:etl:w:a", json!(n.to_string())).await);
    }
    let from_first = page(&app, &format!("channels=logs:etl:w:*&after={}&limit=1", ids[0])).await;
    let [gap] = from_first.gaps.as_slice() else {
        panic!("one gap: {:?}", from_first.gaps);
    };
    assert_eq!((gap.from, gap.reason), (ids[0], GapReason::Retention));
    assert_eq!(
        from_first.first_id,
        Some(gap.to),
        "the page goes on where the gap ends"
    );
    for query in [
        format!("after={}", ids[17]),
        String::new(),
        format!("before={}", ids[19]),
    ] {
        let page = page(&app, &format!("channels=logs:etl:w:*&{query}")).await;
        assert_eq!(page.gaps, [], "{query}");
    }
}

#[tokio::test]
async fn pages_put_together_are_the_whole_in_both_directions() {
    let app = TestApp::new();
    let mut all = Vec::new();
    for n in 0..137 {
        all.push(
            app.publish(&format!("logs:etl:w{}:x", n % 5), json!(n.to_string()))
                .await,
        );
    }
    let ids = |page: &HistoryPage| page.records.iter().map(|record| record.id).collect::<Vec<_>>();
    let (mut forwards, mut after) = (Vec::new(), "0-0".to_owned());
    loop {
        let page = page(&app, &format!("channels=logs:etl:*:*&limit=10&after={after}")).await;
        forwards.extend(ids(&page));
        if !page.has_more {
            break;
        }
        after = page.last_id.map(|id| id.to_string()).unwrap_or_default();
    }
    assert_eq!(forwards, all);
    let (mut backwards, mut before) = (Vec::new(), String::new());
    loop {
        let page = page(&app, &format!("channels=logs:etl:*:*&limit=10&before={before}")).await;
        backwards.splice(0..0, ids(&page));
        if !page.has_more {
            break;
        }
        before = page.first_id.map(|id| id.to_string()).unwrap_or_default();
    }
    assert_eq!(backwards, all);
}

#[tokio::test]
async fn a_text_or_an_expression_is_looked_for_in_message_and_fields() {
    let app = TestApp::new();
    for log_data in [
        json!({ "message": "Disk FULL on /dev/sda1", "host": "db-1" }),
        json!({ "message": "retry 17 of 20", "host": "db-2" }),
        json!({ "message": "a \"quoted\" line\nand another", "host": "web-1" }),
    ] {
        app.publish("logs:etl:w", log_data).await;
    }
    let cases = [
        ("full", 1),
        ("/dev/sda1", 1),
        ("DB-", 2),
        ("db-.", 0),
        ("/db-[12]/", 2),
        ("/DB-/", 0),
        ("/(?i)DB-/", 2),
        ("/retry \\d+ of/", 1),
        ("\"quoted\"", 1),
        ("line\nand", 1),
        ("nowhere", 0),
        ("//", 0),
    ];
    for (q, count) in cases {
        let encoded: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        for direction in ["", "&after=0-0"] {
            let page = page(&app, &format!("channels=logs:etl:w&q={encoded}{direction}")).await;
            assert_eq!(page.records.len(), count, "{q:?}{direction}");
        }
    }
}

#[tokio::test]
async fn a_text_is_found_however_a_publisher_has_written_it() {
    let app = TestApp::new();
    // As Python, PHP and Go write JSON by default.
    let body = r#"{"channel":"logs:etl:w","logData":{"message":"m","city":"K\u00f6ln","say":"a \"b\" c","path":"www\/x.php",
        "deep":{"pair":["a\u0026b","\ud83d\ude00"]}}}"#;
    let request = Request::post("/api/logs/publish")
        .header("x-service-token", TOKEN)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .expect("a request");
    assert_eq!(app.send(request).await.status, 200);
    for (q, count) in [
        ("Köln", 1),
        ("kÖLN", 1),
        ("a \"b\" c", 1),
        ("www/x.php", 1),
        ("a&b", 1),
        ("😀", 1),
        ("/^K.ln$/", 1),
        ("Bonn", 0),
    ] {
        let encoded: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        let page = page(&app, &format!("channels=logs:etl:w&q={encoded}")).await;
        assert_eq!(page.records.len(), count, "{q:?}");
    }
}

#[tokio::test]
async fn an_expression_that_would_cost_too_much_is_refused() {
    let app = TestApp::new();
    for q in ["/(/", "/a{1000}{1000}{1000}/", "/(?:\\pL{100}){100}/", "/a(?=b)/"] {
        let encoded: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        let answer = app
            .get(&format!("/api/logs/history?channels=logs:etl:w&q={encoded}"))
            .await;
        assert_eq!(answer.refusal(), (400, "invalid_query".to_owned()), "{q}");
    }
}

#[tokio::test]
async fn a_download_is_a_record_a_line() {
    let app = TestApp::new();
    let lines: Vec<String> = (0..5_000)
        .map(|n| json!({ "channel": "logs:etl:w", "logData": "x".repeat(n % 300) }).to_string())
        .collect();
    let published = app
        .publish_body(&[("content-type", "application/x-ndjson")], lines.join("\n"))
        .await;
    assert_eq!(published.json()["accepted"], 5_000);
    let request = Request::get("/api/logs/history?channels=logs:etl:w&limit=10000&q=/^x*$/")
        .header("accept", "text/html, application/x-ndjson;q=0.9")
        .body(Body::empty());
    let answer = app.send(request.unwrap()).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let text = String::from_utf8(answer.body).unwrap();
    let records: Vec<logs_shared::LogRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 5_000);
    assert!(records.is_sorted_by(|one, next| one.id < next.id));
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused() {
    let app = TestApp::new();
    let cases = [
        ("", "missing_channels"),
        ("channels=etl", "invalid_channel"),
        ("channels=logs:etl:w&before=yesterday", "invalid_query"),
        ("channels=logs:etl:w&limit=-1", "invalid_query"),
        ("channels=logs:etl:w&level=loud", "invalid_level"),
        ("channels=logs:etl:w&q=/(/", "invalid_query"),
    ];
    for (query, code) in cases {
        let answer = app.get(&format!("/api/logs/history?{query}")).await;
        assert_eq!(answer.refusal(), (400, code.to_owned()), "{query}");
    }
    let answer = app.get("/api/logs/history?channels=logs:etl:w&q=/(/").await;
    let expected = "q=\"/(/\" is no regular expression that can be used: unclosed group";
    assert_eq!(answer.json()["detail"], expected);
}
