//! Dates and times in a language.

use domain::page::{Day, LocalTime};

use super::Language;

impl Language {
    /// E.g. `20 January`; with the year if it is not this one.
    pub(crate) fn date(&self, day: Day, today: Day) -> String {
        let month = usize::from(day.month).checked_sub(1).and_then(|at| self.months.get(at));
        let text = self
            .date
            .replace("{day}", &self.number(day.day.into()))
            .replace("{month}", month.copied().unwrap_or_default());
        if day.year == today.year {
            return text;
        }
        format!("{text} {}", self.digits(&day.year.to_string()))
    }

    /// Today, yesterday, tomorrow, or the date.
    pub(crate) fn day(&self, day: Day, today: Day) -> String {
        let texts = &self.texts;
        if day == today {
            texts.today.to_owned()
        } else if day.next() == Some(today) {
            texts.yesterday.to_owned()
        } else if today.next() == Some(day) {
            texts.tomorrow.to_owned()
        } else {
            self.date(day, today)
        }
    }

    /// `09:12`.
    pub(crate) fn time(&self, time: LocalTime) -> String {
        self.digits(&format!("{:02}:{:02}", time.hour, time.minute))
    }
}
