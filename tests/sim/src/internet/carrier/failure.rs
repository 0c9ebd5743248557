//! The ways in which the tracking API fails.

use domain::core::id::Awb;
use egress::SendError;

use super::Trouble;
use super::answer::{odd, truth, unreadable};
use super::parcel::Parcel;
use crate::internet::{Answer, Reply};
use crate::ledger::polling::Asked;
use crate::setup::polling::Shop;
use crate::world::State;

/// Longer than the time that a call may take.
const TOO_LONG_MS: u64 = 40_000;
/// Troubles last for minutes at most.
const TROUBLE_MS: u64 = 100_000;

const REFUSALS: [u16; 12] = [204, 206, 301, 400, 404, 408, 413, 422, 500, 502, 504, 599];
const ABOUT_CREDENTIALS: [u16; 3] = [401, 403, 429];

const RETRY_AFTER: [&str; 9] = [
    "0",
    "2",
    "20",
    "-1",
    "1e300",
    "inf",
    "junk",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Mon, 02 Mar 2026 06:10:00 GMT",
];

impl State {
    /// What a call fails with if one of its parcels breaks it: mostly the same each time.
    pub(super) fn broken_call(&mut self, parcels: &[&Parcel]) -> Reply {
        let ms = self.latency(300);
        *self.struck.entry("carrier").or_default() += 1;
        let status = |status| Reply::after_ms(ms, Ok(Answer::new(status, "no")));
        match parcels.iter().map(|parcel| parcel.awb.len()).sum::<usize>() % 3 {
            0 => status(500),
            1 => status(400),
            _ => {
                let body = unreadable(parcels, &mut self.random);
                Reply::after_ms(ms, Ok(Answer::new(200, body)))
            }
        }
    }

    /// `None` without a trouble of this shop.
    pub(super) fn trouble_of(&mut self, shop: Shop) -> Option<Reply> {
        let trouble = self.carrier.trouble.filter(|it| it.shop.is_none_or(|it| it == shop))?;
        if self.now() >= trouble.until || self.faults.carrier == 0.0 {
            return None;
        }
        *self.struck.entry("carrier").or_default() += 1;
        Some(self.refusal(trouble.status))
    }

    pub(super) fn failing_call(&mut self, asked: &Asked, parcels: &[&Parcel]) -> Reply {
        let ms = self.latency(300);
        match self.random.u8(..20) {
            0..=6 => {
                let others = self.foreign_parcels(asked);
                let others: Vec<&Parcel> = others.iter().collect();
                let body = odd(parcels, &others, &mut self.random);
                Reply::after_ms(ms, Ok(Answer::new(200, body)))
            }
            7..=10 => {
                let body = unreadable(parcels, &mut self.random);
                Reply::after_ms(ms, Ok(Answer::new(200, body)))
            }
            11 | 12 => {
                let status = REFUSALS[self.random.usize(..REFUSALS.len())];
                Reply::after_ms(ms, Ok(Answer::new(status, "no")))
            }
            13 => {
                let status = ABOUT_CREDENTIALS[self.random.usize(..3)];
                self.refusal(status)
            }
            14 => self.begin_trouble(asked.shop),
            15 => Reply::never(),
            16 => Reply::after_ms(ms, Err(self.connection_error())),
            17 => Reply::after_ms(ms, Ok(Answer::new(200, truth_text(parcels)))).breaking_off(),
            18 => Reply::after_ms(ms, Ok(Answer::new(200, truth_text(parcels)))).stalling(),
            _ => Reply::after_ms(TOO_LONG_MS, Ok(Answer::new(200, truth_text(parcels)))),
        }
    }

    /// Parcels with AWBs that the call does not ask about, of any shop.
    fn foreign_parcels(&self, asked: &Asked) -> Vec<Parcel> {
        let canonical = |awb: &String| Awb::parse(awb).ok().map(|awb| awb.canonical());
        let asked: Vec<_> = asked.awbs.iter().map(canonical).collect();
        let parcels = self.carrier.parcels.values();
        parcels.filter(|parcel| !asked.contains(&canonical(&parcel.awb))).cloned().collect()
    }

    fn begin_trouble(&mut self, shop: Shop) -> Reply {
        let statuses = [401, 403, 429, 500, 503];
        let status = statuses[self.random.usize(..statuses.len())];
        let until = self.now() + self.random.u64(5_000..TROUBLE_MS);
        let shop = (status < 500).then_some(shop);
        self.carrier.trouble = Some(Trouble { shop, status, until });
        self.refusal(status)
    }

    fn refusal(&mut self, status: u16) -> Reply {
        let ms = self.latency(300);
        let mut answer = Answer::new(status, "no");
        if self.random.bool() {
            let value = RETRY_AFTER[self.random.usize(..RETRY_AFTER.len())];
            answer = answer.with_header("retry-after", value);
        }
        Reply::after_ms(ms, Ok(answer))
    }

    fn connection_error(&mut self) -> SendError {
        let errors = [
            SendError::Dns,
            SendError::Connect,
            SendError::Tls,
            SendError::Blocked,
            SendError::Protocol,
            SendError::Closed,
        ];
        errors[self.random.usize(..errors.len())]
    }
}

fn truth_text(parcels: &[&Parcel]) -> String {
    serde_json::Value::from(truth(parcels)).to_string()
}
