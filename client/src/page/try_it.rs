//! [`TryIt`]: what to do while there is no line.

use gloo_net::http::Request;
use leptos::{prelude::*, task::spawn_local};
use logs_shared::{ChannelPattern, Problem, api};

/// A way to publish the first line: a command to copy, and a button that does the same.
#[component]
pub(super) fn TryIt(channels: RwSignal<Vec<ChannelPattern>>) -> impl IntoView {
    let body = move || channels.with(|channels| channels.first().map(publication));
    let origin = location().origin().unwrap_or_default();
    let command = move || {
        body().map(|body| {
            format!(
                "curl {origin}{} -H 'content-type: {}' -d '{body}'",
                api::TEST_LOGS_PATH,
                api::JSON_TYPE
            )
        })
    };
    let error = RwSignal::new(None);
    let send = move |_| {
        let Some(body) = body() else { return };
        spawn_local(async move {
            error.try_set(publish(body).await.err());
        });
    };
    move || match command() {
        None => view! { <p>"Choose a channel above to see its lines here."</p> }.into_any(),
        Some(command) => view! {
            <p>"No lines yet. Publish one from a terminal:"</p>
            <pre class="logs-command" tabindex="0">{command}</pre>
            <button type="button" class="logs-button" on:click=send>"Send a test line"</button>
            <p class="logs-error" role="alert">
                {error}
            </p>
        }
        .into_any(),
    }
}

/// Publishes a test line.
///
/// # Errors
/// Why it was not taken, in the gateway's words.
async fn publish(body: String) -> Result<(), String> {
    let request = Request::post(api::TEST_LOGS_PATH)
        .header("content-type", api::JSON_TYPE)
        .body(body)
        .map_err(|error| error.to_string())?;
    let answer = request
        .send()
        .await
        .map_err(|_| "The gateway cannot be reached.".to_owned())?;
    if answer.ok() {
        return Ok(());
    }
    let problem = answer.json::<Problem>().await;
    let why = problem.map_or_else(
        |_| format!("it answered with status {}", answer.status()),
        |problem| problem.detail,
    );
    Err(format!("The gateway did not take it: {why}"))
}

/// A record for a channel the pattern chooses, as JSON in the order people write it.
fn publication(pattern: &ChannelPattern) -> String {
    let parts: Vec<&str> = pattern.as_str().split(':').collect();
    let named = |place: usize, otherwise: &'static str| match parts.get(place) {
        Some(&"*") => Some(otherwise),
        part => part.copied(),
    };
    let (service, workspace) = (named(1, "etl"), named(2, "workspace123"));
    let resource = named(3, "workflow456").map(|id| format!(r#","workflow_id":"{id}""#));
    // No part of a channel needs escaping.
    format!(
        r#"{{"service":"{}","workspace_id":"{}"{},"logData":{{"level":"INFO","message":"Hello from the terminal"}}}}"#,
        service.unwrap_or_default(),
        workspace.unwrap_or_default(),
        resource.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use logs_shared::Channel;

    use super::*;

    #[test]
    fn the_test_line_goes_to_a_channel_that_is_followed() {
        for text in [
            "logs:*:workspace123:*",
            "logs:faas:w:f",
            "logs:*:*:*",
            "logs:etl:w",
        ] {
            let pattern: ChannelPattern = text.parse().unwrap();
            let publication: serde_json::Value = serde_json::from_str(&publication(&pattern)).unwrap();
            let part = |name: &str| publication[name].as_str().map(str::to_owned);
            let (service, workspace) = (part("service").unwrap(), part("workspace_id").unwrap());
            let channel = Channel::new(&service, &workspace, part("workflow_id").as_deref()).unwrap();
            assert!(pattern.matches(&channel), "{text}");
        }
    }
}
