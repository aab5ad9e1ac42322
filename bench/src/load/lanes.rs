//! [`Lanes`]: which publisher writes to which channel, so that every record's order is known.

/// What one publisher writes to one channel is a lane: only there is it known which record comes first.
///
/// There are as many as channels or publishers, whichever are more: either every channel is one publisher's, or every publisher
/// has one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lanes {
    pub(crate) first_channel: usize,
    pub(crate) channels: usize,
    pub(crate) publishers: usize,
}

impl Lanes {
    pub(crate) fn count(self) -> usize {
        self.channels.max(self.publishers)
    }

    /// The channel that a lane's records go to.
    pub(crate) fn channel(self, lane: usize) -> usize {
        self.first_channel + lane % self.channels
    }

    /// Those of a publisher.
    pub(crate) fn of_publisher(self, publisher: usize) -> impl Iterator<Item = usize> {
        (publisher..self.count()).step_by(self.publishers)
    }

    /// Those that a reader of this channel follows.
    pub(crate) fn of_channel(self, channel: usize) -> impl Iterator<Item = usize> {
        (0..self.count()).filter(move |lane| self.channel(*lane) == channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_has_one_publisher_and_one_channel() {
        for (channels, publishers) in [(1, 1), (1, 16), (100, 4), (100, 7), (3, 64), (5, 5)] {
            let lanes = Lanes {
                first_channel: 10,
                channels,
                publishers,
            };
            let mut of_publishers: Vec<usize> =
                (0..publishers).flat_map(|one| lanes.of_publisher(one)).collect();
            of_publishers.sort_unstable();
            assert_eq!(of_publishers, (0..lanes.count()).collect::<Vec<_>>(), "{lanes:?}");
            let mut of_channels: Vec<usize> = (10..10 + channels)
                .flat_map(|one| lanes.of_channel(one))
                .collect();
            of_channels.sort_unstable();
            assert_eq!(of_channels, (0..lanes.count()).collect::<Vec<_>>(), "{lanes:?}");
        }
    }
}
