//! Publishing: what is taken, what is refused, and what the answers say.

use crate::app::{TOKEN, TestApp, gzip, settings};
use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use serde_json::{Value, json};

type Headers<'a> = &'a [(&'a str, &'a str)];

const JSON: (&str, &str) = ("content-type", "application/json");
const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

fn item(channel: &str, message: &str) -> String {
    json!({ "channel": channel, "logData": message }).to_string()
}

#[tokio::test]
async fn a_record_is_answered_with_its_id_channel_and_subscribers() {
    let app = TestApp::new();
    let _first = app.stream("channels=logs:etl:w:x").await;
    let _second = app.stream("channels=logs:*:w:*").await;
    let body =
        json!({ "service": "etl", "workspace_id": "w", "workflow_id": "x", "logData": { "message": "m" } });
    let answer = app.publish_body(&[JSON], body.to_string()).await.json();
    assert_eq!(answer["success"], true);
    assert_eq!(answer["channel"], "logs:etl:w:x");
    assert_eq!(answer["subscribers"], 2);
    assert!(
        answer["id"]
            .as_str()
            .is_some_and(|id| id.parse::<logs_shared::RecordId>().is_ok())
    );
}

#[tokio::test]
async fn a_batch_is_stored_but_for_what_is_refused_by_item() {
    let app = TestApp::new();
    let lines = [
        &item("logs:etl:w", "a"),
        "",
        "{oops",
        &item("logs:*:w", "b"),
        &item("logs:faas:w", "c"),
    ]
    .join("\n");
    let answer = app.publish_body(&[NDJSON], lines).await.json();
    assert_eq!(
        (&answer["success"], &answer["accepted"]),
        (&json!(true), &json!(2))
    );
    let rejected: Vec<_> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["index"].clone(), r["code"].clone()))
        .collect();
    assert_eq!(
        rejected,
        [
            (json!(1), json!("broken_json")),
            (json!(2), json!("invalid_channel"))
        ]
    );
    let stored = app.stream("channels=logs:*:w&since=0-0").await.history().await;
    assert_eq!(stored, ["a", "c"]);
    let mut stream = app.stream("channels=logs:*:w&since=0-0").await;
    assert_eq!(stream.next_record().await.id.to_string(), answer["first_id"]);
    assert_eq!(stream.next_record().await.id.to_string(), answer["last_id"]);
}

#[tokio::test]
async fn an_array_and_a_log_data_array_are_batches_with_neighbouring_ids() {
    let app = TestApp::new();
    let array = format!("[{},{}]", item("logs:etl:w", "a"), item("logs:etl:w", "b"));
    assert_eq!(app.publish_body(&[JSON], array).await.json()["accepted"], 2);
    let unrolled = json!({ "channel": "logs:etl:w", "logData": ["c", { "message": "d" }] }).to_string();
    assert_eq!(app.publish_body(&[JSON], unrolled).await.json()["accepted"], 2);
    assert_eq!(
        app.stream("channels=logs:etl:w&since=0-0").await.history().await,
        ["a", "b", "c", "d"]
    );
}

