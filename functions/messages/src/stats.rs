//! `GET /api/messages/stats`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json};
use aws::tables::messages::DayFigures;
use domain::auth::Caller;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::figures::{Figures, FiguresView, TemplateFigures, day_of};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;

use crate::MessagesApi;
use crate::find::read_template;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_DAYS: u32 = 92;
const DEFAULT_DAYS: u32 = 30;
/// Templates that are listed, those with the most messages.
const MAX_TEMPLATES: usize = 100;

#[derive(Debug, PartialEq, Serialize)]
struct Stats {
    account_code: AccountCode,
    from: String,
    to: String,
    total: FiguresView,
    /// Days with figures, the oldest first.
    days: Vec<Day>,
    templates: Vec<TemplateFigures>,
    /// False if some template is missing.
    complete: bool,
}

#[derive(Debug, PartialEq, Serialize)]
struct Day {
    day: String,
    #[serde(flatten)]
    figures: FiguresView,
}

impl MessagesApi {
    pub(crate) async fn show_stats(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let query = request.query_string_parameters_ref();
        let parameter = |name: &str| query.and_then(|query| query.first(name));
        let days = read_days(parameter("from"), parameter("to"), now)?;
        let template = parameter("template").map(read_template).transpose()?;
        let figures = self.messages.figures(&account, &days, template.as_ref()).await?;
        Ok(json(200, &view(account, &days, &figures)))
    }
}

/// The days of the period, both ends included. 30 days up to today by default.
fn read_days(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Vec<String>, ApiError> {
    let to = to.map(|text| read_day("to", text)).transpose()?;
    let to = to.or_else(|| beginning_of(&day_of(now))).unwrap_or(now);
    let from = from.map(|text| read_day("from", text)).transpose()?;
    let from = from.unwrap_or_else(|| to.before(DAY * (DEFAULT_DAYS - 1)));
    if from > to {
        return Err(ApiError::invalid("to", "must not be before from"));
    }
    if to.since(from) >= DAY * MAX_DAYS {
        return Err(ApiError::invalid("from", "must be at most 92 days, to included"));
    }
    let days = (0..MAX_DAYS).map(|number| from.after(DAY * number));
    Ok(days.take_while(|day| *day <= to).map(day_of).collect())
}

fn read_day(name: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    beginning_of(text).ok_or_else(|| ApiError::invalid(name, "must be a date, e.g. 2026-01-20"))
}

/// `None` for anything but a date.
fn beginning_of(day: &str) -> Option<Timestamp> {
    let beginning = Timestamp::parse(&format!("{day}T00:00:00Z")).ok()?;
    (day_of(beginning) == day).then_some(beginning)
}

fn view(account_code: AccountCode, days: &[String], found: &[DayFigures]) -> Stats {
    let mut total = Figures::default();
    let mut templates: BTreeMap<Option<&String>, Figures> = BTreeMap::new();
    let mut of_days = Vec::new();
    for day in found {
        let mut sum = Figures::default();
        for (template, figures) in &day.templates {
            sum += figures;
            *templates.entry(template.as_ref()).or_default() += figures;
        }
        total += &sum;
        if !sum.is_empty() {
            of_days.push(Day { day: day.day.clone(), figures: sum.view() });
        }
    }
    let mut templates: Vec<_> =
        templates.into_iter().filter(|(_, figures)| !figures.is_empty()).collect();
    templates.sort_by_key(|(_, figures)| Reverse(figures.sent()));
    let is_complete = found.iter().all(|day| day.is_complete) && templates.len() <= MAX_TEMPLATES;
    let of_template = |(template, figures): (Option<&String>, Figures)| TemplateFigures {
        template: template.cloned(),
        figures: figures.view(),
    };
    let end = |day: Option<&String>| day.cloned().unwrap_or_default();
    Stats {
        account_code,
        from: end(days.first()),
        to: end(days.last()),
        total: total.view(),
        days: of_days,
        templates: templates.into_iter().take(MAX_TEMPLATES).map(of_template).collect(),
        complete: is_complete,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-03-01T10:00:00Z").unwrap()
    }

    #[test]
    fn reads_days() {
        let days = |from, to| read_days(from, to, now()).unwrap();
        assert_eq!(days(Some("2026-02-27"), None), ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!(days(Some("2026-01-20"), Some("2026-01-20")), ["2026-01-20"]);
        let default = days(None, None);
        assert_eq!((default.len(), default[0].as_str()), (30, "2026-01-31"));
        assert_eq!(days(Some("2025-11-30"), Some("2026-03-01")).len(), 92);
    }

    #[test]
    fn rejects_anything_but_92_days() {
        for (from, to) in [
            (Some("2025-11-29"), Some("2026-03-01")),
            (Some("2026-03-02"), None),
            (Some("2026-01-20T00:00:00Z"), None),
            (Some("2026-02-30"), None),
            (None, Some("")),
            (None, Some("today")),
        ] {
            assert!(read_days(from, to, now()).is_err(), "{from:?} {to:?}");
        }
    }

    fn day(day: &str, templates: &[(Option<&str>, i64)]) -> DayFigures {
        let figures = |(template, sent): &(Option<&str>, i64)| {
            (template.map(str::to_owned), Figures::read([("sent", *sent)]))
        };
        DayFigures {
            day: day.to_owned(),
            templates: templates.iter().map(figures).collect(),
            is_complete: true,
        }
    }

    #[test]
    fn sums_by_day_and_by_template() {
        let days = ["2026-01-20", "2026-01-21", "2026-01-22"].map(str::to_owned);
        let found = [
            day(&days[0], &[(Some("a"), 1), (None, 2)]),
            day(&days[1], &[]),
            day(&days[2], &[(Some("a"), 4)]),
        ];
        let stats = view(AccountCode::parse("A").unwrap(), &days, &found);
        let stats = serde_json::to_value(stats).unwrap();
        assert_eq!((&stats["from"], &stats["to"]), (&"2026-01-20".into(), &"2026-01-22".into()));
        assert_eq!(stats["total"]["sent"], 7);
        let list = |name: &str, key: &str| -> Vec<(serde_json::Value, serde_json::Value)> {
            let items = stats[name].as_array().unwrap().iter();
            items.map(|it| (it[key].clone(), it["sent"].clone())).collect()
        };
        let expected = [("2026-01-20".into(), 3.into()), ("2026-01-22".into(), 4.into())];
        assert_eq!(list("days", "day"), expected);
        let expected = [("a".into(), 5.into()), (serde_json::Value::Null, 2.into())];
        assert_eq!(list("templates", "template"), expected);
        assert_eq!(stats["complete"], true);
    }
}
