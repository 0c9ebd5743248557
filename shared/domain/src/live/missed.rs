//! The updates of an order that a client missed.

use super::server_frame::OrderNews;
use crate::orders::order::Order;
use crate::tracking::entry::TimelineEntry;

/// More changes than these are told as the current state.
const MAX_MISSED: usize = 20;

/// The changes after the version that the client knows, the oldest first. The current state if the
/// client knows none, or too old a one, or one that the order does not have: it was created again.
pub fn missed(order: &Order, entries: &[TimelineEntry], known: Option<u64>) -> Vec<OrderNews> {
    let version = order.state.version;
    match known {
        Some(known) if known == version => Vec::new(),
        Some(known) if known < version => {
            let changes = entries.iter().filter_map(|entry| entry.transition.as_ref());
            let changes = changes.filter(|change| change.version > known);
            let mut news: Vec<_> = changes.map(|it| OrderNews::of(&order.key, it)).collect();
            news.sort_by_key(|news| news.version);
            let is_complete = usize::try_from(version - known) == Ok(news.len());
            if is_complete && news.len() <= MAX_MISSED {
                news
            } else {
                vec![OrderNews::current(order)]
            }
        }
        _ => vec![OrderNews::current(order)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{apply_report, minute, order, report};
    use crate::tracking::status::Status;

    #[test]
    fn tells_the_changes_after_the_known_version_or_the_current_state() {
        let (mut order, mut entries) = (order("A", r#"{"orderId":"ORD-1"}"#), Vec::new());
        for (id, status, at) in [
            ("1", Status::PickedUp, 1),
            ("2", Status::InTransit, 2),
            ("3", Status::OutForDelivery, 3),
        ] {
            apply_report(&mut order, &mut entries, &report(id, status, Some(minute(at))));
        }
        entries.reverse();
        let versions = |known| {
            let news = missed(&order, &entries, known);
            news.iter().map(|it| (it.version, it.status)).collect::<Vec<_>>()
        };
        let last = (4, Status::OutForDelivery);
        assert_eq!(versions(Some(4)), []);
        assert_eq!(versions(Some(3)), [last]);
        assert_eq!(versions(Some(1)), [(2, Status::PickedUp), (3, Status::InTransit), last]);
        assert_eq!(versions(Some(0)), [last], "no entry leads to version 1");
        assert_eq!(versions(None), [last]);
        assert_eq!(versions(Some(9)), [last], "an order that was created again");
    }

    #[test]
    fn tells_the_current_state_in_place_of_many_changes() {
        let (mut order, mut entries) = (order("A", r#"{"orderId":"ORD-1"}"#), Vec::new());
        for step in 0..25_i64 {
            let status = if step % 2 == 0 { Status::InTransit } else { Status::OutForDelivery };
            let report = report(&step.to_string(), status, Some(minute(step)));
            apply_report(&mut order, &mut entries, &report);
        }
        let version = order.state.version;
        let count = |known| missed(&order, &entries, Some(known)).len();
        assert_eq!((count(version - 20), count(version - 21)), (20, 1));
    }
}
