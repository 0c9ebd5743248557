//! Erasure of a shopper's data, or of a whole order.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::core::id::{OrderId, OrderKey};
use crate::core::timestamp::Timestamp;
use crate::messaging::conversation::Contact;
use crate::orders::order::{Customer, Order, Profile};
use crate::orders::phone::PhoneKey;
use crate::tracking::entry::{Fact, TimelineEntry};

/// The country code of phone numbers that are written without one.
const COUNTRY_CODE: &str = "91";
const NATIONAL_DIGITS: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// The shopper's data. The order stays, with its timeline.
    Customer,
    /// The order with all its rows.
    Order,
}

impl Scope {
    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The body of an erasure's event. It is erased with the rest: it has the phone number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    pub order_id: OrderId,
    pub scope: Scope,
    /// When the order was created. A later order with the same id is another one.
    pub created_at: Timestamp,
    /// The order's row loses it first, but its conversation is found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The conversation goes too, also that of a phone number which the order gets after the request.
    #[serde(default)]
    pub with_conversation: bool,
}

/// Without the phone number.
impl std::fmt::Debug for Erasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Erasure")
            .field("order_id", &self.order_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A shopper's ids in conversations. Shops also write a phone number without its country code.
pub fn contacts_of(phone: impl AsRef<str>) -> Vec<Contact> {
    let phone = phone.as_ref();
    let Some(national) = PhoneKey::parse(phone) else { return Vec::new() };
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let mut numbers = vec![digits.clone()];
    if digits.trim_start_matches('0').len() == NATIONAL_DIGITS {
        numbers.push(format!("{COUNTRY_CODE}{}", national.as_str()));
    }
    numbers.iter().filter_map(|number| Contact::parse(number)).collect()
}

/// How much was erased, by the kind of data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Rows of the order: rewritten without personal data, or deleted.
    pub order_rows: u64,
    /// Reports that waited for an order.
    pub unmatched_reports: u64,
    /// Raw bodies of the inbound log.
    pub events: u64,
    /// Bodies of deliveries, or the order's part of them.
    pub deliveries: u64,
    /// Records of messages to the shopper, and their provider's reports.
    pub messages: u64,
    /// Messages of the conversation, and the shopper's other ids.
    pub conversation: u64,
}

/// The answer to a request for erasure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    #[serde(flatten)]
    pub order: ReceiptOrder,
    pub scope: Scope,
    pub state: ReceiptState,
    pub requested_at: Timestamp,
    pub erased_at: Option<Timestamp>,
    pub erased: Counts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptOrder {
    pub order_id: OrderId,
    pub account_code: crate::core::id::AccountCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    Accepted,
    Erased,
}

impl From<&OrderKey> for ReceiptOrder {
    fn from(key: &OrderKey) -> Self {
        Self { order_id: key.order.clone(), account_code: key.account.clone() }
    }
}

impl Profile {
    /// The first field that tells of the shopper, with the name that the API gives it.
    pub fn personal_field(&self) -> Option<&'static str> {
        let fields = [
            ("customerId", self.customer_id.is_some()),
            ("customer", self.customer != Customer::default()),
            ("pickup", self.pickup.is_some()),
            ("drop", self.drop.is_some()),
            ("customerNotes", self.customer_notes.is_some()),
            ("vendorNotes", self.vendor_notes.is_some()),
            ("metadata", self.metadata.is_some()),
        ];
        fields.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// The rest: items, payment, carrier, vendor and the names of the order stay.
    #[must_use]
    pub fn without_customer(&self) -> Self {
        Self {
            customer_id: None,
            customer: Customer::default(),
            pickup: None,
            drop: None,
            customer_notes: None,
            vendor_notes: None,
            metadata: None,
            ..self.clone()
        }
    }
}

impl Order {
    /// The shopper's data was erased: none may come back.
    pub fn is_erased(&self) -> bool {
        self.state.erased_at.is_some()
    }

    /// The order without its shopper. Status, version and counts stay.
    #[must_use]
    pub fn without_customer(&self, now: Timestamp) -> Self {
        let mut after = Self { profile: self.profile.without_customer(), ..self.clone() };
        after.scans.clear();
        let state = &mut after.state;
        state.rev += 1;
        state.profile_rev = state.rev;
        state.erased_at.get_or_insert(now);
        if let Some(cancellation) = &mut state.tracking.cancellation {
            cancellation.reason = None;
        }
        after
    }
}

impl Fact {
    /// A note is free text of a person, and so is what a shopper answered. Returns true if there
    /// was any.
    pub fn forget_words(&mut self) -> bool {
        match self {
            Self::Report(report) => report.note.take().is_some(),
            Self::Answer(answer) => answer.forget_words(),
            Self::Parcel(_) | Self::Withdrawal { .. } => false,
        }
    }
}

