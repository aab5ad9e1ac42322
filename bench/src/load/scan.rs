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
    let (numbers, _) = told[MARK.len()..].split_first_chunk::<35>()?;
    (numbers[16] == b' ' && numbers[25] == b' ' && numbers[34] == b' ').then_some(())?;
    let eight = |from: usize| decimal(*numbers[from..].first_chunk()?);
    Some(Told {
        sent_us: eight(0)? * 100_000_000 + eight(8)?,
        number: eight(17)?,
        lane: usize::try_from(eight(26)?).ok()?,
    })
}

/// The number that eight digits are. They are looked at together, because with one at a time it was a quarter of what the load
/// generator did: first pairs of them become numbers, each in its own bytes, then pairs of these, and so on.
fn decimal(digits: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    let digits = u64::from_le_bytes(digits) ^ ZEROS;
    // Above 9 a byte has its highest bit, or would have with this added.
    let too_large =
        (digits | digits.wrapping_add(u64::from_le_bytes([0x76; 8]))) & u64::from_le_bytes([0x80; 8]);
    (too_large == 0).then_some(())?;
    let twos = (digits.wrapping_mul(10 * (1 << 8) + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100 * (1 << 16) + 1) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 * (1 << 32) + 1) >> 32)
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
    fn eight_digits_are_a_number_and_nothing_else_is() {
        for number in [
            0, 1, 9, 10, 99_999_999, 12_345_678, 87_654_321, 10_000_000, 1_000_000,
        ] {
            let digits = format!("{number:08}");
            assert_eq!(decimal(*digits.as_bytes().first_chunk().unwrap()), Some(number));
            for at in 0..8 {
                for other in [b'/', b':', b' ', b'a', 0, 0xff, b'0' | 0x80, b'0' ^ 0x10] {
                    let mut broken = *digits.as_bytes().first_chunk().unwrap();
                    broken[at] = other;
                    assert_eq!(decimal(broken), None, "{other} at {at} of {digits}");
                }
            }
        }
    }

    #[test]
    fn a_mark_that_no_numbers_follow_is_noticed() {
        let broken = b"bench 00000000000000x1 00000001 00000007 ".as_slice();
        assert_eq!(scanned(&[broken]).1, 1);
        assert_eq!(scanned(&[&broken[..9], &broken[9..]]).1, 1);
    }
}
