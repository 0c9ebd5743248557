//! `GET /metrics`: the outcomes of requests to endpoints and of events, over a period and
//! by the hour.
//!
//! A caller sees an endpoint if it has access to all accounts that the endpoint is told about. Removed
//! endpoints and sources, which belong to no account, are visible to callers with access to all
//! accounts only.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::lambda::http_api::{ApiError, json};
use aws::tables::counters::{Counted, CountsOf};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::metrics::{DeliveryCounts, DeliveryMetrics, EventCounts};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::Ops;
use crate::endpoints::Receivers;

const DEFAULT_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The hours from the one of `from` to the one of `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    from: Timestamp,
    to: Timestamp,
}

#[derive(Debug, Serialize)]
struct Metrics<'a> {
    from: Timestamp,
    to: Timestamp,
    #[serde(flatten)]
    all: DeliveryMetrics,
    endpoints: BTreeMap<&'a str, DeliveryMetrics>,
    sources: BTreeMap<&'a str, EventCounts>,
    /// The hours with counts, the oldest first.
    hours: Vec<Hour<'a>>,
}

#[derive(Debug, Serialize)]
struct Hour<'a> {
    hour: Timestamp,
    #[serde(flatten)]
    all: DeliveryMetrics,
    sources: BTreeMap<&'a str, EventCounts>,
}

#[derive(Debug, Default)]
struct Sum<'a> {
    all: DeliveryCounts,
    endpoints: BTreeMap<&'a str, DeliveryCounts>,
    sources: BTreeMap<&'a str, EventCounts>,
}

impl Ops {
    pub(crate) async fn show_metrics(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let query = request.query_string_parameters_ref();
        let parameter = |name| query.and_then(|query| query.first(name));
        let period = Period::read(parameter("from"), parameter("to"), now)?;
        let endpoint = parameter("endpoint");
        let receivers = self.receivers(now).await?;
        let mut counted = self.tables.counters.read(period.from, period.to).await?;
        counted.retain(|counted| {
            is_visible(counted, &receivers, caller)
                && endpoint.is_none_or(|name| is_of(counted, name))
        });
        Ok(json(200, &view(period, &counted)))
    }
}

impl Period {
    fn read(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Self, ApiError> {
        let to = read_time("to", to)?.unwrap_or(now);
        let from = read_time("from", from)?.unwrap_or(to.before(DEFAULT_PERIOD));
        if from >= to {
            return Err(ApiError::invalid("from", "must be before to"));
        }
        if to.since(from) > MAX_PERIOD {
            return Err(ApiError::invalid("from", "must be at most 30 days before to"));
        }
        Ok(Self { from, to })
    }
}

fn read_time(name: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let time = text.map(Timestamp::parse).transpose();
    time.map_err(|error| ApiError::invalid(name, error.to_string()))
}

fn is_visible(counted: &Counted, receivers: &Receivers, caller: &Caller) -> bool {
    let CountsOf::Endpoint(name, _) = &counted.of else { return caller.can_see(None) };
    match receivers.known().find(|endpoint| endpoint.name == name) {
        Some(endpoint) => caller.can_see_all(endpoint.accounts),
        None => caller.can_see(None),
    }
}

fn is_of(counted: &Counted, endpoint: &str) -> bool {
    matches!(&counted.of, CountsOf::Endpoint(name, _) if name == endpoint)
}

/// `counted` is sorted by hour.
fn view(period: Period, counted: &[Counted]) -> Metrics<'_> {
    let Period { from, to } = period;
    let Sum { all, endpoints, sources } = Sum::of(counted);
    let hours = counted.chunk_by(|a, b| a.hour == b.hour).filter_map(|of_hour| {
        let Sum { all, sources, .. } = Sum::of(of_hour);
        Some(Hour { hour: of_hour.first()?.hour, all: all.view(), sources })
    });
    Metrics {
        from,
        to,
        all: all.view(),
        endpoints: endpoints.iter().map(|(name, counts)| (*name, counts.view())).collect(),
        sources,
        hours: hours.collect(),
    }
}

impl<'a> Sum<'a> {
    fn of(counted: &'a [Counted]) -> Self {
        let mut sum = Self::default();
        for Counted { of, .. } in counted {
            match of {
                CountsOf::Endpoint(name, counts) => {
                    sum.all += *counts;
                    *sum.endpoints.entry(name).or_default() += *counts;
                }
                CountsOf::Source(name, counts) => {
                    *sum.sources.entry(name).or_default() += *counts;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn requests(success: u64, errors: u64) -> DeliveryCounts {
        DeliveryCounts { total: success + errors, success, errors, ..DeliveryCounts::default() }
    }

    #[test]
    fn a_period_is_the_last_day_and_at_most_thirty() {
        let now = at("2026-03-31T12:00:00Z");
        let read = |from, to| Period::read(from, to, now);
        let last_day = Period { from: at("2026-03-30T12:00:00Z"), to: now };
        assert_eq!(read(None, None), Ok(last_day));
        let thirty = Period { from: at("2026-03-01T12:00:00Z"), to: now };
        assert_eq!(read(Some("2026-03-01T17:30:00+05:30"), None), Ok(thirty));
        for (from, to, field, message) in [
            (Some("2026-03-01T11:59:59Z"), None, "from", "must be at most 30 days before to"),
            (Some("2026-03-31T12:00:00Z"), None, "from", "must be before to"),
            (Some("yesterday"), None, "from", "must be an RFC 3339 time between 1970 and 9999"),
            (None, Some(""), "to", "must be an RFC 3339 time between 1970 and 9999"),
        ] {
            assert_eq!(read(from, to), Err(ApiError::invalid(field, message)));
        }
    }

    #[test]
    fn hours_and_endpoints_add_up_to_the_period() {
        let endpoint = |hour, name: &str, counts| Counted {
            hour: at(hour),
            of: CountsOf::Endpoint(name.to_owned(), counts),
        };
        let events = EventCounts { processed: 2, failed: 1, ..EventCounts::default() };
        let source =
            |hour| Counted { hour: at(hour), of: CountsOf::Source("api".to_owned(), events) };
        let (ten, twelve) = ("2026-03-31T10:00:00.000Z", "2026-03-31T12:00:00.000Z");
        let counted = [
            endpoint(ten, "a", requests(3, 1)),
            endpoint(ten, "b", requests(1, 0)),
            source(ten),
            endpoint(twelve, "a", requests(0, 5)),
            source(twelve),
        ];
        let shown = json!(view(Period { from: at(ten), to: at(twelve) }, &counted));
        let rates = |it: &serde_json::Value| {
            (it["total"].clone(), it["successRate"].clone(), it["errors"].clone())
        };
        assert_eq!(rates(&shown), (json!(10), json!(0.4), json!(6)));
        assert_eq!(rates(&shown["endpoints"]["a"]), (json!(9), json!(3.0 / 9.0), json!(6)));
        assert_eq!(rates(&shown["endpoints"]["b"]), (json!(1), json!(1.0), json!(0)));
        assert_eq!((&shown["sources"]["api"]["processed"]), &json!(4));
        let hours = shown["hours"].as_array().unwrap();
        assert_eq!(hours.len(), 2);
        assert_eq!((&hours[0]["hour"], &hours[1]["hour"]), (&json!(ten), &json!(twelve)));
        assert_eq!(rates(&hours[0]), (json!(5), json!(0.8), json!(1)));
        assert_eq!(rates(&hours[1]), (json!(5), json!(0.0), json!(5)));
        assert_eq!(hours[1]["sources"]["api"]["failed"], 1);
    }
}
