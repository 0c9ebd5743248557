//! Malayalam. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const MALAYALAM: Language = Language {
    code: "ml",
    name: "മലയാളം",
    zero: '0',
    is_one: |n| n == 1,
    date: "{month} {day}",
    months: [
        "ജനുവരി",
        "ഫെബ്രുവരി",
        "മാർച്ച്",
        "ഏപ്രിൽ",
        "മേയ്",
        "ജൂൺ",
        "ജൂലൈ",
        "ഓഗസ്റ്റ്",
        "സെപ്റ്റംബർ",
        "ഒക്‌ടോബർ",
        "നവംബർ",
        "ഡിസംബർ",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "ഇന്ന്",
        yesterday: "ഇന്നലെ",
        tomorrow: "നാളെ",
        expected: "പ്രതീക്ഷിക്കുന്ന തീയതി: {date}",
        expected_by: "പ്രതീക്ഷിക്കുന്ന സമയം: {date}, {time}-നകം",
        overdue: "പ്രതീക്ഷിച്ച തീയതി കഴിഞ്ഞു: {date}",
        ended: "{date}, {time}",
        seen_in: "അവസാന സ്ഥലം: {place}",
        nothing_yet: "കൊറിയർ ഇതുവരെ ഒന്നും അറിയിച്ചിട്ടില്ല. അറിയിച്ചാലുടൻ ഇവിടെ കാണാം.",
        payment_due: "കട നിങ്ങളുടെ പണത്തിനായി കാത്തിരിക്കുന്നു.",
        pickup_failed: "കൊറിയറിന് കടയിൽ നിന്ന് പാർസൽ എടുക്കാനായില്ല. വീണ്ടും ശ്രമിക്കും.",
        delayed: "പാർസൽ പ്രതീക്ഷിച്ചതിലും വൈകി എത്തും. നിങ്ങൾ ഒന്നും ചെയ്യേണ്ടതില്ല.",
        problem: "കൊറിയർ ഒരു പ്രശ്നം അറിയിച്ചു, അത് പരിഹരിക്കുകയാണ്. രണ്ടു ദിവസത്തിനകം മാറ്റമില്ലെങ്കിൽ കടയുമായി ബന്ധപ്പെടുക.",
        attempt_failed: "ഡെലിവറി ശ്രമം {n} പരാജയപ്പെട്ടു.",
        next_attempt: "കൊറിയർ വീണ്ടും ശ്രമിക്കും.",
        last_attempt: "പാർസൽ ഇനി കടയിലേക്ക് മടങ്ങിയേക്കാം. നിങ്ങൾക്ക് അത് വേണമെങ്കിൽ കടയുമായി ബന്ധപ്പെടുക.",
        another_attempt: [
            "മുമ്പ് {n} ഡെലിവറി ശ്രമം പരാജയപ്പെട്ടു. കൊറിയർ വീണ്ടും ശ്രമിക്കുകയാണ്.",
            "മുമ്പ് {n} ഡെലിവറി ശ്രമങ്ങൾ പരാജയപ്പെട്ടു. കൊറിയർ വീണ്ടും ശ്രമിക്കുകയാണ്.",
        ],
        lost: "കൊറിയറിന്റെ പക്കൽ നിന്ന് പാർസൽ നഷ്ടപ്പെട്ടു. കടയുമായി ബന്ധപ്പെടുക: അവർക്ക് പുതിയത് അയയ്ക്കാനോ പണം തിരികെ നൽകാനോ കഴിയും.",
        cancelled: "ഒന്നും ഡെലിവർ ചെയ്യില്ല. കാരണം അറിയില്ലെങ്കിൽ കടയുമായി ബന്ധപ്പെടുക.",
        going_back: "പാർസൽ കടയിലേക്ക് മടങ്ങുകയാണ്.",
        returned: "പാർസൽ കടയിൽ മടങ്ങിയെത്തി. നിങ്ങൾക്ക് അത് വേണമെങ്കിൽ കടയുമായി ബന്ധപ്പെടുക.",
        courier_says: "കൊറിയർ അറിയിച്ചത്:",
        progress: "പുരോഗതി",
        parcel_of: "{total}-ൽ പാർസൽ {n}",
        return_parcel: "മടക്ക പാർസൽ",
        tracking_number: "ട്രാക്കിംഗ് നമ്പർ",
        at_courier: "കൊറിയർ സൈറ്റിൽ കാണുക",
        history: "ഇതുവരെയുള്ള യാത്ര",
        earlier: ["മുമ്പത്തെ {n} വിവരം", "മുമ്പത്തെ {n} വിവരങ്ങൾ"],
        messages: "സന്ദേശങ്ങൾ",
        message: "നിങ്ങളുടെ ഓർഡറിനെക്കുറിച്ചുള്ള സന്ദേശം",
        order: "ഓർഡർ {id}",
        items: ["{n} സാധനം", "{n} സാധനങ്ങൾ"],
        times: "സമയം: {zone}",
        live: "തത്സമയം",
        reconnecting: "വീണ്ടും കണക്റ്റ് ചെയ്യുന്നു…",
        offline: "ഓഫ്‌ലൈൻ",
        language: "ഭാഷ",
        not_found: [
            "ഈ ലിങ്ക് പ്രവർത്തിക്കുന്നില്ല",
            "മുഴുവൻ ലിങ്കും തുറന്നോ എന്ന് നോക്കുക, അല്ലെങ്കിൽ കടയോട് പുതിയത് ചോദിക്കുക.",
        ],
        expired: [
            "ഈ ലിങ്കിന്റെ കാലാവധി കഴിഞ്ഞു",
            "നിങ്ങളുടെ ഓർഡറിന്റെ സുരക്ഷയ്ക്കായി ലിങ്കുകൾ പരിമിത കാലം മാത്രം പ്രവർത്തിക്കും. കടയോട് പുതിയത് ചോദിക്കുക.",
        ],
        unavailable: [
            "ഈ പേജ് ഇപ്പോൾ ലഭ്യമല്ല",
            "നിങ്ങളുടെ ഓർഡറിനെ ബാധിച്ചിട്ടില്ല. ഒരു മിനിറ്റിനു ശേഷം വീണ്ടും ശ്രമിക്കുക.",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ഓർഡർ ലഭിച്ചു",
        Headline::PaymentDue => "പണം അടയ്ക്കാനുണ്ട്",
        Headline::Preparing => "തയ്യാറാകുന്നു",
        Headline::AwaitingPickup => "കൊറിയറിനായി കാത്തിരിക്കുന്നു",
        Headline::Shipped => "അയച്ചു",
        Headline::OnTheWay => "വഴിയിലാണ്",
        Headline::Delayed => "വൈകുന്നു",
        Headline::Problem => "ഒരു പ്രശ്നമുണ്ട്",
        Headline::OutForDelivery => "ഡെലിവറിക്ക് പുറപ്പെട്ടു",
        Headline::AttemptFailed => "ഇതുവരെ ഡെലിവർ ചെയ്തിട്ടില്ല",
        Headline::Completed => "പൂർത്തിയായി",
        Headline::Delivered => "ഡെലിവർ ചെയ്തു",
        Headline::Lost => "നഷ്ടപ്പെട്ടു",
        Headline::Cancelled => "റദ്ദാക്കി",
        Headline::ReturnStarted => "മടക്കം തുടങ്ങി",
        Headline::Returning => "മടങ്ങുകയാണ്",
        Headline::ReturnArriving => "കടയ്ക്ക് അടുത്തെത്തി",
        Headline::Returned => "കടയിൽ മടങ്ങിയെത്തി",
        Headline::Replaced => "ഇതിനു പകരം മറ്റൊരു പാർസൽ ഉണ്ട്",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ഓർഡർ", "അയച്ചു", "വഴിയിൽ", "ഡെലിവറിയിൽ", "ഡെലിവർ ചെയ്തു"],
        Way::Back => &["മടക്കം തുടങ്ങി", "മടങ്ങുന്നു", "കടയ്ക്ക് അടുത്ത്", "മടങ്ങിയെത്തി"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "അയയ്ക്കുന്നു",
        Tick::Sent => "അയച്ചു",
        Tick::Delivered => "എത്തി",
        Tick::Read => "വായിച്ചു",
        Tick::Failed => "അയയ്ക്കാനായില്ല",
    }
}
