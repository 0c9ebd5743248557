//! The values of an order that a template's parameters may have.

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::zone::Zone;
use crate::webhooks::notification::Notification;

/// WhatsApp's limit of a parameter.
pub(super) const MAX_PARAMETER_CHARS: usize = 1024;

/// Written as `{first_name}` in a text of a rule's `components`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Placeholder {
    FirstName,
    LastName,
    OrderId,
    /// For people, e.g. `Out For Delivery`.
    Status,
    /// In the words of the carrier.
    ShipmentStatus,
    Awb,
    Carrier,
    Location,
    /// A date, e.g. `27 Nov 2026`.
    Eta,
    TrackingUrl,
    AccountCode,
}

impl Placeholder {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// `first_name, last_name, …`.
    pub(super) fn names() -> String {
        let names: Vec<&str> = Self::VARIANTS.iter().map(|it| it.as_str()).collect();
        names.join(", ")
    }
}

/// The values for one change of an order: those that webhooks tell about it.
pub(super) struct Values<'a> {
    pub(super) notification: Notification<'a>,
    pub(super) tracking_url: Option<&'a str>,
    pub(super) zone: &'a Zone,
}

impl Values<'_> {
    /// `None` if the order has no such value: WhatsApp refuses empty parameters.
    pub(super) fn get(&self, placeholder: Placeholder) -> Option<String> {
        let notification = &self.notification;
        let customer = &notification.order.profile.customer;
        match placeholder {
            Placeholder::FirstName => parameter(customer.first_name.as_deref()?),
            Placeholder::LastName => parameter(customer.last_name.as_deref()?),
            Placeholder::OrderId => parameter(notification.order.key.order.as_str()),
            Placeholder::Status => parameter(notification.status.title()),
            Placeholder::ShipmentStatus => parameter(notification.label),
            Placeholder::Awb => parameter(notification.awb?.as_str()),
            Placeholder::Carrier => parameter(self.carrier()?),
            Placeholder::Location => parameter(self.location()?),
            Placeholder::Eta => self.eta(),
            Placeholder::TrackingUrl => parameter(self.tracking_url?),
            Placeholder::AccountCode => parameter(notification.order.key.account.as_str()),
        }
    }

    fn carrier(&self) -> Option<&str> {
        let order = self.notification.order;
        let parcel = self.notification.awb.and_then(|awb| order.state.parcel(awb));
        let of_parcel = parcel.and_then(|parcel| order.carrier_name_of(parcel));
        of_parcel.or(order.profile.carrier_name.as_deref())
    }

    fn location(&self) -> Option<&str> {
        match self.notification.report {
            Some(report) => report.location.as_deref(),
            None => self.notification.order.state.tracking.location.as_deref(),
        }
    }

    fn eta(&self) -> Option<String> {
        let of_report = self.notification.report.and_then(|report| report.eta);
        let eta = of_report.or(self.notification.eta)?;
        Some(self.zone.date_text(eta))
    }
}

/// WhatsApp refuses parameters with line breaks, tabs or more than four spaces in a row (132018).
fn parameter(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let text: String = words.join(" ").chars().take(MAX_PARAMETER_CHARS).collect();
    (!text.is_empty()).then_some(text)
}
