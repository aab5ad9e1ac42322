//! [`Scan`]: finds what records say in a stream that comes in pieces, wherever these are cut.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::wire::{MARK, TOLD};

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));

/// What a record says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) sent_us: u64,
    pub(crate) number: u64,
    pub(crate) lane: usize,
}

/// What is kept between two pieces of a stream: what may be the beginning of a record's mark and numbers.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    carried: [u8; TOLD],
    length: usize,
    /// Marks that no numbers stand behind. There are none, unless a server mixes up what it sends.
    pub(crate) garbled: u64,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            carried: [0; TOLD],
            length: 0,
            garbled: 0,
        }
    }
}

impl Scan {
    /// Tells of each record whose numbers end in this piece. So many bytes behind them are not looked at, as no mark is there.
    pub(crate) fn feed(&mut self, piece: &[u8], filler: usize, mut each: impl FnMut(Told)) {
        let mut from = 0;
        if self.length > 0 {
            let Some(next) = self.feed_carried(piece, &mut each) else {
                return;
            };
            from = next;
        }
        loop {
            let rest = piece.get(from..).unwrap_or_default();
            let Some(at) = FINDER.find(rest) else {
                return self.carry(&rest[rest.len() - beginning_of_mark(rest)..]);
            };
            let Some(told) = rest.get(at..at + TOLD) else {
                return self.carry(&rest[at..]);
            };
            from += at + self.tell(told, filler, &mut each);
        }
    }

    /// Tells of the record that begins in what was carried, and says where to go on in this piece; `None` where it has all been taken.
    fn feed_carried(&mut self, piece: &[u8], each: &mut impl FnMut(Told)) -> Option<usize> {
        let before = self.length;
        let taken = piece.len().min(TOLD - before);
        self.carried[before..before + taken].copy_from_slice(&piece[..taken]);
        self.length += taken;
        let joined = self.carried;
        let joined = &joined[..self.length];
        let mark = MARK.as_bytes();
        let same = joined.len().min(mark.len());
        if joined[..same] != mark[..same] {
            // It was no mark, and none begins within what was carried: its first letter stands nowhere else in a mark.
            self.length = 0;
            return Some(0);
        }
        if joined.len() < TOLD {
            return None;
        }
        self.length = 0;
        self.tell(joined, 0, each);
        Some(taken)
    }

    /// How far to go on behind the beginning of the mark.
    fn tell(&mut self, told: &[u8], filler: usize, each: &mut impl FnMut(Told)) -> usize {
        let Some(told) = parse(told) else {
            self.garbled += 1;
            return MARK.len();
        };
        each(told);
        TOLD + filler
    }

    fn carry(&mut self, rest: &[u8]) {
        self.carried[..rest.len()].copy_from_slice(rest);
        self.length = rest.len();
    }
}

/// How many bytes at the end may be the beginning of a mark.
fn beginning_of_mark(bytes: &[u8]) -> usize {
    let mark = MARK.as_bytes();
    (1..mark.len())
        .rev()
        .find(|length| bytes.ends_with(&mark[..*length]))
        .unwrap_or(0)
}

/// Reads the numbers behind a mark.
fn parse(told: &[u8]) -> Option<Told> {
    let numbers = &told[MARK.len()..];
    let (sent_us, number, lane) = (&numbers[..16], &numbers[17..27], &numbers[28..33]);
    (numbers[16] == b' ' && numbers[27] == b' ' && numbers[33] == b' ').then_some(())?;
    Some(Told {
        sent_us: decimal(sent_us)?,
        number: decimal(number)?,
        lane: usize::try_from(decimal(lane)?).ok()?,
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{filler, message};

    const BYTES: usize = 100;

    fn told(number: u64) -> Told {
        Told {
            sent_us: 1_000_000 + number,
            number,
            lane: 7,
        }
    }

    fn stream() -> (Vec<u8>, Vec<Told>) {
        let mut bytes = b"retry: 2000\n\nbe ben bench: logs:bench:w:c0 bbench".to_vec();
        bytes.extend_from_slice(b"benben\n");
        for number in 0..4 {
            bytes.extend_from_slice(b"id: 5\ndata: {\"service\":\"bench\",\"message\":\"");
            bytes.extend_from_slice(message(1_000_000 + number, number, 7, BYTES).as_bytes());
            bytes.extend_from_slice(b"\"}\n\n");
        }
        (bytes, (0..4).map(told).collect())
    }

    fn scanned(pieces: &[&[u8]]) -> (Vec<Told>, u64) {
        let mut scan = Scan::default();
        let mut all = Vec::new();
        for piece in pieces {
            scan.feed(piece, filler(BYTES), |told| all.push(told));
        }
        (all, scan.garbled)
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_once_or_twice_tells_the_same() {
        let (bytes, expected) = stream();
        for first in 0..bytes.len() {
            let (left, right) = bytes.split_at(first);
            assert_eq!(scanned(&[left, right]).0, expected, "cut at {first}");
            for second in 0..right.len() {
                let (middle, end) = right.split_at(second);
                assert_eq!(
                    scanned(&[left, middle, end]).0,
                    expected,
                    "cut at {first} and {second} behind it"
                );
            }
        }
    }

    #[test]
    fn a_stream_that_comes_byte_by_byte_tells_the_same() {
        let (bytes, expected) = stream();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(scanned(&pieces), (expected, 0));
    }

    #[test]
    fn a_mark_that_no_numbers_follow_is_noticed() {
        let broken = b"bench 00000000000000x1 0000000001 00007 ".as_slice();
        assert_eq!(scanned(&[broken]).1, 1);
        assert_eq!(scanned(&[&broken[..9], &broken[9..]]).1, 1);
    }
}
