//! [`Settings`]: what the attributes of a `<logs-widget>` say.

use logs_shared::{ChannelPattern, RecordId};

use crate::Scope;

/// The most lines an element keeps.
const MOST_LOGS: usize = 100_000;
/// How many it keeps unless told otherwise.
pub(super) const DEFAULT_MAX_LOGS: usize = 1_000;
const DEFAULT_LABEL: &str = "Live logs";

/// What the attributes of a `<logs-widget>` say, as they were written. An empty one counts as absent: frameworks
/// write one while they do not know the value yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    service: Option<String>,
    workspace_id: Option<String>,
    workflow_id: Option<String>,
    channels: Option<String>,
    gateway_url: Option<String>,
    max_logs: Option<String>,
    persistence: Option<String>,
    scope: Option<String>,
    at: Option<String>,
    label: Option<String>,
}

impl Settings {
    /// Takes an attribute's value, or that it is gone. Says whether it is one that is known here.
    pub(super) fn set(&mut self, name: &str, value: Option<String>) -> bool {
        let place = match name {
            "service" => &mut self.service,
            "workspace-id" => &mut self.workspace_id,
            "workflow-id" | "resource-id" | "function-id" => &mut self.workflow_id,
            "channels" => &mut self.channels,
            "gateway-url" => &mut self.gateway_url,
            "max-logs" => &mut self.max_logs,
            "persistence" => &mut self.persistence,
            "scope" => &mut self.scope,
            "at" => &mut self.at,
            "label" => &mut self.label,
            _ => return false,
        };
        *place = value
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty());
        true
    }

    /// What is to be followed.
    ///
    /// # Errors
    /// Nothing is named, or a name is none that a channel can have: a sentence that says which.
    pub(super) fn channels(&self) -> Result<Vec<ChannelPattern>, String> {
        let listed = self.channels.as_deref().unwrap_or_default().split(',');
        let mut channels = listed
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| {
                text.parse()
                    .map_err(|error| format!("channels: \"{text}\" is none: {error}."))
            })
            .collect::<Result<Vec<_>, _>>()?;
        match (&self.service, &self.workspace_id) {
            (Some(service), Some(workspace_id)) => {
                let channel = ChannelPattern::new(service, workspace_id, self.workflow_id.as_deref());
                channels
                    .push(channel.map_err(|error| format!("service, workspace-id, workflow-id: {error}."))?);
            }
            (Some(_), None) => return Err("service needs workspace-id beside it.".to_owned()),
            (None, _) if channels.is_empty() => {
                let example =
                    r#"service="etl" workspace-id="workspace123", or channels="logs:*:workspace123:*""#;
                return Err(format!("Say what to follow: {example}."));
            }
            (None, _) => {}
        }
        Ok(channels)
    }

    /// Where the gateway is; empty where the page comes from it.
    pub(super) fn gateway_url(&self) -> &str {
        self.gateway_url
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('/')
    }

    /// How many lines to keep.
    ///
    /// # Errors
    /// It is no number, or too large a one: a sentence that says so.
    pub(super) fn max_logs(&self) -> Result<usize, String> {
        let Some(text) = &self.max_logs else {
            return Ok(DEFAULT_MAX_LOGS);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=MOST_LOGS).contains(number));
        number.ok_or_else(|| format!("max-logs is a number from 1 to {MOST_LOGS}, not \"{text}\"."))
    }

    /// Whether lines outlive the page.
    pub(super) fn persistence(&self) -> bool {
        self.persistence.as_deref().is_some_and(|text| text != "false")
    }

    /// Who shares the stream.
    ///
    /// # Errors
    /// It is no scope: a sentence that says so.
    pub(super) fn scope(&self) -> Result<Scope, String> {
        match self.scope.as_deref() {
            None | Some("page") => Ok(Scope::Page),
            Some("browser") => Ok(Scope::Browser),
            Some(other) => Err(format!("scope is page or browser, not \"{other}\".")),
        }
    }

    /// The line to open at.
    ///
    /// # Errors
    /// It is no record's id: a sentence that says so.
    pub(super) fn at(&self) -> Result<Option<RecordId>, String> {
        let at = self.at.as_deref().map(|text| {
            text.parse()
                .map_err(|_| format!("at is a record's id, such as 1758796200000-0, not \"{text}\"."))
        });
        at.transpose()
    }

    /// What a screen reader calls the list.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(DEFAULT_LABEL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(attributes: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in attributes {
            assert!(settings.set(name, Some((*value).to_owned())), "{name}");
        }
        settings
    }

    fn channels(attributes: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let channels = settings(attributes).channels()?;
        Ok(channels.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn channels_are_listed_or_spelt_by_parts() {
        let by_parts = [("service", "etl"), ("workspace-id", "w")];
        assert_eq!(channels(&by_parts).unwrap(), ["logs:etl:w"]);
        for name in ["workflow-id", "resource-id", "function-id"] {
            assert_eq!(
                channels(&[by_parts[0], by_parts[1], (name, "f")]).unwrap(),
                ["logs:etl:w:f"]
            );
        }
        let listed = [("channels", " logs:etl:w, logs:*:w:* ,")];
        assert_eq!(channels(&listed).unwrap(), ["logs:etl:w", "logs:*:w:*"]);
        assert_eq!(channels(&[listed[0], by_parts[0], by_parts[1]]).unwrap().len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence_that_names_it() {
        for (attributes, words) in [
            (&[][..], "Say what to follow"),
            (&[("workspace-id", "w")], "Say what to follow"),
            (&[("service", "")], "Say what to follow"),
            (&[("service", "etl")], "workspace-id"),
            (&[("channels", "logs:etl:w,nonsense")], "nonsense"),
            (&[("service", "e t l"), ("workspace-id", "w")], "service"),
        ] {
            let error = channels(attributes).unwrap_err();
            assert!(
                error.contains(words) && error.ends_with('.'),
                "{attributes:?}: {error}"
            );
        }
        for text in ["0", "-1", "many", "1e3", "100001"] {
            let error = settings(&[("max-logs", text)]).max_logs().unwrap_err();
            assert!(error.contains("max-logs") && error.contains(text), "{error}");
        }
        assert!(
            settings(&[("scope", "all")])
                .scope()
                .unwrap_err()
                .contains("\"all\"")
        );
        assert!(settings(&[("at", "noon")]).at().unwrap_err().contains("\"noon\""));
    }

    #[test]
    fn what_is_kept_and_shared_is_chosen() {
        let none = settings(&[]);
        assert_eq!(
            (none.persistence(), none.scope(), none.at()),
            (false, Ok(Scope::Page), Ok(None))
        );
        let chosen = settings(&[("persistence", "true"), ("scope", "browser"), ("at", "5-1")]);
        assert_eq!((chosen.persistence(), chosen.scope()), (true, Ok(Scope::Browser)));
        assert_eq!(chosen.at(), Ok(Some(RecordId::new(5, 1))));
        assert!(!settings(&[("persistence", "false")]).persistence());
    }

    #[test]
    fn an_empty_or_removed_attribute_is_absent() {
        let mut given = settings(&[
            ("max-logs", "5"),
            ("label", " "),
            ("gateway-url", "https://logs.test/"),
        ]);
        assert_eq!((given.max_logs(), given.label()), (Ok(5), DEFAULT_LABEL));
        assert_eq!(given.gateway_url(), "https://logs.test");
        given.set("max-logs", None);
        assert_eq!(given.max_logs(), Ok(DEFAULT_MAX_LOGS));
        assert!(!given.set("class", None));
    }
}
