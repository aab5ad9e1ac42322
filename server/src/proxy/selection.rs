//! What a page asks for, as the gateway is asked for it.

use std::borrow::Cow;

use logs_shared::{
    StreamQuery,
    api::TOKEN_PARAMETER,
    query::{CHANNELS, RESOURCE_IDS, SERVICE, WORKSPACE_ID},
};

use super::refusal::Refusal;
use crate::http::ApiError;

/// The workflow of requests in development that name none.
pub(super) const SOME_WORKFLOW: &str = "workflow456";

/// What stands for a workspace and a workflow that a request does not name.
#[derive(Clone, Copy, Debug)]
pub(super) struct MadeUp<'a> {
    pub(super) workspace: &'a str,
    pub(super) workflow: &'a str,
}

/// A query for the gateway. `workspace_id` and `workflow_id` become the channel of `service`; where the query names
/// channels in one of the gateway's own ways they stay as they are, as everything else does. A token does not go on: the
/// proxy's identity is the one that counts.
///
/// # Errors
/// A part of the channel is missing and none is made up, or it is no channel.
pub(super) fn upstream_query(
    query: &str,
    service: &str,
    made_up: Option<MadeUp<'_>>,
) -> Result<String, Refusal> {
    let (mut workspace, mut resource, mut is_whole, mut rest) = (None, None, false, Vec::new());
    for (raw, name, value) in parameters(query) {
        match &*name {
            TOKEN_PARAMETER => {}
            CHANNELS | SERVICE => {
                is_whole |= !value.is_empty();
                rest.push(raw);
            }
            WORKSPACE_ID => workspace = Some(value),
            name if RESOURCE_IDS.contains(&name) => resource = Some(value),
            _ => rest.push(raw),
        }
    }
    if is_whole {
        let kept = parameters(query).filter(|(_, name, _)| name != TOKEN_PARAMETER);
        return Ok(joined(kept.map(|(raw, ..)| raw)));
    }
    let part = |given: Option<Cow<'_, str>>, made_up: Option<&str>, name| {
        given
            .filter(|text| !text.is_empty())
            .map(Cow::into_owned)
            .or_else(|| made_up.map(str::to_owned))
            .ok_or(Refusal::MissingParameter(name))
    };
    let workspace = part(workspace, made_up.map(|it| it.workspace), WORKSPACE_ID)?;
    let workflow = part(resource, made_up.map(|it| it.workflow), RESOURCE_IDS[0])?;
    let spelt = form_urlencoded::Serializer::new(String::new())
        .append_pair(SERVICE, service)
        .append_pair(WORKSPACE_ID, &workspace)
        .append_pair(RESOURCE_IDS[0], &workflow)
        .finish();
    let channels = StreamQuery::parse(&spelt, None).map_err(ApiError::from)?.channels;
    let channel = channels
        .first()
        .map(|channel| format!("{CHANNELS}={channel}"))
        .unwrap_or_default();
    Ok(joined(std::iter::once(channel.as_str()).chain(rest)))
}

/// A query as it is, but for the token.
pub(super) fn without_token(query: &str) -> String {
    joined(
        parameters(query)
            .filter(|(_, name, _)| name != TOKEN_PARAMETER)
            .map(|(raw, ..)| raw),
    )
}

/// Each parameter as it stands there, and what it says.
fn parameters(query: &str) -> impl Iterator<Item = (&str, Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter_map(|raw| {
        let (name, value) = form_urlencoded::parse(raw.as_bytes()).next()?;
        Some((raw, name, value))
    })
}

fn joined<'a>(parameters: impl Iterator<Item = &'a str>) -> String {
    parameters.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_UP: MadeUp<'_> = MadeUp {
        workspace: "w0",
        workflow: "f0",
    };

    fn asked(query: &str) -> String {
        upstream_query(query, "etl", Some(MADE_UP)).unwrap()
    }

    #[test]
    fn a_workspace_and_a_workflow_are_a_channel_of_the_service() {
        assert_eq!(
            asked("workspace_id=w&workflow_id=f&tail=5&level=warn"),
            "channels=logs:etl:w:f&tail=5&level=warn"
        );
        for name in RESOURCE_IDS {
            assert_eq!(
                asked(&format!("workspace_id=w&{name}=f")),
                "channels=logs:etl:w:f"
            );
        }
        assert_eq!(asked("workspace_id=w&workflow_id=%2A"), "channels=logs:etl:w:*");
    }

    #[test]
    fn what_is_not_named_is_made_up_or_refused() {
        assert_eq!(asked(""), "channels=logs:etl:w0:f0");
        assert_eq!(
            asked("channels=&workspace_id=w"),
            "channels=logs:etl:w:f0&channels="
        );
        for (query, missing) in [
            ("", "workspace_id"),
            ("workspace_id=w", "workflow_id"),
            ("workflow_id=f&workspace_id=", "workspace_id"),
        ] {
            match upstream_query(query, "etl", None) {
                Err(Refusal::MissingParameter(name)) => assert_eq!(name, missing, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_names_channels_otherwise_stays_as_it_is() {
        for query in [
            "channels=logs:etl:w%3Ax,logs:faas:w&since=2025-09-25T10%3A30%3A00%2B02%3A00",
            "service=faas&workspace_id=w",
            "workspace_id=w&service=faas&workflow_id=x&last_event_id=1-0",
            "workspace_id=w&channels=logs:a:w",
        ] {
            assert_eq!(asked(query), query);
        }
    }

    #[test]
    fn a_token_goes_no_further_however_it_is_written() {
        assert_eq!(asked("token=s&channels=logs:a:w&t%6Fken=s"), "channels=logs:a:w");
        assert_eq!(
            asked("workspace_id=w&token=s&workflow_id=f&tail=1"),
            "channels=logs:etl:w:f&tail=1"
        );
        assert_eq!(without_token("a=1&%74oken=s&b=2&token"), "a=1&b=2");
    }

    #[test]
    fn no_part_can_become_another_channel() {
        for query in [
            "workspace_id=w,logs:faas:v&workflow_id=f",
            "workspace_id=w:f:g&workflow_id=f",
            "workspace_id=w%26channels%3Dx&workflow_id=f",
            "workspace_id=w&workflow_id=f%0d%0ax",
        ] {
            assert!(
                matches!(
                    upstream_query(query, "etl", None),
                    Err(Refusal::AsGateway(ApiError::Query(_)))
                ),
                "{query}"
            );
        }
    }
}
