//! The figures are those of all messages as they are in the end: each counted once.

use std::collections::BTreeMap;

use domain::messaging::figures::{Counted, Figures};

use super::rows::{Place, Stored};

pub(super) fn judge(stored: &Stored) -> Vec<String> {
    let expected = expected(stored);
    let places = expected.keys().chain(stored.figures.keys());
    let mut places: Vec<&Place> = places.collect();
    places.sort();
    places.dedup();
    let none = Figures::default();
    let wrong = places.into_iter().filter_map(|place| {
        let is = stored.figures.get(place).unwrap_or(&none);
        let expected = expected.get(place).unwrap_or(&none);
        (is != expected).then(|| format!("the figures of {place:?} are {is:?}, not {expected:?}"))
    });
    wrong.collect()
}

fn expected(stored: &Stored) -> BTreeMap<Place, Figures> {
    let mut sums: BTreeMap<Place, Figures> = BTreeMap::new();
    let tracked = stored.tracked.iter();
    let tracked = tracked.map(|((account, _), tracked)| (account, Counted::of(tracked)));
    let records = stored.records.iter().flat_map(|(order, records)| {
        let untracked = records.values().filter(|record| record.tracking_key().is_none());
        untracked.map(|record| (&order.account, Counted::of_untracked(record)))
    });
    for (account, counted) in tracked.chain(records) {
        let Some(Counted { place, figures }) = counted else { continue };
        let place = (account.clone(), place.day, place.template.map(String::from));
        *sums.entry(place).or_default() += &figures;
    }
    sums.retain(|_, figures| !figures.is_empty());
    sums
}