#[tokio::test]
async fn what_is_refused_has_its_status_and_code_and_stores_nothing() {
    let app = TestApp::with(Settings {
        max_body_bytes: Some("1MiB".to_owned()),
        ..settings()
    });
    let large_record = item("logs:etl:w", &"x".repeat(300_000));
    let large_body = item("logs:etl:w", &"x".repeat(1_100_000));
    let deep = format!(
        r#"{{"channel":"logs:etl:w","logData":{{"a":{}{}}}}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let cases: Vec<(Headers<'_>, Vec<u8>, (u16, &str))> = vec![
        (&[JSON], b"".to_vec(), (400, "empty_batch")),
        (&[JSON], b"[]".to_vec(), (400, "empty_batch")),
        (&[NDJSON], b"\n \n".to_vec(), (400, "empty_batch")),
        (&[JSON], b"{".to_vec(), (400, "broken_json")),
        (&[JSON], b"{\"a\":\xff}".to_vec(), (400, "broken_json")),
        (&[NDJSON], b"{\n}".to_vec(), (400, "broken_json")),
        (&[JSON], b"17".to_vec(), (400, "invalid_body")),
        (&[JSON], br#"{"logData":"m"}"#.to_vec(), (400, "missing_channels")),
        (
            &[JSON],
            br#"{"service":"etl","logData":"m"}"#.to_vec(),
            (400, "missing_channels"),
        ),
        (
            &[JSON],
            br#"{"service":"e/l","workspace_id":"w","logData":"m"}"#.to_vec(),
            (400, "invalid_channel"),
        ),
        (
            &[JSON],
            br#"{"service":["etl"],"workspace_id":"w","logData":"m"}"#.to_vec(),
            (400, "invalid_body"),
        ),
        (
            &[JSON],
            br#"{"channel":"logs:etl:w"}"#.to_vec(),
            (400, "invalid_log_data"),
        ),
        (
            &[JSON],
            br#"{"channel":"logs:etl:w","logData":7}"#.to_vec(),
            (400, "invalid_log_data"),
        ),
        (&[JSON], deep.into_bytes(), (400, "too_deep")),
        (&[JSON], large_record.into_bytes(), (400, "record_too_large")),
        (&[JSON], large_body.clone().into_bytes(), (413, "body_too_large")),
        (
            &[JSON, ("content-encoding", "gzip")],
            gzip(&large_body),
            (413, "body_too_large"),
        ),
        (
            &[JSON, ("content-encoding", "gzip")],
            b"no gzip".to_vec(),
            (400, "invalid_body"),
        ),
        (
            &[JSON, ("content-encoding", "br")],
            b"x".to_vec(),
            (415, "unsupported_media_type"),
        ),
        (
            &[("content-type", "text/plain")],
            b"hello".to_vec(),
            (415, "unsupported_media_type"),
        ),
        (
            &[("content-type", "application/x-www-form-urlencoded")],
            b"a=b".to_vec(),
            (415, "unsupported_media_type"),
        ),
    ];
    for (headers, body, (status, code)) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(
            app.publish_body(headers, body).await.refusal(),
            (status, code.to_owned()),
            "{headers:?} {shown}"
        );
    }
    assert_eq!(app.get("/admin/logs/stats").await.json()["messages_published"], 0);
}