impl TimelineEntry {
    /// The entry without a person's words, if it has any.
    pub fn without_words(&self) -> Option<Self> {
        let mut entry = self.clone();
        entry.fact.forget_words().then_some(entry)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::core::id::AccountCode;
    use crate::tracking::entry::ReportFacts;
    use crate::tracking::report::SourceName;
    use crate::tracking::state::{Cancellation, Start, State};
    use crate::tracking::status::{Leg, Status};

    fn contacts(phone: &str) -> Vec<String> {
        contacts_of(phone).iter().map(|contact| contact.as_str().to_owned()).collect()
    }

    #[test]
    fn debug_output_of_an_erasure_has_no_phone_number() {
        let erasure = Erasure {
            order_id: OrderId::parse("O").unwrap(),
            scope: Scope::Customer,
            created_at: Timestamp::EPOCH,
            phone: Some("98765 43210".to_owned()),
            with_conversation: true,
        };
        assert!(!format!("{erasure:?}").contains("98765"), "{erasure:?}");
    }

    #[test]
    fn finds_a_number_with_or_without_its_country_code() {
        assert_eq!(contacts("+91 98765-43210"), ["919876543210"]);
        assert_eq!(contacts("98765 43210"), ["9876543210", "919876543210"]);
        assert_eq!(contacts("09876543210"), ["09876543210", "919876543210"]);
        assert_eq!(contacts("+44 20 7946 0958"), ["442079460958"]);
        assert_eq!(contacts("none"), [""; 0]);
    }

    #[test]
    fn leaves_no_personal_field() {
        let full: Profile = serde_json::from_str(
            r#"{"customerId":"c","customer":{"phone":"1","firstName":"f","lastName":"l"},
                "pickup":{},"drop":{},"customerNotes":"n","vendorNotes":"n","metadata":{},
                "items":[{"title":"Tea","qty":1}],"fare":300,"paymentStatus":"paid","awb":"A1"}"#,
        )
        .unwrap();
        assert_eq!(full.personal_field(), Some("customerId"));
        let rest = full.without_customer();
        assert_eq!(rest.personal_field(), None);
        assert_eq!((rest.counts(), &rest.fare, &rest.awb), (full.counts(), &full.fare, &full.awb));
        for field in ["customer", "pickup", "drop", "customerNotes", "vendorNotes", "metadata"] {
            let mut json = serde_json::json!({});
            json[field] = match field {
                "customer" => serde_json::json!({"lastName": "l"}),
                "customerNotes" | "vendorNotes" => serde_json::json!("n"),
                _ => serde_json::json!({}),
            };
            let profile: Profile = serde_json::from_value(json).unwrap();
            assert_eq!(profile.personal_field(), Some(field));
        }
    }

    #[test]
    fn an_erased_order_keeps_status_and_version() {
        let key = OrderKey {
            account: AccountCode::parse("A").unwrap(),
            order: OrderId::parse("O").unwrap(),
        };
        let mut state = State::at_creation(Start::of(Status::Cancelled), Timestamp::EPOCH);
        state.tracking.cancellation = Some(Cancellation {
            at: Timestamp::EPOCH,
            reason: Some("called".to_owned()),
            by: SourceName::API,
        });
        let (given_up, watched_until) = ([].into(), None);
        let before = Order {
            key,
            profile: Profile::default(),
            state,
            recent: 0,
            scans: Vec::new(),
            given_up,
            watched_until,
        };
        let now = Timestamp::from_millis(1000).unwrap();
        let after = before.without_customer(now);
        let (old, new) = (&before.state, &after.state);
        assert_eq!((new.version, new.tracking.status), (old.version, old.tracking.status));
        assert_eq!((new.rev, new.profile_rev, new.erased_at), (2, 2, Some(now)));
        assert_eq!(new.tracking.cancellation.as_ref().unwrap().reason, None);
        let later = Timestamp::from_millis(2000).unwrap();
        assert_eq!(after.without_customer(later).state.erased_at, Some(now));
        assert!(after.is_erased() && !before.is_erased());
    }

    #[test]
    fn a_note_is_forgotten_once() {
        let mut fact = Fact::Report(ReportFacts {
            source: SourceName::API,
            awb: None,
            return_awb: None,
            provider_id: None,
            spelled_id: None,
            status: Status::Assigned,
            leg: Leg::Outbound,
            source_status: None,
            location: None,
            note: Some("with the neighbour".to_owned()),
            eta: None,
            attempts: None,
            carrier_name: None,
        });
        assert!(fact.forget_words());
        assert!(!fact.forget_words());
    }
}
