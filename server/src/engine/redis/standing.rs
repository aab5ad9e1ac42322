//! [`Standing`]: what is known to be wrong with Redis, from all who ask it.

use super::trouble::Trouble;

/// What is known to be wrong with Redis.
#[derive(Default)]
pub(super) struct Standing {
    trouble: Option<Trouble>,
    /// Whether it was found by writing: that reading goes well says nothing about it then.
    of_writing: bool,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Trying {
    Reading,
    Writing,
}

impl Standing {
    pub(super) const fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// Something went wrong. Returns whether that is news.
    pub(super) fn fail(&mut self, trouble: Trouble, trying: Trying) -> bool {
        // That it is away is no answer to what was written.
        let by_writing = !matches!(trouble, Trouble::Unreachable(_) | Trouble::Busy(_));
        let of_writing = trying == Trying::Writing && by_writing;
        let before = self.trouble.replace(trouble);
        let is_news = before.map(|before| before.word()) != self.trouble.as_ref().map(Trouble::word);
        self.of_writing = of_writing || (self.of_writing && !is_news);
        is_news
    }

    /// Something went well. Returns whether that is news.
    pub(super) fn succeed(&mut self, trying: Trying) -> bool {
        let is_over = self.trouble.is_some() && (trying == Trying::Writing || !self.of_writing);
        if is_over {
            *self = Self::default();
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Trying::{Reading, Writing},
        *,
    };

    #[test]
    fn it_is_news_once_when_it_begins_and_once_when_it_ends() {
        let mut standing = Standing::default();
        let away = |why: &str| Trouble::Unreachable(why.to_owned());
        assert!(!standing.succeed(Reading) && !standing.succeed(Writing));
        assert!(standing.fail(away("a"), Reading));
        assert!(!standing.fail(away("b"), Writing));
        assert_eq!(standing.trouble(), Some(&away("b")));
        assert!(standing.fail(Trouble::ReadOnly, Reading));
        assert!(standing.succeed(Reading));
        assert!(!standing.succeed(Reading));
        assert_eq!(standing.trouble(), None);
    }

    #[test]
    fn what_was_found_by_writing_is_over_when_writing_goes_well() {
        let mut standing = Standing::default();
        standing.fail(Trouble::Full, Writing);
        assert!(!standing.succeed(Reading));
        // Somebody else finds the same.
        assert!(!standing.fail(Trouble::Full, Reading));
        assert!(!standing.succeed(Reading));
        assert_eq!(standing.trouble(), Some(&Trouble::Full));
        assert!(standing.succeed(Writing));
        // That it cannot be reached is over when anything goes well.
        standing.fail(Trouble::Unreachable(String::new()), Writing);
        assert!(standing.succeed(Reading));
    }
}