#[tokio::test]
async fn a_body_may_be_packed_and_its_type_spelt_in_several_ways() {
    let app = TestApp::new();
    let bodies: [(Headers<'_>, Vec<u8>); 5] = [
        (
            &[JSON, ("content-encoding", "gzip")],
            gzip(&item("logs:etl:w", "m")),
        ),
        (
            &[NDJSON, ("content-encoding", "gzip")],
            gzip(&item("logs:etl:w", "m")),
        ),
        (
            &[("content-type", "Application/JSON; charset=utf-8")],
            item("logs:etl:w", "m").into_bytes(),
        ),
        (
            &[("content-type", "application/vnd.api+json")],
            item("logs:etl:w", "m").into_bytes(),
        ),
        (&[], item("logs:etl:w", "m").into_bytes()),
    ];
    for (headers, body) in bodies {
        assert_eq!(app.publish_body(headers, body).await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a_token_opens_its_own_services_and_workspaces_only() {
    let app = TestApp::new();
    let publish = |token: &'static str, header: &'static str, channel: &'static str| {
        let value = if header == "authorization" {
            format!("Bearer {token}")
        } else {
            token.to_owned()
        };
        Request::post("/api/logs/publish")
            .header(header, value)
            .body(Body::from(item(channel, "m")))
            .unwrap()
    };
    for path_header in ["x-service-token", "authorization"] {
        assert_eq!(
            app.send(publish("etl-token", path_header, "logs:etl:w:x"))
                .await
                .status,
            200
        );
        let other_service = app.send(publish("etl-token", path_header, "logs:faas:w")).await;
        assert_eq!(other_service.refusal(), (403, "forbidden_channel".to_owned()));
        let text = String::from_utf8_lossy(&other_service.body).into_owned();
        assert!(
            text.contains("logs:faas:w") && !text.contains("etl-token"),
            "{text}"
        );
        let other_workspace = app.send(publish("etl-token", path_header, "logs:etl:v")).await;
        assert_eq!(other_workspace.refusal(), (403, "forbidden_channel".to_owned()));
        let wrong = app.send(publish("wr0ng", path_header, "logs:etl:w")).await;
        assert_eq!(wrong.refusal(), (401, "invalid_token".to_owned()));
        assert!(!String::from_utf8_lossy(&wrong.body).contains("wr0ng"));
    }
    let none = app
        .send(
            Request::post("/api/logs/publish")
                .body(Body::from(item("logs:etl:w", "m")))
                .unwrap(),
        )
        .await;
    assert_eq!(none.refusal(), (401, "missing_token".to_owned()));
    assert_eq!(none.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_batch_of_forbidden_channels_is_forbidden_and_a_mixed_one_is_not() {
    let app = TestApp::new();
    let send = |body: String| {
        app.send(
            Request::post("/api/logs/publish")
                .header("x-service-token", "etl-token")
                .header(NDJSON.0, NDJSON.1)
                .body(Body::from(body))
                .unwrap(),
        )
    };
    let (mine, other) = (item("logs:etl:w", "m"), item("logs:faas:w", "m"));
    let forbidden = send(format!("{other}\n{other}")).await;
    assert_eq!(forbidden.refusal(), (403, "forbidden_channel".to_owned()));
    assert_eq!(forbidden.json()["rejected"].as_array().map(Vec::len), Some(2));
    let alone = send(other.clone()).await;
    assert_eq!(
        alone.json()["rejected"][0]["index"],
        0,
        "a batch of one is a batch"
    );
    assert_eq!(send(format!("{other}\n{{")).await.refusal().0, 400);
    let mixed = send(format!("{other}\n{mine}")).await.json();
    assert_eq!(
        (&mixed["accepted"], &mixed["rejected"][0]["code"]),
        (&json!(1), &json!("forbidden_channel"))
    );
}

#[tokio::test]
async fn the_older_path_publishes_too() {
    let app = TestApp::new();
    let request = Request::post("/logs/stream")
        .header("x-service-token", TOKEN)
        .body(Body::from(item("logs:etl:w", "m")));
    assert_eq!(app.send(request.unwrap()).await.status, 200);
}

#[tokio::test]
async fn test_logs_need_nothing_and_take_everything() {
    let app = TestApp::new();
    let post = |body: &'static str| {
        Request::post("/test/logs")
            .header(JSON.0, JSON.1)
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(
        app.get("/test/logs").await.json()["channel"],
        "logs:etl:workspace123:workflow456"
    );
    assert_eq!(
        app.get("/test/logs?service=faas&workspace_id=w").await.json()["channel"],
        "logs:faas:w"
    );
    assert_eq!(
        app.get("/test/logs?message=hello&level=warn&rows=5").await.status,
        200
    );
    assert_eq!(
        app.send(post("")).await.json()["channel"],
        "logs:etl:workspace123:workflow456"
    );
    assert_eq!(
        app.send(post("{}")).await.json()["channel"],
        "logs:etl:workspace123:workflow456"
    );
    assert_eq!(
        app.send(post(r#"{"service":"faas","workspace_id":"w","function_id":"f"}"#))
            .await
            .json()["channel"],
        "logs:faas:w:f"
    );
    assert_eq!(
        app.send(post(r#"{"logData":{"message":"own"}}"#)).await.status,
        200
    );
    assert_eq!(
        app.send(post(r#"[{"logData":"a"},{"logData":"b"}]"#))
            .await
            .json()["accepted"],
        2
    );
    assert_eq!(
        app.send(post("{")).await.refusal(),
        (400, "broken_json".to_owned())
    );
    let mut stream = app
        .stream("channels=logs:etl:workspace123:workflow456&since=0-0")
        .await;
    let messages = stream.history().await;
    assert!(
        messages.iter().any(|message| message == "hello") && messages.iter().any(|message| message == "own"),
        "{messages:?}"
    );
    let production = Settings {
        node_env: Some("production".to_owned()),
        ..settings()
    };
    assert_eq!(
        TestApp::with(production).get("/test/logs").await.refusal(),
        (404, "not_found".to_owned())
    );
}

#[tokio::test]
async fn a_record_arrives_as_the_contract_has_it() {
    let app = TestApp::new();
    let log_data = json!({ "message": "ETL process completed", "level": "info", "timestamp": "2025-09-25T10:30:00Z", "rows": 42 });
    let id = app.publish("logs:etl:workspace123:workflow456", log_data).await;
    let mut stream = app
        .stream("channels=logs:etl:workspace123:workflow456&since=0-0")
        .await;
    stream.history().await;
    let expected = format!(
        "id: {id}\ndata: {{\"type\":\"log\",\"id\":\"{id}\",\"channel\":\"logs:etl:workspace123:workflow456\",\"service\":\"etl\",\"workspace_id\":\"workspace123\",\"workflow_id\":\"workflow456\",\"timestamp\":\"2025-09-25T10:30:00.000Z\",\"level\":\"INFO\",\"message\":\"ETL process completed\",\"fields\":{{\"rows\":42}}}}\n\n"
    );
    assert!(stream.text.contains(&expected), "{}", stream.text);
}

#[tokio::test]
async fn nothing_published_can_break_the_framing_of_a_stream() {
    let app = TestApp::new();
    let hostile = [
        "a\n\nevent: close\ndata: {}\n\n",
        "\r\rid: 0-0\r",
        "\u{2028}\u{85}\u{0}\u{1b}[2J",
        "<script>alert(1)</script>",
    ];
    for message in hostile {
        app.publish(
            "logs:etl:w",
            json!({ "message": message, (message): { (message): message } }),
        )
        .await;
    }
    // As it was sent, line breaks between its tokens included.
    let pretty = "{\n \"channel\": \"logs:etl:w\",\r\n \"logData\": {\n \"message\": \"pretty\",\n \"a\": [\n 1,\n 2\n ]\n }\n}";
    assert_eq!(app.publish_body(&[JSON], pretty).await.status, 200);
    let mut stream = app.stream("channels=logs:etl:w&since=0-0").await;
    for message in hostile {
        let record = stream.next_record().await;
        assert_eq!(record.message, message);
        assert_eq!(
            Value::from(record.fields.to_value()),
            json!({ (message): { (message): message } })
        );
    }
    assert_eq!(stream.next_record().await.fields.as_json(), r#"{"a":[1,2]}"#);
}

#[tokio::test]
async fn a_repeated_publication_is_stored_once_and_gets_the_first_answer() {
    let app = TestApp::new();
    let batch = [
        item("logs:etl:w", "a"),
        "{oops".to_owned(),
        item("logs:faas:w", "b"),
    ]
    .join("\n");
    let single = item("logs:etl:w", "c");
    for (kind, body) in [(NDJSON, batch), (JSON, single)] {
        let headers = [kind, ("idempotency-key", kind.1)];
        // Together, so that the repeats come while the first is under way.
        let (first, second, third) = tokio::join!(
            app.publish_body(&headers, body.clone()),
            app.publish_body(&headers, body.clone()),
            app.publish_body(&headers, body.clone()),
        );
        assert_eq!(first.status, 200, "{}", first.json());
        assert_eq!(first.json(), second.json());
        assert_eq!(first.json(), third.json());
        assert_eq!(first.json(), app.publish_body(&headers, body).await.json());
    }
    assert_eq!(
        app.stream("channels=logs:*:w&since=0-0").await.history().await,
        ["a", "b", "c"]
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_publication_of_one_publisher() {
    let app = TestApp::new();
    let key = ("idempotency-key", "k1");
    assert_eq!(
        app.publish_body(&[JSON, key], item("logs:etl:w", "a"))
            .await
            .status,
        200
    );
    let reused = app.publish_body(&[JSON, key], item("logs:etl:w", "b")).await;
    assert_eq!(reused.refusal(), (422, "idempotency_key_reused".to_owned()));
    let other = Request::post("/api/logs/publish")
        .header("x-service-token", "etl-token")
        .header(key.0, key.1);
    let other = app
        .send(other.body(Body::from(item("logs:etl:w", "b"))).unwrap())
        .await;
    assert_eq!(other.status, 200, "another publisher's key is another");
    assert_eq!(
        app.stream("channels=logs:etl:w&since=0-0").await.history().await,
        ["a", "b"]
    );
}

#[tokio::test]
async fn a_refused_publication_does_not_use_its_key_up() {
    let app = TestApp::new();
    let key = ("idempotency-key", "k1");
    assert_eq!(
        app.publish_body(&[JSON, key], item("logs:*:w", "a"))
            .await
            .refusal()
            .0,
        400
    );
    assert_eq!(
        app.publish_body(&[JSON, key], item("logs:etl:w", "a"))
            .await
            .status,
        200
    );
    let long = "x".repeat(256);
    for wrong in ["", " ", &long] {
        let answer = app
            .publish_body(&[JSON, ("idempotency-key", wrong)], item("logs:etl:w", "a"))
            .await;
        assert_eq!(
            answer.refusal(),
            (400, "invalid_idempotency_key".to_owned()),
            "{wrong:?}"
        );
    }
}
