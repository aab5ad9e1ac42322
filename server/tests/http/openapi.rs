//! What `/openapi.json` says is so.

mod answers;
mod schema;

use std::collections::BTreeSet;

use crate::app::TestApp;
use logs_gateway::http::routes;
use logs_shared::problem::code;
use serde_json::{Value, json};

async fn document() -> Value {
    let answer = TestApp::new().get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

/// Each operation, as `GET /path`.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, operations): (&String, &'_ Value)| {
        let operations = operations.as_object().expect("operations").keys().cloned();
        operations
            .map(|method| (path.clone(), method))
            .collect::<Vec<_>>()
    };
    let names = paths.iter().flat_map(of_path);
    let operations = names.map(|(path, method)| {
        let operation = &document["paths"][&path][&method];
        (format!("{} {path}", method.to_uppercase()), operation)
    });
    operations.collect()
}

#[tokio::test]
async fn every_route_is_described_and_every_description_is_of_a_route() {
    let document = document().await;
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let name = |path: &str| path.replace("{*", "{");
    let there: BTreeSet<_> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method, name(&route.path)))
        .collect();
    assert_eq!(described, there);
}

#[tokio::test]
async fn what_a_route_needs_is_what_its_description_says() {
    use logs_gateway::http::Access;
    let document = document().await;
    for route in routes() {
        let path = route.path.replace("{*", "{");
        let operation = &document["paths"][&path][route.method.as_str().to_lowercase()];
        let schemes: Vec<&str> = operation["security"]
            .as_array()
            .unwrap_or_else(|| panic!("{route:?} does not say"))
            .iter()
            .flat_map(|one| one.as_object().into_iter().flat_map(|one| one.keys()))
            .map(String::as_str)
            .collect();
        let first = schemes.first().copied();
        let expected = match route.access {
            Access::Public | Access::Development => None,
            Access::Publish => Some("serviceToken"),
            Access::Read => Some("readerBearer"),
            Access::Admin => Some("adminBearer"),
        };
        assert_eq!(first, expected, "{route:?}");
        let refuses = operation["responses"].get("401").is_some();
        assert_eq!(refuses, expected.is_some(), "{route:?}");
        for scheme in schemes {
            schema::resolve(&document, &format!("#/components/securitySchemes/{scheme}"));
        }
    }
}

#[tokio::test]
async fn every_code_is_described_and_of_some_answer_with_its_status() {
    let document = document().await;
    let of_answers = document["components"]["responses"].to_string();
    let known = document["components"]["schemas"]["Code"]["enum"]
        .as_array()
        .expect("codes");
    let names: BTreeSet<_> = known.iter().filter_map(Value::as_str).collect();
    assert_eq!(names, BTreeSet::from(code::ALL));
    for code in code::ALL {
        // The first is no answer to a path that is there, the other stands only in the results of a change.
        if !["method_not_allowed", "invalid_interest"].contains(&code) {
            assert!(
                of_answers.contains(&format!("\"{code}\"")),
                "{code} is of no answer"
            );
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_part_is_used() {
    fn walk<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(parts) => {
                found.extend(parts.get("$ref").and_then(Value::as_str));
                parts.values().for_each(|part| walk(part, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let document = document().await;
    let mut found = BTreeSet::new();
    walk(&document, &mut found);
    for reference in &found {
        schema::resolve(&document, reference);
    }
    for kind in ["schemas", "responses", "parameters"] {
        for name in document["components"][kind].as_object().expect("parts").keys() {
            let reference = format!("#/components/{kind}/{name}");
            // The text of a stream cannot point to what is in it.
            let is_used = found.contains(reference.as_str()) || name == "StreamEvent";
            assert!(is_used, "{reference} is for nothing");
        }
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let document = document().await;
    let operations = operations(&document);
    let names: BTreeSet<_> = operations
        .iter()
        .map(|(_, operation)| operation["operationId"].as_str().expect("a name"))
        .collect();
    assert_eq!(names.len(), operations.len());
}

#[tokio::test]
async fn the_events_of_a_stream_are_as_described() {
    let document = document().await;
    let app = TestApp::new();
    let mut stream = app
        .stream_with("channels=logs:etl:*&tail=5", &[("last-event-id", "oops")])
        .await;
    let mut kinds = BTreeSet::new();
    app.publish("logs:etl:w", json!({ "message": "m", "a": 1 })).await;
    while kinds.len() < 4 {
        let (event, _) = stream.next().await.expect("an event");
        let value: Value = serde_json::from_str(&event.to_json()).expect("JSON");
        let faults = schema::faults(
            &document,
            &json!({ "$ref": "#/components/schemas/StreamEvent" }),
            &value,
        );
        assert!(faults.is_empty(), "{faults:#?}");
        kinds.insert(value["type"].as_str().expect("a type").to_owned());
    }
    let expected = ["caught_up", "connection", "gap", "log"].map(str::to_owned);
    assert_eq!(kinds, BTreeSet::from(expected));
}

#[test]
fn a_value_that_is_not_as_described_is_noticed() {
    let document = json!({ "components": { "n": { "type": "integer", "minimum": 1 } } });
    let described = json!({
        "type": "object",
        "required": ["a"],
        "properties": { "a": { "$ref": "#/components/n" }, "b": { "items": { "enum": ["x"] } } }
    });
    let faults = |value: Value| schema::faults(&document, &described, &value).len();
    assert_eq!(faults(json!({ "a": 1, "b": ["x"] })), 0);
    for wrong in [
        json!({}),
        json!({ "a": 0 }),
        json!({ "a": 1, "c": 1 }),
        json!({ "a": 1, "b": ["x", "y"] }),
    ] {
        assert_eq!(faults(wrong.clone()), 1, "{wrong}");
    }
    assert!(faults(json!("text")) > 0);
}
