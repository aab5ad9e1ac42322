//! [`StreamChange`]: a change of what an open stream follows, and [`StreamChanged`]: the answer.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ChannelPattern, Interest, RecordId,
    api::{MAX_CHANGES, MAX_CHANNELS_PER_STREAM},
    interest::{CHANNEL, InterestError},
    json::{self, Object},
    problem::{code, legible},
    query::shown,
};

/// A change of what an open stream follows: the body of `PATCH /api/logs/streams/{stream_id}`.
///
/// Both ends use it: a reader writes it with [`StreamChange::to_json`], the gateway reads it with
/// [`StreamChange::parse`] and applies it. What is removed is removed before anything is added, so that
/// an entry can be replaced by a narrower one in one change, and also where the set is full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamChange {
    /// What the stream is to follow.
    pub add: Vec<Entry>,
    /// What it is no longer to follow. An entry that wants everything in its channels removes every entry
    /// with that pattern, one with a level or conditions exactly the one that it is.
    pub remove: Vec<Entry>,
}

/// An entry of a change, or why it is none. Each is read by itself: one that is broken spoils no other.
pub type Entry = Result<Interest, UnreadableEntry>;

/// An entry of a change that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableEntry {
    /// The channel it names, or its JSON where it names none; cut where it is long.
    pub text: String,
    /// What is wrong with it.
    pub error: InterestError,
}

/// Why a whole change is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Not UTF-8 or not JSON.
    #[error("the body is not JSON: {0}")]
    BrokenJson(String),
    /// JSON, but no change.
    #[error("the body is not an object such as {{\"add\":[…],\"remove\":[…]}}: {0}")]
    NotAChange(String),
    /// It has more entries than one change may have.
    #[error(
        "a change may have {MAX_CHANGES} entries, not {0}; a stream may follow {MAX_CHANNELS_PER_STREAM}"
    )]
    TooManyEntries(usize),
}

impl ChangeError {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BrokenJson(_) => code::BROKEN_JSON,
            Self::NotAChange(_) => code::INVALID_BODY,
            Self::TooManyEntries(_) => code::TOO_MANY_CHANNELS,
        }
    }
}

impl StreamChange {
    /// Reads a body. A part that is absent is empty; one that is not known is an error, as passing over it would look like
    /// success.
    ///
    /// # Errors
    /// [`ChangeError`] where nothing can be told of single entries; otherwise the errors are in them.
    pub fn parse(body: &[u8]) -> Result<Self, ChangeError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body<'a> {
            #[serde(borrow, default)]
            add: Vec<&'a RawValue>,
            #[serde(borrow, default)]
            remove: Vec<&'a RawValue>,
        }
        let whole: &RawValue =
            serde_json::from_slice(body).map_err(|error| ChangeError::BrokenJson(error.to_string()))?;
        // serde would take an array's items for the object's parts.
        if !whole.get().starts_with('{') {
            return Err(ChangeError::NotAChange(shown(whole.get())));
        }
        let Body { add, remove } = serde_json::from_str(whole.get())
            .map_err(|error| ChangeError::NotAChange(json::reason(&error)))?;
        let entries = add.len() + remove.len();
        if entries > MAX_CHANGES {
            return Err(ChangeError::TooManyEntries(entries));
        }
        let read = |raws: Vec<&RawValue>| raws.into_iter().map(read_entry).collect();
        Ok(Self {
            add: read(add),
            remove: read(remove),
        })
    }

    /// The change as a body has it. An entry that could not be read stays one that cannot, and names the same.
    #[must_use]
    pub fn to_json(&self) -> String {
        let entry = |entry: &Entry| match entry {
            Ok(interest) => serde_json::json!(interest),
            // Its text alone may be a channel, which would follow everything that a broken level was to keep out.
            Err(UnreadableEntry { text, error }) => {
                serde_json::json!({ CHANNEL: text, "unreadable": error.to_string() })
            }
        };
        let entries = |entries: &[Entry]| entries.iter().map(entry).collect::<Vec<_>>();
        serde_json::json!({ "add": entries(&self.add), "remove": entries(&self.remove) }).to_string()
    }

    /// Changes a stream's set, which has no entry twice and at most 128. Adds only what may be read.
    /// Returns what became of each entry: first of those to add, then of those to remove, in their order.
    pub fn apply(
        &self,
        set: &mut Vec<Interest>,
        may_read: impl Fn(&ChannelPattern) -> bool,
    ) -> Vec<EntryResult> {
        let removed: Vec<_> = self
            .remove
            .iter()
            .map(|entry| EntryResult::of(entry, |interest| remove(set, interest)))
            .collect();
        let added = self
            .add
            .iter()
            .map(|entry| EntryResult::of(entry, |interest| add(set, interest, &may_read)));
        added.chain(removed).collect()
    }
}

