//! [`Queue`]: the records that wait, bounded.

use std::collections::VecDeque;

use crate::Level;

/// A record that waits, as the line that is sent.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Counts calls: order among levels.
    pub(crate) number: u64,
    pub(crate) level: Level,
    pub(crate) line: Vec<u8>,
    /// Of the channel's JSON within the line.
    pub(crate) channel_len: usize,
}

/// The records that wait, a queue for each level: so what is dropped is found at once, however many wait.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    levels: [VecDeque<Waiting>; Level::ALL.len()],
    level_bytes: [usize; Level::ALL.len()],
    records: usize,
    bytes: usize,
}

/// What may be in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Queue {
    pub(crate) const fn records(&self) -> usize {
        self.records
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether this record fits where there is so much room; whether those of its level and of lower ones are enough to
    /// make room otherwise.
    pub(crate) fn can_have(&self, level: Level, bytes: usize, room: Room) -> bool {
        let lower = ..=level.index();
        let (mut records_after, mut bytes_after) = (self.records, self.bytes);
        if records_after < room.records && bytes_after + bytes <= room.bytes {
            return true;
        }
        records_after -= self.levels[lower].iter().map(VecDeque::len).sum::<usize>();
        bytes_after -= self.level_bytes[lower].iter().sum::<usize>();
        records_after < room.records && bytes_after + bytes <= room.bytes
    }

    /// Takes the next one out that makes room: the oldest of the lowest level, where what comes does not fit.
    pub(crate) fn make_room(&mut self, bytes: usize, room: Room) -> Option<Waiting> {
        if self.records < room.records && self.bytes + bytes <= room.bytes {
            return None;
        }
        let lowest = self.levels.iter().position(|waiting| !waiting.is_empty())?;
        self.pop(lowest)
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        self.records += 1;
        self.bytes += waiting.line.len();
        let level = waiting.level.index();
        self.level_bytes[level] += waiting.line.len();
        self.levels[level].push_back(waiting);
    }

    /// The number of the oldest.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let fronts = self.levels.iter().filter_map(|waiting| waiting.front());
        fronts.map(|waiting| waiting.number).min()
    }

    /// The oldest ones, in the order of their calls: at most so many, and so many bytes unless one alone is larger.
    pub(crate) fn take(&mut self, records: usize, bytes: usize) -> Vec<Waiting> {
        let mut taken = Vec::with_capacity(records.min(self.records));
        let mut taken_bytes = 0;
        while taken.len() < records {
            let fronts = self.levels.iter().enumerate();
            let oldest = fronts
                .filter_map(|(level, waiting)| Some((waiting.front()?, level)))
                .min_by_key(|(waiting, _)| waiting.number);
            let Some((waiting, level)) = oldest else { break };
            taken_bytes += waiting.line.len();
            if taken_bytes > bytes && !taken.is_empty() {
                break;
            }
            taken.extend(self.pop(level));
        }
        taken
    }

    fn pop(&mut self, level: usize) -> Option<Waiting> {
        let waiting = self.levels[level].pop_front()?;
        self.records -= 1;
        self.bytes -= waiting.line.len();
        self.level_bytes[level] -= waiting.line.len();
        Some(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(number: u64, level: Level, bytes: usize) -> Waiting {
        Waiting {
            number,
            level,
            line: vec![b'x'; bytes],
            channel_len: 0,
        }
    }

    fn numbers(taken: &[Waiting]) -> Vec<u64> {
        taken.iter().map(|waiting| waiting.number).collect()
    }

    /// As a call does it: the numbers of those that made room, or none where there can be none.
    fn add(queue: &mut Queue, new: Waiting, room: Room) -> Option<Vec<u64>> {
        let bytes = new.line.len();
        if !queue.can_have(new.level, bytes, room) {
            return None;
        }
        let mut gone = Vec::new();
        while let Some(dropped) = queue.make_room(bytes, room) {
            gone.push(dropped.number);
        }
        queue.push(new);
        Some(gone)
    }

    #[test]
    fn records_come_out_in_the_order_they_came_in_whatever_their_level() {
        let mut queue = Queue::default();
        for (number, level) in (0..).zip([Level::Error, Level::Info, Level::Fatal, Level::Info, Level::Trace])
        {
            queue.push(waiting(number, level, 10));
        }
        assert_eq!(numbers(&queue.take(2, 1000)), [0, 1]);
        assert_eq!(queue.oldest(), Some(2));
        assert_eq!(numbers(&queue.take(9, 20)), [2, 3]);
        assert_eq!(numbers(&queue.take(9, 1)), [4]);
        assert_eq!((queue.records(), queue.bytes(), queue.oldest()), (0, 0, None));
    }

    #[test]
    fn the_oldest_of_the_lowest_level_makes_room() {
        let room = Room {
            records: 3,
            bytes: 1000,
        };
        let mut queue = Queue::default();
        for (number, level) in (0..).zip([Level::Info, Level::Debug, Level::Debug]) {
            assert_eq!(add(&mut queue, waiting(number, level, 10), room), Some(vec![]));
        }
        assert_eq!(add(&mut queue, waiting(3, Level::Debug, 10), room), Some(vec![1]));
        assert_eq!(add(&mut queue, waiting(4, Level::Error, 10), room), Some(vec![2]));
        assert_eq!(add(&mut queue, waiting(5, Level::Trace, 10), room), None);
        assert_eq!(numbers(&queue.take(9, 1000)), [0, 3, 4]);
    }

    #[test]
    fn a_large_one_takes_the_place_of_several_or_of_none() {
        let room = Room {
            records: 10,
            bytes: 100,
        };
        let mut queue = Queue::default();
        for (number, level) in (0..).zip([Level::Info, Level::Info, Level::Error]) {
            add(&mut queue, waiting(number, level, 30), room);
        }
        assert_eq!(add(&mut queue, waiting(3, Level::Info, 80), room), None);
        assert_eq!(queue.records(), 3);
        assert_eq!(
            add(&mut queue, waiting(4, Level::Info, 60), room),
            Some(vec![0, 1])
        );
        assert_eq!((queue.records(), queue.bytes()), (2, 90));
    }
}
