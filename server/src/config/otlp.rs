//! Where OpenTelemetry's records belong, as the settings say.

use logs_shared::{Channel, otlp::AttributeNames};

use super::{Reading, Settings, given};

/// Which attributes name a record's channel.
pub(super) fn attribute_names(reading: &mut Reading, settings: &Settings) -> AttributeNames {
    let default = AttributeNames::default();
    let mut list = |name: &str, text: &Option<String>, default| {
        reading.value(name, text.as_deref(), default, |text| {
            let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
            match names.iter().any(String::is_empty) {
                true => Err(format!("{text:?} has an empty name")),
                false => Ok(names),
            }
        })
    };
    let service = list("OTLP_SERVICE", &settings.otlp_service, default.service);
    let workspace = list("OTLP_WORKSPACE", &settings.otlp_workspace, default.workspace);
    let resource = list("OTLP_RESOURCE", &settings.otlp_resource, default.resource);
    let default_workspace = given(&settings.otlp_default_workspace).map(str::to_owned);
    if let Some(name) = &default_workspace
        && let Err(error) = Channel::new("service", name, None)
    {
        reading.errors.push(format!("OTLP_DEFAULT_WORKSPACE: {error}"));
    }
    AttributeNames {
        service,
        workspace,
        resource,
        default_workspace,
    }
}
