//! English, by which translators go.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const ENGLISH: Language = Language {
    code: "en",
    name: "English",
    zero: '0',
    is_one: |n| n == 1,
    date: "{day} {month}",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "today",
        yesterday: "yesterday",
        tomorrow: "tomorrow",
        expected: "Expected {date}",
        expected_by: "Expected {date}, by {time}",
        overdue: "Was expected {date}",
        ended: "{date}, {time}",
        seen_in: "Last seen: {place}",
        nothing_yet: "The courier has not reported anything yet. This page shows it as soon as it does.",
        payment_due: "The shop is waiting for your payment.",
        pickup_failed: "The courier could not collect the parcel from the shop. It will try again.",
        delayed: "The parcel will arrive later than planned. You need not do anything.",
        problem: "The courier reports a problem and is working on it. If nothing changes in two days, contact the shop.",
        attempt_failed: "Delivery attempt {n} failed.",
        next_attempt: "The courier will try again.",
        last_attempt: "The parcel may go back to the shop now. If you still want it, contact the shop.",
        another_attempt: [
            "{n} delivery attempt failed before. The courier is trying again.",
            "{n} delivery attempts failed before. The courier is trying again.",
        ],
        lost: "The courier has lost the parcel. Contact the shop: it can send a new one or refund you.",
        cancelled: "Nothing will be delivered. If you do not know why, contact the shop.",
        going_back: "The parcel is going back to the shop.",
        returned: "The parcel is back at the shop. If you still want it, contact the shop.",
        courier_says: "The courier says:",
        progress: "Progress",
        parcel_of: "Parcel {n} of {total}",
        return_parcel: "Return parcel",
        tracking_number: "Tracking number",
        at_courier: "Track at the courier",
        history: "History",
        earlier: ["{n} earlier entry", "{n} earlier entries"],
        messages: "Messages",
        message: "Message about your order",
        order: "Order {id}",
        items: ["{n} item", "{n} items"],
        times: "Times: {zone}",
        live: "Live",
        reconnecting: "Reconnecting…",
        offline: "Offline",
        language: "Language",
        not_found: [
            "This link does not work",
            "Check that you have opened the whole link, or ask the shop for a new one.",
        ],
        expired: [
            "This link has expired",
            "Links work for a limited time to protect your order. Ask the shop for a new one.",
        ],
        unavailable: [
            "This page is not available right now",
            "Your order is not affected. Try again in a minute.",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "Order received",
        Headline::PaymentDue => "Payment due",
        Headline::Preparing => "Getting ready",
        Headline::AwaitingPickup => "Waiting for the courier",
        Headline::Shipped => "Shipped",
        Headline::OnTheWay => "On its way",
        Headline::Delayed => "Delayed",
        Headline::Problem => "There is a problem",
        Headline::OutForDelivery => "Out for delivery",
        Headline::AttemptFailed => "Not delivered yet",
        Headline::Completed => "Completed",
        Headline::Delivered => "Delivered",
        Headline::Lost => "Lost",
        Headline::Cancelled => "Cancelled",
        Headline::ReturnStarted => "Return started",
        Headline::Returning => "On its way back",
        Headline::ReturnArriving => "Nearly back at the shop",
        Headline::Returned => "Returned to the shop",
        Headline::Replaced => "Replaced by another parcel",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["Ordered", "Shipped", "On its way", "Out for delivery", "Delivered"],
        Way::Back => &["Return started", "On its way back", "Near the shop", "Returned"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "Sending",
        Tick::Sent => "Sent",
        Tick::Delivered => "Delivered",
        Tick::Read => "Read",
        Tick::Failed => "Not sent",
    }
}
