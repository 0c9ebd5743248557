//! Facts: every report that was accepted is in the timeline of one order, of one that had its name,
//! or waits under its names; nothing else is there.

use std::collections::BTreeMap;

use domain::core::id::{AccountCode, Awb, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::has_left;
use domain::tracking::entry::{ParcelChange, ReportFacts};
use domain::tracking::report::{Ref, Report, SourceName};
use sources::{Reading, Request};

use super::names::Names;
use super::orders::{Orders, StoredOrder};
use crate::ledger::polling::PollingLedger;
use crate::ledger::{Field, Promise, Saying, SentWebhook, What};
use crate::world::State;

/// A report that was sent.
struct SentReport {
    report: Report,
    promise: Promise,
    /// Webhooks name different orders in it.
    is_ambiguous: bool,
}

impl SentReport {
    fn new(report: Report, promise: Promise) -> Self {
        Self { report, promise, is_ambiguous: false }
    }
}

type Sent = BTreeMap<(AccountCode, ReportId), SentReport>;

pub(super) fn judge(state: &State, orders: &Orders, names: &Names) -> Vec<String> {
    let mut sent = reports(&state.ledger.webhooks);
    add_polled(&mut sent, &state.ledger.polling);
    let judge = Judge { orders, names, sayings: &state.ledger.sayings };
    let mut findings: Vec<String> =
        sent.iter().filter_map(|((account, _), it)| judge.place(account, it)).collect();
    findings.extend(orders.values().flat_map(|order| unexpected(order, &sent)));
    findings
}

struct Judge<'a> {
    orders: &'a Orders,
    names: &'a Names,
    sayings: &'a [Saying],
}

impl Judge<'_> {
    fn place(&self, account: &AccountCode, sent: &SentReport) -> Option<String> {
        let report = &sent.report;
        let has = |order: &&StoredOrder| {
            order.key.account == *account && order.standing().any(|entry| entry.id == report.id)
        };
        let mut standing: Vec<&StoredOrder> = self.orders.values().filter(has).collect();
        if standing.len() > 1 {
            // Taken back in one order, whose parcel another one has named since.
            standing.retain(|order| !order.withdrawn().contains(&report.id));
        }
        if let Some(awb) = report.awb.as_ref().filter(|_| standing.len() > 1)
            && self.is_released(account, awb)
        {
            // It left with the parcel. The carrier used the AWB again, and for the first order too.
            let stayed = |order: &&&StoredOrder| !has_left(awb, &order.entries);
            let stayed: Vec<&StoredOrder> = standing.iter().filter(stayed).copied().collect();
            standing = if stayed.is_empty() { standing } else { stayed };
        }
        match standing.as_slice() {
            [] if sent.promise != Promise::Accepted => None,
            [] => {
                let waits = self.names.is_parked(account, report);
                (!waits).then(|| format!("report {} of {account} is lost", report.id))
            }
            [order] => self.misplaced(order, report),
            _ if sent.is_ambiguous => None,
            _ => {
                let orders: Vec<&str> = standing.iter().map(|it| it.key.order.as_str()).collect();
                Some(format!("report {} of {account} is in {orders:?}", report.id))
            }
        }
    }

    fn misplaced(&self, order: &StoredOrder, report: &Report) -> Option<String> {
        let account = &order.key.account;
        let wrong =
            |why: String| Some(format!("report {} is in {}: {why}", report.id, order.name()));
        let is_withdrawn = order.withdrawn().contains(&report.id);
        if let Some(awb) = report.awb.as_ref().filter(|_| !is_withdrawn) {
            let owner = self.names.owner(account, &Ref::awb(awb));
            if owner != Some(&order.key.order) && !self.is_released(account, awb) {
                return wrong(format!("its parcel {awb} is of {owner:?}"));
            }
        }
        let exact = report.order_id.as_ref().filter(|_| report.refs().len() == 1);
        let exact = exact.map(|id| OrderKey { account: account.clone(), order: id.clone() });
        if let Some(exact) = exact.filter(|it| self.orders.contains_key(it) && *it != order.key) {
            return wrong(format!("it names {}", exact.order));
        }
        let is_named = report.refs().iter().any(|name| self.had(order, name));
        let is_spelled = report.alternative_refs().iter().any(|name| self.had(order, name));
        if is_named || is_spelled { None } else { wrong("it never had its names".to_owned()) }
    }

    /// True if an order gave the AWB up to another one for a new parcel: reports about the old
    /// parcel stay where they are.
    fn is_released(&self, account: &AccountCode, awb: &Awb) -> bool {
        let orders = self.orders.values().filter(|order| order.key.account == *account);
        let mut facts = orders.flat_map(StoredOrder::parcel_facts);
        facts.any(|fact| {
            matches!(&fact.change, ParcelChange::Released { awb: it, .. } if it.is_same_parcel(awb))
        })
    }

    /// True if the order has the name, or had it once.
    fn had(&self, order: &StoredOrder, name: &Ref) -> bool {
        let own = Ref::Order(order.key.order.clone());
        let start = &order.state.start;
        let created = start.awb.iter().chain(&start.return_awb).map(Ref::awb);
        let given = order.parcel_facts().filter_map(|fact| fact.awb()).map(Ref::awb);
        let taught = order.entries.iter().filter_map(|entry| entry.report());
        let taught = taught.flat_map(ReportFacts::names);
        let said = self.sayings.iter().filter(|saying| saying.order == order.key);
        let mut all =
            created.chain(given).chain(taught).chain(said.filter_map(provider)).chain([own]);
        all.any(|it| it == *name)
    }
}

