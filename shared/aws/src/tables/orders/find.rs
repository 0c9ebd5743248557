//! Finds the order that a report is about.

use domain::core::id::{AccountCode, OrderId, OrderKey, ReportId};
use domain::tracking::report::{Ref, Report};

use super::{Orders, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_optional};
use crate::tables::keys::{key, ref_pk};
use crate::tables::read::get;

/// The order that had an AWB before. It keeps the reports: the carrier uses the number again.
pub(super) const KEPT: &str = "kept_by";
/// The order that had a name before. The reports about a parcel went with its AWB, those that only
/// mention the name stayed.
pub(super) const MOVED: &str = "moved_from";

impl Orders {
    /// Finds the order by the report's first reference that is known, else by the only alternative
    /// that is. Of several, one may have the report already, from when it was the only one.
    pub async fn find(
        &self,
        account: &AccountCode,
        report: &Report,
    ) -> Result<Option<OrderId>, IoError> {
        for reference in report.refs() {
            if let Some(row) = self.name_row(account, &reference).await? {
                return self.order_of(account, &reference, &row, report).await.map(Some);
            }
        }
        let mut found = Vec::new();
        for reference in report.alternative_refs() {
            found.extend(self.named(account, &reference).await?);
        }
        if found.len() < 2 {
            return Ok(found.pop());
        }
        for order in found {
            let order = OrderKey { account: account.clone(), order };
            if self.has_report(&order, &report.id).await? {
                return Ok(Some(order.order));
            }
        }
        Ok(None)
    }

    /// True if the order's timeline has this report by now.
    pub async fn has_report(&self, order: &OrderKey, report: &ReportId) -> Result<bool, IoError> {
        let loaded = self.load_with_timeline(order).await?;
        Ok(loaded.is_some_and(|(_, entries)| entries.iter().any(|entry| entry.id == *report)))
    }

    /// The order that a reference names. An order's own id needs no reference row: it is known as
    /// soon as the order exists.
    pub async fn named(
        &self,
        account: &AccountCode,
        reference: &Ref,
    ) -> Result<Option<OrderId>, IoError> {
        let row = self.name_row(account, reference).await?;
        row.map(|row| read_as(&row, "order_id", OrderId::parse)).transpose()
    }

    async fn name_row(
        &self,
        account: &AccountCode,
        reference: &Ref,
    ) -> Result<Option<Item>, IoError> {
        let key = match reference {
            Ref::Order(order) => {
                state_key(&OrderKey { account: account.clone(), order: order.clone() })
            }
            _ => key(ref_pk(account, reference), "order"),
        };
        get(&self.client, &self.table, key, &["order_id", KEPT, MOVED]).await
    }

    /// The order that the row names, or the one that had the name before if it has the report
    /// already and keeps it: an event that was interrupted must not apply it to both.
    async fn order_of(
        &self,
        account: &AccountCode,
        reference: &Ref,
        row: &Item,
        report: &Report,
    ) -> Result<OrderId, IoError> {
        let mut before = read_optional(row, KEPT, OrderId::parse)?;
        if before.is_none() && report.awb.as_ref().map(Ref::awb).as_ref() != Some(reference) {
            before = read_optional(row, MOVED, OrderId::parse)?;
        }
        if let Some(order) = before {
            let before = OrderKey { account: account.clone(), order };
            if self.has_report(&before, &report.id).await? {
                return Ok(before.order);
            }
        }
        read_as(row, "order_id", OrderId::parse)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::Awb;
    use domain::tracking::report::SourceName;
    use domain::tracking::status::{Leg, Status};

    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::tables::orders::tests::rows_with;

    fn report(awb: Option<&str>, order_id: &str) -> Report {
        Report {
            id: ReportId::parse("r").unwrap(),
            source: SourceName::new("shiprocket"),
            awb: awb.map(|awb| Awb::parse(awb).unwrap()),
            return_awb: None,
            provider_id: None,
            order_id: OrderId::parse(order_id).ok(),
            leg: Leg::Outbound,
            status: Status::InTransit,
            source_status: None,
            occurred_at: None,
            location: None,
            note: None,
            eta: None,
            attempts: None,
            carrier_name: None,
            scans: Vec::new(),
        }
    }

    /// The order that a report finds if these orders exist, and the number of reads.
    async fn find(orders: &'static [&str], report: &Report) -> (Option<String>, usize) {
        find_where(orders, None, report).await
    }

    /// As [`find`], where one of the orders has the report.
    async fn find_where(
        orders: &'static [&str],
        owner: Option<&'static str>,
        report: &Report,
    ) -> (Option<String>, usize) {
        let fake = FakeAws::new(move |request| {
            let request = String::from_utf8_lossy(request);
            let of = |id: &&&str| request.contains(&format!("STORE001:{id}\""));
            if request.contains("entry:") {
                let is_owner = owner.as_ref().is_some_and(|it| of(&it));
                let rows = if is_owner { rows_with("r").1.into() } else { Vec::new() };
                return (200, serde_json::json!({ "Items": rows }).to_string());
            }
            let order = orders.iter().find(of);
            let row = |id| format!(r#"{{"Item":{{"order_id":{{"S":"{id}"}}}}}}"#);
            (200, order.map_or("{}".to_owned(), row))
        });
        let orders = Orders::new(clients(fake.edge()).dynamodb(), "orders".to_owned());
        let account = AccountCode::parse("STORE001").unwrap();
        let found = orders.find(&account, report).await.unwrap();
        let reads = fake.requests().len();
        (found.map(String::from), reads)
    }

    #[tokio::test]
    async fn finds_an_order_by_other_spellings_of_its_id() {
        for (orders, reported, expected) in [
            (&["1001"][..], "1001", Some("1001")),
            (&["#1001"], "1001", Some("#1001")),
            (&["1001"], "#1001", Some("1001")),
            (&["1001", "#1001"], "#1001", Some("#1001")),
            (&["ORD-7001"], "ORD-7001_740007001", Some("ORD-7001")),
            (&["#1001"], "1001_740007001", Some("#1001")),
            (&["1001"], "#1001_740007001", Some("1001")),
            (&["A_740007001", "A"], "A_740007001", Some("A_740007001")),
            // Ambiguous.
            (&["1001", "#1001"], "1001_740007001", None),
            (&["#A_740007001", "A"], "A_740007001", None),
            // A number of the shop's own.
            (&["ORD"], "ORD_2", None),
            (&["ORD"], "ORD_740007001_2", None),
            (&["1001"], "1002", None),
            (&[], "1001_740007001", None),
        ] {
            let (found, _) = find(orders, &report(None, reported)).await;
            assert_eq!(found.as_deref(), expected, "{reported} of {orders:?}");
        }
    }

    #[tokio::test]
    async fn finds_the_order_that_has_the_report_if_its_id_is_ambiguous() {
        let orders = &["1001", "#1001"];
        let ambiguous = report(None, "1001_740007001");
        for owner in orders {
            let (found, _) = find_where(orders, Some(owner), &ambiguous).await;
            assert_eq!(found.as_deref(), Some(*owner));
        }
    }

    #[tokio::test]
    async fn reads_other_spellings_only_for_an_unknown_order() {
        assert_eq!(find(&["1001"], &report(None, "1001")).await, (Some("1001".to_owned()), 1));
        assert_eq!(
            find(&["1001"], &report(Some("19"), "1001")).await,
            (Some("1001".to_owned()), 2)
        );
        assert_eq!(find(&[], &report(Some("19"), "1001")).await, (None, 3));
        assert_eq!(find(&[], &report(Some("19"), "1001_740007001")).await, (None, 5));
    }
}
