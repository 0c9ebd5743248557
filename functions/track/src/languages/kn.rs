//! Kannada. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const KANNADA: Language = Language {
    code: "kn",
    name: "ಕನ್ನಡ",
    zero: '0',
    is_one: |n| n <= 1,
    date: "{day} {month}",
    months: [
        "ಜನವರಿ",
        "ಫೆಬ್ರವರಿ",
        "ಮಾರ್ಚ್",
        "ಏಪ್ರಿಲ್",
        "ಮೇ",
        "ಜೂನ್",
        "ಜುಲೈ",
        "ಆಗಸ್ಟ್",
        "ಸೆಪ್ಟೆಂಬರ್",
        "ಅಕ್ಟೋಬರ್",
        "ನವೆಂಬರ್",
        "ಡಿಸೆಂಬರ್",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "ಇಂದು",
        yesterday: "ನಿನ್ನೆ",
        tomorrow: "ನಾಳೆ",
        expected: "ನಿರೀಕ್ಷಿತ ದಿನಾಂಕ: {date}",
        expected_by: "ನಿರೀಕ್ಷಿತ ಸಮಯ: {date}, {time} ಒಳಗೆ",
        overdue: "ನಿರೀಕ್ಷಿತ ದಿನಾಂಕ ದಾಟಿದೆ: {date}",
        ended: "{date}, {time}",
        seen_in: "ಕೊನೆಯ ಸ್ಥಳ: {place}",
        nothing_yet: "ಕೊರಿಯರ್ ಇನ್ನೂ ಏನನ್ನೂ ತಿಳಿಸಿಲ್ಲ. ತಿಳಿಸಿದ ಕೂಡಲೇ ಇಲ್ಲಿ ಕಾಣಿಸುತ್ತದೆ.",
        payment_due: "ಅಂಗಡಿ ನಿಮ್ಮ ಪಾವತಿಗಾಗಿ ಕಾಯುತ್ತಿದೆ.",
        pickup_failed: "ಕೊರಿಯರ್‌ಗೆ ಅಂಗಡಿಯಿಂದ ಪಾರ್ಸೆಲ್ ತೆಗೆದುಕೊಳ್ಳಲು ಆಗಲಿಲ್ಲ. ಮತ್ತೆ ಪ್ರಯತ್ನಿಸುತ್ತದೆ.",
        delayed: "ಪಾರ್ಸೆಲ್ ಅಂದುಕೊಂಡದ್ದಕ್ಕಿಂತ ತಡವಾಗಿ ತಲುಪುತ್ತದೆ. ನೀವು ಏನೂ ಮಾಡಬೇಕಾಗಿಲ್ಲ.",
        problem: "ಕೊರಿಯರ್ ಒಂದು ಸಮಸ್ಯೆಯನ್ನು ತಿಳಿಸಿದೆ ಮತ್ತು ಸರಿಪಡಿಸುತ್ತಿದೆ. ಎರಡು ದಿನಗಳಲ್ಲಿ ಏನೂ ಬದಲಾಗದಿದ್ದರೆ ಅಂಗಡಿಯನ್ನು ಸಂಪರ್ಕಿಸಿ.",
        attempt_failed: "ಡೆಲಿವರಿ ಪ್ರಯತ್ನ {n} ವಿಫಲವಾಯಿತು.",
        next_attempt: "ಕೊರಿಯರ್ ಮತ್ತೆ ಪ್ರಯತ್ನಿಸುತ್ತದೆ.",
        last_attempt: "ಪಾರ್ಸೆಲ್ ಈಗ ಅಂಗಡಿಗೆ ಹಿಂದಿರುಗಬಹುದು. ಅದು ನಿಮಗೆ ಬೇಕಿದ್ದರೆ ಅಂಗಡಿಯನ್ನು ಸಂಪರ್ಕಿಸಿ.",
        another_attempt: [
            "ಈ ಮೊದಲು {n} ಡೆಲಿವರಿ ಪ್ರಯತ್ನ ವಿಫಲವಾಗಿದೆ. ಕೊರಿಯರ್ ಮತ್ತೆ ಪ್ರಯತ್ನಿಸುತ್ತಿದೆ.",
            "ಈ ಮೊದಲು {n} ಡೆಲಿವರಿ ಪ್ರಯತ್ನಗಳು ವಿಫಲವಾಗಿವೆ. ಕೊರಿಯರ್ ಮತ್ತೆ ಪ್ರಯತ್ನಿಸುತ್ತಿದೆ.",
        ],
        lost: "ಕೊರಿಯರ್ ಪಾರ್ಸೆಲ್ ಅನ್ನು ಕಳೆದುಕೊಂಡಿದೆ. ಅಂಗಡಿಯನ್ನು ಸಂಪರ್ಕಿಸಿ: ಅವರು ಹೊಸದನ್ನು ಕಳುಹಿಸಬಹುದು ಅಥವಾ ಹಣ ಹಿಂದಿರುಗಿಸಬಹುದು.",
        cancelled: "ಏನೂ ಡೆಲಿವರಿ ಆಗುವುದಿಲ್ಲ. ಕಾರಣ ಗೊತ್ತಿಲ್ಲದಿದ್ದರೆ ಅಂಗಡಿಯನ್ನು ಸಂಪರ್ಕಿಸಿ.",
        going_back: "ಪಾರ್ಸೆಲ್ ಅಂಗಡಿಗೆ ಹಿಂದಿರುಗುತ್ತಿದೆ.",
        returned: "ಪಾರ್ಸೆಲ್ ಅಂಗಡಿಗೆ ಹಿಂದಿರುಗಿದೆ. ಅದು ನಿಮಗೆ ಬೇಕಿದ್ದರೆ ಅಂಗಡಿಯನ್ನು ಸಂಪರ್ಕಿಸಿ.",
        courier_says: "ಕೊರಿಯರ್ ತಿಳಿಸಿದೆ:",
        progress: "ಪ್ರಗತಿ",
        parcel_of: "{total}ರಲ್ಲಿ ಪಾರ್ಸೆಲ್ {n}",
        return_parcel: "ಹಿಂದಿರುಗುವ ಪಾರ್ಸೆಲ್",
        tracking_number: "ಟ್ರ್ಯಾಕಿಂಗ್ ಸಂಖ್ಯೆ",
        at_courier: "ಕೊರಿಯರ್ ಸೈಟ್‌ನಲ್ಲಿ ನೋಡಿ",
        history: "ಇಲ್ಲಿಯವರೆಗಿನ ಪ್ರಯಾಣ",
        earlier: ["ಹಿಂದಿನ {n} ಮಾಹಿತಿ", "ಹಿಂದಿನ {n} ಮಾಹಿತಿಗಳು"],
        messages: "ಸಂದೇಶಗಳು",
        message: "ನಿಮ್ಮ ಆರ್ಡರ್ ಬಗ್ಗೆ ಸಂದೇಶ",
        order: "ಆರ್ಡರ್ {id}",
        items: ["{n} ವಸ್ತು", "{n} ವಸ್ತುಗಳು"],
        times: "ಸಮಯ: {zone}",
        live: "ಲೈವ್",
        reconnecting: "ಮರುಸಂಪರ್ಕಿಸುತ್ತಿದೆ…",
        offline: "ಆಫ್‌ಲೈನ್",
        language: "ಭಾಷೆ",
        not_found: ["ಈ ಲಿಂಕ್ ಕೆಲಸ ಮಾಡುವುದಿಲ್ಲ", "ನೀವು ಪೂರ್ಣ ಲಿಂಕ್ ತೆರೆದಿದ್ದೀರಾ ನೋಡಿ, ಅಥವಾ ಅಂಗಡಿಯಲ್ಲಿ ಹೊಸ ಲಿಂಕ್ ಕೇಳಿ."],
        expired: [
            "ಈ ಲಿಂಕ್‌ನ ಅವಧಿ ಮುಗಿದಿದೆ",
            "ನಿಮ್ಮ ಆರ್ಡರ್‌ನ ಸುರಕ್ಷತೆಗಾಗಿ ಲಿಂಕ್‌ಗಳು ಸೀಮಿತ ಸಮಯ ಕೆಲಸ ಮಾಡುತ್ತವೆ. ಅಂಗಡಿಯಲ್ಲಿ ಹೊಸ ಲಿಂಕ್ ಕೇಳಿ.",
        ],
        unavailable: ["ಈ ಪುಟ ಈಗ ಲಭ್ಯವಿಲ್ಲ", "ನಿಮ್ಮ ಆರ್ಡರ್ ಮೇಲೆ ಪರಿಣಾಮವಿಲ್ಲ. ಒಂದು ನಿಮಿಷದ ನಂತರ ಮತ್ತೆ ಪ್ರಯತ್ನಿಸಿ."],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ಆರ್ಡರ್ ಬಂದಿದೆ",
        Headline::PaymentDue => "ಪಾವತಿ ಬಾಕಿ ಇದೆ",
        Headline::Preparing => "ಸಿದ್ಧವಾಗುತ್ತಿದೆ",
        Headline::AwaitingPickup => "ಕೊರಿಯರ್‌ಗಾಗಿ ಕಾಯುತ್ತಿದೆ",
        Headline::Shipped => "ಕಳುಹಿಸಲಾಗಿದೆ",
        Headline::OnTheWay => "ದಾರಿಯಲ್ಲಿದೆ",
        Headline::Delayed => "ತಡವಾಗುತ್ತಿದೆ",
        Headline::Problem => "ಒಂದು ಸಮಸ್ಯೆ ಇದೆ",
        Headline::OutForDelivery => "ಡೆಲಿವರಿಗೆ ಹೊರಟಿದೆ",
        Headline::AttemptFailed => "ಇನ್ನೂ ಡೆಲಿವರಿ ಆಗಿಲ್ಲ",
        Headline::Completed => "ಪೂರ್ಣಗೊಂಡಿದೆ",
        Headline::Delivered => "ಡೆಲಿವರಿ ಆಗಿದೆ",
        Headline::Lost => "ಕಳೆದುಹೋಗಿದೆ",
        Headline::Cancelled => "ರದ್ದಾಗಿದೆ",
        Headline::ReturnStarted => "ಹಿಂದಿರುಗಿಸುವುದು ಶುರುವಾಗಿದೆ",
        Headline::Returning => "ಹಿಂದಿರುಗುತ್ತಿದೆ",
        Headline::ReturnArriving => "ಅಂಗಡಿಯ ಹತ್ತಿರ ತಲುಪಿದೆ",
        Headline::Returned => "ಅಂಗಡಿಗೆ ಹಿಂದಿರುಗಿದೆ",
        Headline::Replaced => "ಇದರ ಬದಲು ಬೇರೆ ಪಾರ್ಸೆಲ್ ಇದೆ",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ಆರ್ಡರ್", "ಕಳುಹಿಸಲಾಗಿದೆ", "ದಾರಿಯಲ್ಲಿ", "ಡೆಲಿವರಿಯಲ್ಲಿ", "ಡೆಲಿವರಿ ಆಗಿದೆ"],
        Way::Back => &["ಶುರುವಾಗಿದೆ", "ಹಿಂದಿರುಗುತ್ತಿದೆ", "ಅಂಗಡಿ ಹತ್ತಿರ", "ಹಿಂದಿರುಗಿದೆ"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "ಕಳುಹಿಸಲಾಗುತ್ತಿದೆ",
        Tick::Sent => "ಕಳುಹಿಸಲಾಗಿದೆ",
        Tick::Delivered => "ತಲುಪಿದೆ",
        Tick::Read => "ಓದಲಾಗಿದೆ",
        Tick::Failed => "ಕಳುಹಿಸಲು ಆಗಲಿಲ್ಲ",
    }
}