/// The provider's id that a shop gave an order.
fn provider(saying: &Saying) -> Option<Ref> {
    let What::Field(field, Some(id)) = &saying.what else { return None };
    let source = match field {
        Field::Shiprocket => "shiprocket",
        Field::Esahayak => "esahayak",
        Field::Awb | Field::ReturnAwb | Field::Phone => return None,
    };
    let id = domain::core::id::ProviderId::parse(id).ok()?;
    Some(Ref::Provider { source: SourceName::new(source), id })
}

/// Reports of a timeline that nobody sent. Those of the shop are judged elsewhere.
fn unexpected(order: &StoredOrder, sent: &Sent) -> Vec<String> {
    let account = &order.key.account;
    let is_foreign = |report: &ReportFacts| report.source != SourceName::API;
    let reports = order.entries.iter().filter(|it| it.report().is_some_and(is_foreign));
    let unknown = reports.filter(|it| !sent.contains_key(&(account.clone(), it.id.clone())));
    unknown.map(|it| format!("report {} about {} is unexpected", it.id, order.name())).collect()
}

fn reports(webhooks: &[SentWebhook]) -> Sent {
    let mut sent = Sent::new();
    for webhook in webhooks {
        for report in read(webhook).unwrap_or_default() {
            let key = (webhook.account.clone(), report.id.clone());
            let promise = webhook.promise;
            let refs = report.refs();
            let known = sent.entry(key).or_insert(SentReport::new(report, promise));
            known.promise = promise.max(known.promise);
            known.is_ambiguous |= known.report.refs() != refs;
        }
    }
    sent
}

/// What the carrier told may be in the timeline; what `poll` queued has to be.
fn add_polled(sent: &mut Sent, polling: &PollingLedger) {
    let told = polling.told.iter().flat_map(|(order, reports)| {
        reports.values().map(|report| (order.account.clone(), report, Promise::Unknown))
    });
    let queued = polling.results.iter();
    let queued = queued.map(|it| (it.account.clone(), &it.report, Promise::Accepted));
    for (account, report, promise) in told.chain(queued) {
        let known = sent.entry((account, report.id.clone()));
        let known = known.or_insert_with(|| SentReport::new(report.clone(), promise));
        known.promise = promise.max(known.promise);
    }
}

fn read(webhook: &SentWebhook) -> Option<Vec<Report>> {
    let source = sources::by_name(webhook.source)?;
    let request = Request::stored(Some(&webhook.account), webhook.body.as_bytes());
    match source.parse(&request, Timestamp::EPOCH).ok()?.reading {
        Reading::Reports(reports) => Some(reports.items),
        _ => None,
    }
}
