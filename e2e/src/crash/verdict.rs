//! [`Verdict`]: what a reader got, held against what was acknowledged.

use std::collections::BTreeMap;

use logs_shared::RecordId;

use super::{
    ledger::Acknowledged,
    numbered::{Numbered, Sequence},
    reading::Reading,
};

/// What a reader got, held against what was acknowledged. Of a gateway that keeps its promises only
/// [`Self::read`] is not 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Names the reader.
    pub reader: String,
    /// Records it was sent.
    pub read: u64,
    /// Acknowledged records that it was not sent.
    pub lost: u64,
    /// Records that it was sent again, under the same id or another.
    pub duplicated: u64,
    /// Records that came after a later one of the same publisher and channel, or after the reader's cursor had
    /// passed their id.
    pub out_of_order: u64,
    /// Records that nobody published as they came.
    pub foreign: u64,
    /// Records whose id is not the one that was acknowledged, or is not between those of its publication.
    pub misplaced: u64,
    /// Events that said that records are missing.
    pub gaps: u64,
    /// The first of each kind, in words.
    pub examples: Vec<String>,
}

/// What a reader got of one sequence: the id of each record that was acknowledged, by its number.
type Ids = Vec<Option<RecordId>>;

impl Verdict {
    /// Holds a reading against all that was acknowledged, whatever the order of `acknowledged`.
    pub(crate) fn of(reading: &Reading, acknowledged: &[Acknowledged]) -> Self {
        let mut verdict = Self {
            reader: reading.name.clone(),
            read: reading.seen.len() as u64 + reading.foreign,
            foreign: reading.foreign,
            gaps: reading.gaps,
            examples: reading.first_oddity.iter().cloned().collect(),
            ..Self::default()
        };
        let covers = |record: &Numbered| reading.covers(record.sequence.channel);
        let mut ids: BTreeMap<Sequence, Ids> = BTreeMap::new();
        for record in acknowledged.iter().flat_map(|publication| &publication.records) {
            if covers(record) {
                let ids = ids.entry(record.sequence).or_default();
                ids.resize(ids.len().max(record.number as usize + 1), None);
            }
        }
        verdict.count_seen(reading, &mut ids);
        for publication in acknowledged {
            verdict.count_publication(publication, &ids, covers);
        }
        verdict
    }

    /// Whether the reader got every record once and in order.
    #[must_use]
    pub fn is_faultless(&self) -> bool {
        self.lost + self.duplicated + self.out_of_order + self.others() == 0
    }

    /// What is wrong besides losses, duplicates and order.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.foreign + self.misplaced + self.gaps
    }

    fn count_seen(&mut self, reading: &Reading, ids: &mut BTreeMap<Sequence, Ids>) {
        let mut highest: BTreeMap<Sequence, u32> = BTreeMap::new();
        for seen in &reading.seen {
            let Numbered { sequence, number } = seen.record;
            let slot = ids
                .get_mut(&sequence)
                .and_then(|ids| ids.get_mut(number as usize));
            let highest = highest.entry(sequence).or_insert(number);
            match slot {
                None => {
                    let example = || format!("{} came and was never acknowledged", seen.record);
                    count(&mut self.foreign, &mut self.examples, example);
                }
                Some(Some(first)) => {
                    let example = || format!("{} came as {first} and again as {}", seen.record, seen.id);
                    count(&mut self.duplicated, &mut self.examples, example);
                }
                Some(slot) => {
                    *slot = Some(seen.id);
                    if number < *highest || !seen.after_cursor {
                        let example = || format!("{} came late, as {}", seen.record, seen.id);
                        count(&mut self.out_of_order, &mut self.examples, example);
                    }
                }
            }
            *highest = number.max(*highest);
        }
    }

    fn count_publication(
        &mut self,
        publication: &Acknowledged,
        ids: &BTreeMap<Sequence, Ids>,
        covers: impl Fn(&Numbered) -> bool,
    ) {
        let (first, last) = publication.ids;
        let mut lowest = first;
        for (place, record) in publication.records.iter().enumerate() {
            if !covers(record) {
                continue;
            }
            let Some(id) = ids[&record.sequence][record.number as usize] else {
                let example = || format!("{record}, acknowledged in {first}..{last}, never came");
                count(&mut self.lost, &mut self.examples, example);
                continue;
            };
            let is_in_place = lowest <= id
                && id <= last
                && (place != 0 || id == first)
                && (place + 1 != publication.records.len() || id == last);
            if is_in_place {
                lowest = id.next();
            } else {
                let example = || format!("{record}, acknowledged in {first}..{last}, came as {id}");
                count(&mut self.misplaced, &mut self.examples, example);
            }
        }
    }
}

/// Counts one, and keeps the first as an example.
fn count(counter: &mut u64, examples: &mut Vec<String>, example: impl FnOnce() -> String) {
    if *counter == 0 {
        examples.push(example());
    }
    *counter += 1;
}

#[cfg(test)]
mod tests;
