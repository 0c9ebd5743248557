//! The figures in answers of the API.

use serde::Serialize;

use super::Figures;
use super::counter::{Counter, ErrorCode};
use super::duration::{Bucket, percentile};
use crate::messaging::pricing::{Pricing, PricingCategory, PricingType};

#[derive(Debug, PartialEq, Serialize)]
pub struct FiguresView {
    sent: u64,
    accepted: u64,
    delivered: u64,
    read: u64,
    failed: u64,
    replied: u64,
    errors: Vec<ErrorView>,
    time_to_delivered: DurationView,
    time_to_read: DurationView,
    pricing: Vec<PricingView>,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct TemplateFigures {
    /// Absent for messages without a template.
    pub template: Option<String>,
    #[serde(flatten)]
    pub figures: FiguresView,
}

#[derive(Debug, PartialEq, Serialize)]
struct ErrorView {
    /// `other` for codes that are not documented, `None` for failures without one.
    code: Option<String>,
    count: u64,
}

/// In seconds.
#[derive(Debug, PartialEq, Serialize)]
struct DurationView {
    /// Messages whose time is known.
    count: u64,
    p50: Option<f64>,
    p95: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize)]
struct PricingView {
    category: PricingCategory,
    #[serde(rename = "type")]
    kind: PricingType,
    billable: Option<bool>,
    messages: u64,
    /// Of those messages.
    delivered: u64,
}

impl Figures {
    pub fn view(&self) -> FiguresView {
        FiguresView {
            sent: self.count(Counter::Sent),
            accepted: self.count(Counter::Accepted),
            delivered: self.count(Counter::Delivered),
            read: self.count(Counter::Read),
            failed: self.count(Counter::Failed),
            replied: self.count(Counter::Replied),
            errors: self.errors(),
            time_to_delivered: self.durations(|counter| match counter {
                Counter::DeliveredIn(bucket) => Some(bucket),
                _ => None,
            }),
            time_to_read: self.durations(|counter| match counter {
                Counter::ReadIn(bucket) => Some(bucket),
                _ => None,
            }),
            pricing: self.pricing(),
        }
    }

    /// Messages sent: by this, templates are listed.
    pub fn sent(&self) -> u64 {
        self.count(Counter::Sent)
    }

    /// A difference that is read while another row of its message is not yet would be negative.
    fn count(&self, counter: Counter) -> u64 {
        self.0.get(&counter).and_then(|count| u64::try_from(*count).ok()).unwrap_or_default()
    }

    /// Positive counts of some counters.
    fn counts<T>(&self, of: impl Fn(Counter) -> Option<T>) -> Vec<(T, u64)> {
        let counts =
            self.0.keys().filter_map(|counter| Some((of(*counter)?, self.count(*counter))));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    fn errors(&self) -> Vec<ErrorView> {
        let mut errors = self.counts(|counter| match counter {
            Counter::Error(code) => Some(code),
            _ => None,
        });
        errors.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        let view = |(code, count)| ErrorView { code: shown(code), count };
        errors.into_iter().map(view).collect()
    }

    fn durations(&self, of: impl Fn(Counter) -> Option<Bucket>) -> DurationView {
        let buckets = self.counts(of);
        let of = |percent| percentile(&buckets, percent).map(|bucket| rounded(bucket.middle()));
        let count = buckets.iter().map(|(_, count)| count).sum();
        DurationView { count, p50: of(50), p95: of(95) }
    }

    fn pricing(&self) -> Vec<PricingView> {
        let priced = self.counts(|counter| match counter {
            Counter::Priced(pricing) => Some(pricing),
            _ => None,
        });
        let view = |(pricing, messages)| {
            let Pricing { category, kind, billable } = pricing;
            let delivered = self.count(Counter::DeliveredPriced(pricing));
            PricingView { category, kind, billable, messages, delivered }
        };
        priced.into_iter().map(view).collect()
    }
}

fn shown(code: ErrorCode) -> Option<String> {
    match code {
        ErrorCode::Known(code) => Some(code.to_string()),
        ErrorCode::Other => Some("other".to_owned()),
        ErrorCode::None => None,
    }
}

/// To a tenth.
fn rounded(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}
