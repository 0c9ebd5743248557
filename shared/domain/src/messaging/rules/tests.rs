//! `settings` and `decision` share these rules.
#![expect(clippy::unwrap_used, clippy::panic)]

mod decision;
mod settings;
mod values;

use super::*;
use crate::orders::order::Order;
use crate::testing::{apply_report, order, report};
use crate::tracking::entry::TimelineEntry;
use crate::tracking::report::Report;
use crate::webhooks::notification::Change;

/// One rule with this text as its only parameter.
fn rules_with(text: &str, more: &str) -> MessageRules {
    let text = serde_json::to_string(text).unwrap();
    let rules = [
        r#"{"phone_number_id":"106540352242922","rules":[{"on":"out_for_delivery","#,
        r#""template":"on_its_way","language":"en","max_age_minutes":60,"#,
        r#""components":[{"type":"body","parameters":[{"type":"text","text":"#,
        &text,
        "}]}]}]",
        more,
        "}",
    ];
    MessageRules::parse(&rules.concat()).unwrap()
}

/// An order, and the entry of a report about it that changed it.
struct Scene {
    order: Order,
    entry: TimelineEntry,
}

impl Scene {
    fn new(body: &str, report: &Report) -> Self {
        let mut order = order("STORE001", body);
        let entry = apply_report(&mut order, &mut vec![], report).unwrap().entry;
        Self { order, entry }
    }

    fn change(&self) -> Change<'_> {
        let transition = self.entry.transition.as_ref().unwrap();
        Change { order: &self.order, entry: &self.entry, transition }
    }
}
