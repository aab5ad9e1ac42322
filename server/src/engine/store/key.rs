//! Keys: how channels and records are named, so that what belongs together lies together.

use logs_shared::{Channel, ChannelPattern, RecordId};

/// Ends a segment. No segment has it.
const END: u8 = 0;

/// The three cyclic orders of a channel's segments. Whatever segments a pattern names are the first
/// ones of some order, so the channels it chooses are neighbours there and nothing else is between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Order {
    /// Workspace, service, resource.
    Workspace,
    /// Service, resource, workspace.
    Service,
    /// Resource, workspace, service.
    Resource,
}

impl Order {
    pub(in crate::engine) const ALL: [Self; 3] = [Self::Workspace, Self::Service, Self::Resource];

    const fn tag(self) -> u8 {
        match self {
            Self::Workspace => b'w',
            Self::Service => b's',
            Self::Resource => b'r',
        }
    }

    /// The segments (service, workspace, resource) as this order has them.
    const fn arrange<T: Copy>(self, [service, workspace, resource]: [T; 3]) -> [T; 3] {
        match self {
            Self::Workspace => [workspace, service, resource],
            Self::Service => [service, resource, workspace],
            Self::Resource => [resource, workspace, service],
        }
    }

    /// Undoes [`Self::arrange`].
    const fn restore<T: Copy>(self, [first, second, third]: [T; 3]) -> [T; 3] {
        match self {
            Self::Workspace => [second, first, third],
            Self::Service => [first, third, second],
            Self::Resource => [third, second, first],
        }
    }

    /// Where a channel stands in this order. No resource is an empty segment.
    pub(in crate::engine) fn key(self, channel: &Channel) -> Vec<u8> {
        let resource = channel.resource_id().unwrap_or_default();
        let segments = self.arrange([channel.service(), channel.workspace_id(), resource]);
        let mut key = Vec::with_capacity(channel.as_str().len() + 4);
        key.push(self.tag());
        for segment in segments {
            push(&mut key, segment);
        }
        key
    }

    /// The channel that stands there.
    pub(in crate::engine) fn channel(self, key: &[u8]) -> Option<Channel> {
        let text = std::str::from_utf8(key.strip_prefix(&[self.tag()])?).ok()?;
        let mut segments = text.split('\0');
        let arranged = [segments.next()?, segments.next()?, segments.next()?];
        let [service, workspace, resource] = self.restore(arranged);
        Channel::new(service, workspace, (!resource.is_empty()).then_some(resource)).ok()
    }
}

/// Where to look for the channels that a pattern chooses: in this order, under this prefix.
pub(in crate::engine) fn place_of(pattern: &ChannelPattern) -> (Order, Vec<u8>) {
    let segments = pattern.segments();
    let named = |order: Order| order.arrange(segments).iter().take_while(|s| s.is_some()).count();
    let order = Order::ALL
        .into_iter()
        .max_by_key(|order| named(*order))
        .unwrap_or(Order::Workspace);
    let mut prefix = vec![order.tag()];
    for segment in order.arrange(segments).into_iter().map_while(|segment| segment) {
        push(&mut prefix, segment);
    }
    (order, prefix)
}

fn push(key: &mut Vec<u8>, segment: &str) {
    key.extend_from_slice(segment.as_bytes());
    key.push(END);
}

/// The first key after all that begin with this prefix, whose last byte is never the largest.
pub(in crate::engine) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// A block's name: its channel's number and its last record's id, so that a channel's blocks lie together in
/// the order of ids and the first block behind a cursor is the one to read; then how many records it has and the bytes they
/// take, so that retention need not read it. All numbers are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct BlockKey([u8; 28]);

/// Where blocks of this channel begin that end with this id or later.
pub(super) fn place_in(number: u32, id: RecordId) -> [u8; 20] {
    let mut place = [0; 20];
    place[..4].copy_from_slice(&number.to_be_bytes());
    place[4..12].copy_from_slice(&id.ms.to_be_bytes());
    place[12..].copy_from_slice(&id.seq.to_be_bytes());
    place
}

impl BlockKey {
    pub(super) fn new(number: u32, last_id: RecordId, records: u32, bytes: u32) -> Self {
        let mut key = [0; 28];
        key[..20].copy_from_slice(&place_in(number, last_id));
        key[20..24].copy_from_slice(&records.to_be_bytes());
        key[24..].copy_from_slice(&bytes.to_be_bytes());
        Self(key)
    }

    pub(super) fn read(key: &[u8]) -> Option<Self> {
        key.try_into().ok().map(Self)
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(in crate::engine) fn last_id(&self) -> RecordId {
        let number = |at: usize| {
            let digits = self.0[at..at + 8].iter();
            digits.fold(0, |number, digit| number << 8 | u64::from(*digit))
        };
        RecordId::new(number(4), number(12))
    }

    pub(in crate::engine) fn records(&self) -> u64 {
        self.short(20)
    }

    pub(in crate::engine) fn bytes(&self) -> u64 {
        self.short(24)
    }

    fn short(&self, at: usize) -> u64 {
        let digits = self.0[at..at + 4].iter();
        digits.fold(0, |number, digit| number << 8 | u64::from(*digit))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn channel() -> impl Strategy<Value = Channel> {
        ("[ab]{1,2}", "[ab]{1,2}", prop::option::of("[ab]{1,2}"))
            .prop_map(|(s, w, r)| Channel::new(&s, &w, r.as_deref()).unwrap())
    }

    fn pattern() -> impl Strategy<Value = ChannelPattern> {
        let segment = || prop_oneof![Just("*".to_owned()), "[ab]{1,2}"];
        (segment(), segment(), prop::option::of(segment()))
            .prop_map(|(s, w, r)| ChannelPattern::new(&s, &w, r.as_deref()).unwrap())
    }

    proptest! {
        #[test]
        fn every_channel_is_found_again(channel in channel()) {
            for order in Order::ALL {
                prop_assert_eq!(order.channel(&order.key(&channel)), Some(channel.clone()));
            }
        }

        /// No channel outside the place is chosen, none inside it is not: the cost of a pattern does
        /// not grow with the channels that it does not choose.
        #[test]
        fn a_patterns_place_has_exactly_what_it_chooses(pattern in pattern(), channel in channel()) {
            let (order, prefix) = place_of(&pattern);
            let key = order.key(&channel);
            let inside = key.starts_with(&prefix);
            prop_assert_eq!(inside, prefix <= key && key < after_prefix(&prefix));
            prop_assert_eq!(inside, pattern.matches(&channel), "{} {}", pattern, channel);
        }

        #[test]
        fn blocks_are_ordered_by_channel_and_id(a: (u32, u64, u64), b: (u32, u64, u64), records: u32, bytes: u32) {
            let key = |(number, ms, seq)| BlockKey::new(number, RecordId::new(ms, seq), records, bytes);
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(key(a).last_id(), RecordId::new(a.1, a.2));
            prop_assert_eq!((key(a).records(), key(a).bytes()), (u64::from(records), u64::from(bytes)));
            // The place before a block is not behind it, the place of the next id is.
            let id = RecordId::new(a.1, a.2);
            prop_assert!(&place_in(a.0, id)[..] <= key(a).as_bytes());
            prop_assert!(id.next() == id || key(a).as_bytes() < &place_in(a.0, id.next())[..]);
        }
    }
}