fn read_entry(raw: &RawValue) -> Entry {
    Interest::read(raw).map_err(|error| UnreadableEntry {
        text: shown(&named(raw).unwrap_or_else(|| raw.get().to_owned())),
        error,
    })
}

/// The channel that an entry names, whatever it is.
fn named(raw: &RawValue) -> Option<String> {
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    text(raw).or_else(|| {
        let Object(parts) = serde_json::from_str(raw.get()).ok()?;
        let (_, channel) = parts.into_iter().rfind(|(name, _)| name == CHANNEL)?;
        text(channel)
    })
}

/// What became of an entry, with code and reason where it was refused.
type Outcome = (EntryStatus, Option<(&'static str, String)>);

fn remove(set: &mut Vec<Interest>, gone: &Interest) -> Outcome {
    let before = set.len();
    if gone.is_everything() {
        set.retain(|interest| interest.pattern != gone.pattern);
    } else {
        set.retain(|interest| interest != gone);
    }
    if set.len() == before {
        (EntryStatus::Unchanged, None)
    } else {
        (EntryStatus::Removed, None)
    }
}

fn add(set: &mut Vec<Interest>, new: &Interest, may_read: impl Fn(&ChannelPattern) -> bool) -> Outcome {
    let refused = |code, detail| (EntryStatus::Denied, Some((code, detail)));
    if !may_read(&new.pattern) {
        return refused(
            code::FORBIDDEN_CHANNEL,
            format!("{} may not be read by this caller", new.pattern),
        );
    }
    if set.contains(new) {
        return (EntryStatus::Unchanged, None);
    }
    if set.len() >= MAX_CHANNELS_PER_STREAM {
        return refused(
            code::TOO_MANY_CHANNELS,
            format!(
                "the stream follows {} channels and patterns, as many as one may",
                set.len()
            ),
        );
    }
    set.push(new.clone());
    (EntryStatus::Added, None)
}

/// The answer to a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamChanged {
    /// Always true.
    pub success: bool,
    /// The stream.
    pub stream_id: String,
    /// What it follows now, each pattern once.
    pub channels: Vec<ChannelPattern>,
    /// Every record of an added channel with a larger id is sent; older ones come from history.
    pub from_id: RecordId,
    /// What became of each entry: first of those to add, then of those to remove, in their order.
    pub results: Vec<EntryResult>,
}

/// What became of one entry of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryResult {
    /// The channel or pattern it names, or its beginning where it names none.
    pub channel: String,
    /// What became of it.
    pub status: EntryStatus,
    /// Why it was refused, as one of [`code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same as a sentence that names the offending value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What became of one entry of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// It is in the set now.
    Added,
    /// It was in the set.
    Removed,
    /// It was in the set already, or was not there to be removed.
    Unchanged,
    /// It may not be in the set.
    Denied,
    /// It cannot be read.
    Invalid,
    /// A status this version does not know.
    #[serde(other)]
    Other,
}

impl EntryResult {
    fn of(entry: &Entry, change: impl FnOnce(&Interest) -> Outcome) -> Self {
        let (channel, (status, refusal)) = match entry {
            Ok(interest) => (interest.pattern.to_string(), change(interest)),
            Err(UnreadableEntry { text, error }) => {
                let refusal = (error.code(), error.to_string());
                (text.clone(), (EntryStatus::Invalid, Some(refusal)))
            }
        };
        let (code, detail) = refusal.unzip();
        Self {
            channel,
            status,
            code: code.map(str::to_owned),
            detail: detail.map(|detail| legible(&detail)),
        }
    }
}

#[cfg(test)]
mod tests;
