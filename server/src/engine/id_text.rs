//! [`IdText`]: ids as text, one after the other.

use logs_shared::RecordId;

/// Ids as text, one after the other: of those of one millisecond only the end is written again.
#[derive(Default)]
pub(super) struct IdText {
    ms: u64,
    /// What all ids of that millisecond begin with; nothing before the first.
    begin: usize,
    text: Vec<u8>,
}

impl IdText {
    /// This id as text.
    pub(super) fn of(&mut self, id: RecordId) -> &[u8] {
        if self.begin == 0 || self.ms != id.ms {
            self.text.clear();
            push_digits(id.ms, &mut self.text);
            self.text.push(b'-');
            (self.ms, self.begin) = (id.ms, self.text.len());
        }
        self.text.truncate(self.begin);
        push_digits(id.seq, &mut self.text);
        &self.text
    }
}

fn push_digits(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break out.extend_from_slice(&digits[first..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_anywhere_whatever_was_written_before() {
        let mut text = IdText::default();
        for (ms, seq) in [
            (0, 0),
            (0, 1),
            (1_758_796_200_000, 0),
            (1_758_796_200_000, 10),
            (1_758_796_200_000, 9),
            (u64::MAX, u64::MAX),
            (7, 0),
        ] {
            let id = RecordId::new(ms, seq);
            assert_eq!(text.of(id), id.to_string().as_bytes());
        }
    }
}
