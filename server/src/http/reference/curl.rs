//! How an operation is asked for on a command line.

use logs_shared::api::DEFAULT_URL;

use super::json::Json;

/// A command that asks for this operation, with the examples that the description has.
pub(super) fn command(document: &Json, path: &str, method: &str, operation: &Json) -> String {
    let mut url = format!("{DEFAULT_URL}{path}");
    let mut query = Vec::new();
    for parameter in parameters(document, operation) {
        let name = parameter.at("name").text();
        let example = parameter.at("example").text();
        match parameter.at("in").text() {
            "path" => url = url.replace(&format!("{{{name}}}"), &variable(name)),
            "query" if !example.is_empty() => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    if !query.is_empty() {
        url = format!("{url}?{}", query.join("&"));
    }
    let mut command = String::from("curl");
    if is_stream(operation) {
        command.push_str(" -N");
    }
    if method != "get" && method != "post" {
        command.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    let body = body(operation);
    if method == "post" && body.is_none() {
        command.push_str(" -X POST");
    }
    command.push_str(&format!(" \"{url}\""));
    if let Some(credential) = credential(operation) {
        command.push_str(&format!(" \\\n  -H \"{credential}\""));
    }
    if let Some((kind, body)) = body {
        command.push_str(&format!(" \\\n  -H 'Content-Type: {kind}' \\\n  {body}"));
    }
    command
}

/// The parameters of an operation, those that have a name of their own looked up.
pub(super) fn parameters<'a>(
    document: &'a Json,
    operation: &'a Json,
) -> impl Iterator<Item = &'a Json> + use<'a> {
    let looked_up = |parameter: &'a Json| match parameter.at("$ref").text() {
        "" => parameter,
        reference => document.named(reference),
    };
    operation.at("parameters").items().iter().map(looked_up)
}

fn is_stream(operation: &Json) -> bool {
    let answers = operation.at("responses").at("200").at("content");
    answers.at("text/event-stream").is_there()
}

/// What the shell is to put in.
fn variable(name: &str) -> String {
    format!("${}", name.to_uppercase())
}

/// What an operation cannot do without. Readers need nothing on a gateway that is open to them.
fn credential(operation: &Json) -> Option<&'static str> {
    let asks_for = |name: &str| {
        operation
            .at("security")
            .items()
            .iter()
            .any(|one| one.at(name).is_there())
    };
    if asks_for("serviceToken") {
        Some("X-Service-Token: $SERVICE_TOKEN")
    } else if asks_for("adminBearer") {
        Some("Authorization: Bearer $ADMIN_TOKEN")
    } else {
        None
    }
}

/// A body, with its kind.
fn body(operation: &Json) -> Option<(&str, String)> {
    let kinds = operation.at("requestBody").at("content").parts();
    let (kind, content) = kinds
        .iter()
        .find(|(_, content)| content.at("example").is_there())
        .or(kinds.first())?;
    let body = match content.at("example") {
        Json::Null => "--data-binary @FILE".to_owned(),
        Json::Text(text) => format!("--data-binary {}", quoted(text)),
        example => format!("-d {}", quoted(&example.to_string())),
    };
    Some((kind, body))
}

/// As one word of a shell's command line (POSIX, section 2.2.2).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted("{\"a\":\"it's\"}"), r#"'{"a":"it'\''s"}'"#);
    }

    #[test]
    fn a_command_has_what_the_operation_needs() {
        let operation: Json = serde_json::from_str(
            r##"{
                "parameters": [{ "name": "id", "in": "path" }, { "name": "q", "in": "query", "example": "x" }],
                "requestBody": { "content": { "application/json": { "example": { "b": 1, "a": "it's" } } } },
                "security": [{}, { "adminBearer": [] }]
            }"##,
        )
        .unwrap();
        assert_eq!(
            command(&Json::Null, "/a/{id}/b", "patch", &operation),
            format!(
                "curl -X PATCH \"{DEFAULT_URL}/a/$ID/b?q=x\" \\\n  -H \"Authorization: Bearer $ADMIN_TOKEN\" \\\n  \
                 -H 'Content-Type: application/json' \\\n  -d '{{\"b\": 1, \"a\": \"it'\\''s\"}}'"
            )
        );
    }
}
