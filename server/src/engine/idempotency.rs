//! [`Answered`]: what has been answered lately, so that a repeat appends nothing.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::Appended;

/// Names an append, so that it can be repeated when its answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Whose it is: keys of different publishers are different.
    pub owner: [u8; 32],
    /// The publisher's name for it.
    pub name: String,
}

/// A named append: a repeat of it has the same name and the same content.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub key: IdempotencyKey,
    /// A hash of what was published.
    pub content: [u8; 32],
}

/// What has been answered lately, by name. Only the writer has it, so a repeat that comes while the
/// first is under way waits behind it.
#[derive(Default)]
pub(super) struct Answered {
    by_key: HashMap<IdempotencyKey, ([u8; 32], Appended)>,
    /// The oldest first.
    order: VecDeque<(Instant, IdempotencyKey)>,
}

/// A name was used for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reused;

/// How long a repeat gets the first answer.
const KEPT: Duration = Duration::from_secs(600);
/// The most names kept, some 20 MiB; over it the oldest go early.
const MOST: usize = 100_000;

impl Answered {
    /// The answer that a repeat gets; `None` where this is no repeat.
    pub(super) fn find(&mut self, named: &Named, now: Instant) -> Result<Option<Appended>, Reused> {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= KEPT)
        {
            self.forget_oldest();
        }
        match self.by_key.get(&named.key) {
            None => Ok(None),
            Some((content, answer)) if *content == named.content => Ok(Some(*answer)),
            Some(_) => Err(Reused),
        }
    }

    /// Keeps an answer for repeats.
    pub(super) fn remember(&mut self, named: Named, answer: Appended, now: Instant) {
        if self.order.len() == MOST {
            self.forget_oldest();
        }
        self.order.push_back((now, named.key.clone()));
        self.by_key.insert(named.key, (named.content, answer));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use logs_shared::RecordId;

    use super::*;

    fn named(owner: u8, name: &str, content: u8) -> Named {
        Named {
            key: IdempotencyKey {
                owner: [owner; 32],
                name: name.to_owned(),
            },
            content: [content; 32],
        }
    }

    fn answer(ms: u64) -> Appended {
        let id = RecordId::new(ms, 0);
        Appended {
            first_id: id,
            last_id: id,
            subscribers: 0,
        }
    }

    fn found(answered: &mut Answered, named: &Named, now: Instant) -> Result<Option<u64>, Reused> {
        answered
            .find(named, now)
            .map(|answer| answer.map(|answer| answer.first_id.ms))
    }

    #[test]
    fn a_repeat_gets_the_first_answer_for_ten_minutes() {
        let (mut answered, start) = (Answered::default(), Instant::now());
        let one = named(1, "k", 1);
        assert_eq!(found(&mut answered, &one, start), Ok(None));
        answered.remember(one.clone(), answer(7), start);
        assert_eq!(
            found(&mut answered, &one, start + KEPT - Duration::from_millis(1)),
            Ok(Some(7))
        );
        assert_eq!(
            found(&mut answered, &named(2, "k", 1), start),
            Ok(None),
            "another publisher's"
        );
        assert_eq!(found(&mut answered, &named(1, "k", 2), start), Err(Reused));
        assert_eq!(found(&mut answered, &one, start + KEPT), Ok(None));
        assert!(answered.by_key.is_empty() && answered.order.is_empty());
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let (mut answered, start) = (Answered::default(), Instant::now());
        for n in 0..MOST + 10 {
            answered.remember(named(1, &n.to_string(), 1), answer(n as u64), start);
        }
        assert_eq!((answered.by_key.len(), answered.order.len()), (MOST, MOST));
        assert_eq!(found(&mut answered, &named(1, "9", 1), start), Ok(None));
        assert_eq!(found(&mut answered, &named(1, "10", 1), start), Ok(Some(10)));
    }
}
