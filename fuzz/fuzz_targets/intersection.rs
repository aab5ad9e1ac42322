//! What a reader may see of what it asks for: the intersection of two patterns chooses what both choose, and nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::{Channel, ChannelPattern};

fuzz_target!(|text: &str| {
    let mut words = text.split_ascii_whitespace();
    let mut pattern = || words.next()?.parse::<ChannelPattern>().ok();
    let (Some(granted), Some(asked)) = (pattern(), pattern()) else {
        return;
    };
    let both = granted.intersection(&asked);
    assert_eq!(asked.intersection(&granted), both, "{granted} and {asked}");
    if let Some(both) = &both {
        assert_eq!(both.as_str().parse().as_ref(), Ok(both), "{granted} and {asked}");
        assert_eq!(both.intersection(&granted).as_ref(), Some(both));
        assert_eq!(both.intersection(&asked).as_ref(), Some(both));
    }
    let named = words.filter_map(|word| word.parse::<Channel>().ok());
    let near = [&granted, &asked].into_iter().flat_map(channels_of);
    for channel in named.chain(near) {
        let is_of_both = granted.matches(&channel) && asked.matches(&channel);
        let is_chosen = both.as_ref().is_some_and(|both| both.matches(&channel));
        assert_eq!(is_chosen, is_of_both, "{channel} of {granted} and {asked}");
    }
});

/// Channels that the pattern chooses: with some name, and with none, wherever it has `*`.
fn channels_of(pattern: &ChannelPattern) -> Vec<Channel> {
    let [service, workspace, resource] = pattern.segments();
    let (service, workspace) = (service.unwrap_or("s"), workspace.unwrap_or("w"));
    let resources = match resource {
        None => vec![None, Some("r")],
        Some("") => vec![None],
        some => vec![some],
    };
    let channels = resources
        .into_iter()
        .map(|resource| Channel::new(service, workspace, resource).unwrap());
    channels.collect()
}
