//! [`Answered`]: what has been answered lately, so that a repeat appends nothing.

use std::collections::{HashMap, VecDeque};

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

/// An answer that a repeat gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    /// A hash of what was published.
    pub(super) content: [u8; 32],
    /// When: milliseconds since 1970, by the log's own time, which never steps back.
    pub(super) at_ms: u64,
    pub(super) appended: Appended,
}

/// What has been answered lately, by name. Only the writer has it, so a repeat that comes while the
/// first is under way waits behind it. The store has it too, in the same batch as the records: what was
/// appended before a crash is not appended again after it.
#[derive(Default)]
pub(super) struct Answered {
    by_key: HashMap<IdempotencyKey, Remembered>,
    /// The oldest first.
    order: VecDeque<(u64, IdempotencyKey)>,
}

/// A name was used for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reused;

/// How long a repeat gets the first answer, in milliseconds.
const KEPT_MS: u64 = 600_000;
/// The most names kept, some 20 MiB; over it the oldest go early.
const MOST: usize = 100_000;

impl Answered {
    /// What the store has.
    pub(super) fn restore(mut answers: Vec<(IdempotencyKey, Remembered)>) -> Self {
        answers.sort_by_key(|(_, remembered)| remembered.at_ms);
        Self {
            order: answers
                .iter()
                .map(|(key, remembered)| (remembered.at_ms, key.clone()))
                .collect(),
            by_key: answers.into_iter().collect(),
        }
    }

    /// The answer that a repeat gets; `None` where this is no repeat.
    pub(super) fn find(&self, named: &Named, now_ms: u64) -> Result<Option<Appended>, Reused> {
        match self.by_key.get(&named.key) {
            Some(remembered) if now_ms.saturating_sub(remembered.at_ms) >= KEPT_MS => Ok(None),
            None => Ok(None),
            Some(remembered) if remembered.content == named.content => Ok(Some(remembered.appended)),
            Some(_) => Err(Reused),
        }
    }

    /// Keeps an answer for repeats.
    pub(super) fn remember(&mut self, named: Named, appended: Appended, now_ms: u64) -> Remembered {
        let remembered = Remembered {
            content: named.content,
            at_ms: now_ms,
            appended,
        };
        self.order.push_back((now_ms, named.key.clone()));
        self.by_key.insert(named.key, remembered);
        remembered
    }

    /// Takes an answer back that was not given: nothing was appended after all.
    pub(super) fn take_back(&mut self, key: &IdempotencyKey) {
        self.by_key.remove(key);
    }

    /// Lets go of what is old or too much, and gives the names to `each`.
    pub(super) fn forget(&mut self, now_ms: u64, mut each: impl FnMut(&IdempotencyKey)) {
        while let Some((at_ms, key)) = self.order.front() {
            if self.order.len() <= MOST && now_ms.saturating_sub(*at_ms) < KEPT_MS {
                return;
            }
            // A name that was used again has a younger answer.
            if self
                .by_key
                .get(key)
                .is_some_and(|remembered| remembered.at_ms == *at_ms)
            {
                each(key);
                self.by_key.remove(key);
            }
            self.order.pop_front();
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
            is_repeat: false,
        }
    }

    fn found(answered: &Answered, named: &Named, now_ms: u64) -> Result<Option<u64>, Reused> {
        answered
            .find(named, now_ms)
            .map(|answer| answer.map(|answer| answer.first_id.ms))
    }

    #[test]
    fn a_repeat_gets_the_first_answer_for_ten_minutes() {
        let (mut answered, start) = (Answered::default(), 5_000);
        let one = named(1, "k", 1);
        assert_eq!(found(&answered, &one, start), Ok(None));
        let remembered = answered.remember(one.clone(), answer(7), start);
        let restored = Answered::restore(vec![(one.key.clone(), remembered)]);
        for answered in [&answered, &restored] {
            assert_eq!(found(answered, &one, start + KEPT_MS - 1), Ok(Some(7)));
            let another_publishers = named(2, "k", 1);
            assert_eq!(found(answered, &another_publishers, start), Ok(None));
            assert_eq!(found(answered, &named(1, "k", 2), start), Err(Reused));
            assert_eq!(found(answered, &one, start + KEPT_MS), Ok(None));
        }
        answered.forget(start + KEPT_MS - 1, |_| panic!("too early"));
        let mut forgotten = Vec::new();
        answered.forget(start + KEPT_MS, |key| forgotten.push(key.clone()));
        assert_eq!(forgotten, [one.key]);
        assert!(answered.by_key.is_empty() && answered.order.is_empty());
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let mut answered = Answered::default();
        for n in 0..MOST + 10 {
            answered.remember(named(1, &n.to_string(), 1), answer(n as u64), 0);
        }
        answered.forget(0, |_| {});
        assert_eq!((answered.by_key.len(), answered.order.len()), (MOST, MOST));
        assert_eq!(found(&answered, &named(1, "9", 1), 0), Ok(None));
        assert_eq!(found(&answered, &named(1, "10", 1), 0), Ok(Some(10)));
    }

    #[test]
    fn an_answer_that_was_taken_back_is_none() {
        let mut answered = Answered::default();
        answered.remember(named(1, "k", 1), answer(1), 0);
        answered.take_back(&named(1, "k", 1).key);
        assert_eq!(found(&answered, &named(1, "k", 2), 0), Ok(None));
        answered.remember(named(1, "k", 2), answer(2), 9);
        answered.forget(KEPT_MS, |key| panic!("{key:?} has a younger answer"));
        assert_eq!(found(&answered, &named(1, "k", 2), KEPT_MS), Ok(Some(2)));
    }
}
