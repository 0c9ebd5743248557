//! The languages of the page: one file each. The compiler sees to it that none lacks a text.

mod bn;
mod dates;
mod en;
mod gu;
mod hi;
mod kn;
mod ml;
mod mr;
mod ta;
mod te;

use domain::page::{Headline, Tick, Way};

/// The texts of one language. `{…}` are replaced.
pub(crate) struct Language {
    /// BCP 47.
    pub(crate) code: &'static str,
    /// In the language itself.
    pub(crate) name: &'static str,
    /// The digit 0.
    zero: char,
    /// The categories of CLDR: true for `one`.
    is_one: fn(u64) -> bool,
    /// E.g. `{day} {month}`.
    date: &'static str,
    months: [&'static str; 12],
    headline: fn(Headline) -> &'static str,
    stages: fn(Way) -> &'static [&'static str],
    tick: fn(Tick) -> &'static str,
    pub(crate) texts: Texts,
}

/// `one`, `other`.
pub(crate) type Plural = [&'static str; 2];

pub(crate) struct Texts {
    pub(crate) today: &'static str,
    pub(crate) yesterday: &'static str,
    pub(crate) tomorrow: &'static str,
    pub(crate) expected: &'static str,
    pub(crate) expected_by: &'static str,
    pub(crate) overdue: &'static str,
    pub(crate) ended: &'static str,
    pub(crate) seen_in: &'static str,
    pub(crate) nothing_yet: &'static str,
    pub(crate) payment_due: &'static str,
    pub(crate) pickup_failed: &'static str,
    pub(crate) delayed: &'static str,
    pub(crate) problem: &'static str,
    pub(crate) attempt_failed: &'static str,
    pub(crate) next_attempt: &'static str,
    pub(crate) last_attempt: &'static str,
    pub(crate) another_attempt: Plural,
    pub(crate) lost: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) going_back: &'static str,
    pub(crate) returned: &'static str,
    pub(crate) courier_says: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) parcel_of: &'static str,
    pub(crate) return_parcel: &'static str,
    pub(crate) tracking_number: &'static str,
    pub(crate) at_courier: &'static str,
    pub(crate) history: &'static str,
    pub(crate) earlier: Plural,
    pub(crate) messages: &'static str,
    pub(crate) message: &'static str,
    pub(crate) order: &'static str,
    pub(crate) items: Plural,
    pub(crate) times: &'static str,
    /// The states of the connection: changes come at once.
    pub(crate) live: &'static str,
    pub(crate) reconnecting: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) language: &'static str,
    pub(crate) not_found: [&'static str; 2],
    pub(crate) expired: [&'static str; 2],
    pub(crate) unavailable: [&'static str; 2],
}

/// In the order of the switch.
pub(crate) const LANGUAGES: [&Language; 9] = [
    &en::ENGLISH,
    &hi::HINDI,
    &bn::BENGALI,
    &mr::MARATHI,
    &te::TELUGU,
    &ta::TAMIL,
    &gu::GUJARATI,
    &kn::KANNADA,
    &ml::MALAYALAM,
];
pub(crate) const CODES: [&str; 9] = ["en", "hi", "bn", "mr", "te", "ta", "gu", "kn", "ml"];

impl Language {
    /// The asked one, else the first that the browser accepts, else English; of those that the shop
    /// has.
    pub(crate) fn choose(
        asked: Option<&str>,
        accepted: Option<&str>,
        of_shop: &[String],
    ) -> &'static Self {
        let offered = Self::offered(of_shop);
        let find = |code: &str| offered.iter().copied().find(|it| it.code == code);
        let accepted = accepted.map(accepted_codes).unwrap_or_default();
        asked
            .and_then(find)
            .or_else(|| accepted.iter().find_map(|code| find(code)))
            .or_else(|| find(en::ENGLISH.code))
            .or_else(|| offered.first().copied())
            .unwrap_or(&en::ENGLISH)
    }

    /// All languages of a shop.
    pub(crate) fn offered(of_shop: &[String]) -> Vec<&'static Self> {
        if of_shop.is_empty() {
            return LANGUAGES.to_vec();
        }
        let find = |code: &String| LANGUAGES.into_iter().find(|it| it.code == *code);
        of_shop.iter().filter_map(find).collect()
    }

    pub(crate) fn headline(&self, headline: Headline) -> &'static str {
        (self.headline)(headline)
    }

    pub(crate) fn stages(&self, way: Way) -> &'static [&'static str] {
        (self.stages)(way)
    }

    pub(crate) fn tick(&self, tick: Tick) -> &'static str {
        (self.tick)(tick)
    }

    pub(crate) fn number(&self, number: u64) -> String {
        self.digits(&number.to_string())
    }

    /// `{n}` is the number.
    pub(crate) fn plural(&self, [one, other]: Plural, number: u64) -> String {
        let text = if (self.is_one)(number) { one } else { other };
        text.replace("{n}", &self.number(number))
    }

    /// With the digits of the language.
    fn digits(&self, text: &str) -> String {
        let digit = |c: char| match c.to_digit(10) {
            Some(value) => char::from_u32(u32::from(self.zero) + value).unwrap_or(c),
            None => c,
        };
        text.chars().map(digit).collect()
    }
}

/// The primary subtags of `Accept-Language`, the best first.
fn accepted_codes(header: &str) -> Vec<String> {
    let mut accepted: Vec<(u16, String)> = header.split(',').filter_map(range).collect();
    // Stable: of equal weights the first counts.
    accepted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    accepted.into_iter().map(|(_, code)| code).collect()
}

/// A language range, e.g. `hi-IN;q=0.8`, its weight in thousandths.
fn range(text: &str) -> Option<(u16, String)> {
    let mut parts = text.split(';').map(str::trim);
    let code = parts.next()?.split('-').next()?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |weight| {
        weight.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
    });
    let thousandths = (weight * 1000.0).round();
    let thousandths = thousandths as u16;
    (thousandths > 0).then_some((thousandths, code))
}

#[cfg(test)]
mod tests;
