//! Gujarati. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const GUJARATI: Language = Language {
    code: "gu",
    name: "ગુજરાતી",
    zero: '0',
    is_one: |n| n <= 1,
    date: "{day} {month}",
    months: [
        "જાન્યુઆરી",
        "ફેબ્રુઆરી",
        "માર્ચ",
        "એપ્રિલ",
        "મે",
        "જૂન",
        "જુલાઈ",
        "ઑગસ્ટ",
        "સપ્ટેમ્બર",
        "ઑક્ટોબર",
        "નવેમ્બર",
        "ડિસેમ્બર",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "આજે",
        yesterday: "ગઈકાલે",
        tomorrow: "આવતીકાલે",
        expected: "અંદાજિત તારીખ: {date}",
        expected_by: "અંદાજિત સમય: {date}, {time} સુધીમાં",
        overdue: "અંદાજિત તારીખ વીતી ગઈ: {date}",
        ended: "{date}, {time}",
        seen_in: "છેલ્લી જગ્યા: {place}",
        nothing_yet: "કુરિયરે હજી કંઈ જણાવ્યું નથી. જણાવશે કે તરત અહીં દેખાશે.",
        payment_due: "દુકાન તમારી ચુકવણીની રાહ જુએ છે.",
        pickup_failed: "કુરિયર દુકાનેથી પાર્સલ લઈ શક્યું નહીં. તે ફરી પ્રયત્ન કરશે.",
        delayed: "પાર્સલ નક્કી સમય કરતાં મોડું પહોંચશે. તમારે કંઈ કરવાની જરૂર નથી.",
        problem: "કુરિયરે એક સમસ્યા જણાવી છે અને તેને ઉકેલી રહ્યું છે. બે દિવસમાં કંઈ ન બદલાય તો દુકાનનો સંપર્ક કરો.",
        attempt_failed: "ડિલિવરીનો પ્રયત્ન {n} સફળ ન થયો.",
        next_attempt: "કુરિયર ફરી પ્રયત્ન કરશે.",
        last_attempt: "પાર્સલ હવે દુકાને પાછું જઈ શકે છે. તમને તે જોઈતું હોય તો દુકાનનો સંપર્ક કરો.",
        another_attempt: [
            "અગાઉ ડિલિવરીનો {n} પ્રયત્ન સફળ ન થયો. કુરિયર ફરી પ્રયત્ન કરી રહ્યું છે.",
            "અગાઉ ડિલિવરીના {n} પ્રયત્નો સફળ ન થયા. કુરિયર ફરી પ્રયત્ન કરી રહ્યું છે.",
        ],
        lost: "કુરિયરથી પાર્સલ ખોવાઈ ગયું છે. દુકાનનો સંપર્ક કરો: તે નવું મોકલી શકે છે અથવા પૈસા પાછા આપી શકે છે.",
        cancelled: "કંઈ ડિલિવર થશે નહીં. કારણ ખબર ન હોય તો દુકાનનો સંપર્ક કરો.",
        going_back: "પાર્સલ દુકાને પાછું જઈ રહ્યું છે.",
        returned: "પાર્સલ દુકાને પાછું આવી ગયું છે. તમને તે જોઈતું હોય તો દુકાનનો સંપર્ક કરો.",
        courier_says: "કુરિયરે જણાવ્યું:",
        progress: "પ્રગતિ",
        parcel_of: "{total} માંથી પાર્સલ {n}",
        return_parcel: "પરતનું પાર્સલ",
        tracking_number: "ટ્રૅકિંગ નંબર",
        at_courier: "કુરિયરની સાઇટ પર જુઓ",
        history: "અત્યાર સુધીની સફર",
        earlier: ["અગાઉની {n} માહિતી", "અગાઉની {n} માહિતી"],
        messages: "સંદેશા",
        message: "તમારા ઑર્ડર વિશે સંદેશ",
        order: "ઑર્ડર {id}",
        items: ["{n} વસ્તુ", "{n} વસ્તુઓ"],
        times: "સમય: {zone}",
        live: "લાઇવ",
        reconnecting: "ફરી જોડાઈ રહ્યું છે…",
        offline: "ઑફલાઇન",
        language: "ભાષા",
        not_found: [
            "આ લિંક કામ કરતી નથી",
            "તમે આખી લિંક ખોલી છે કે નહીં તે જુઓ, અથવા દુકાન પાસે નવી લિંક માગો.",
        ],
        expired: [
            "આ લિંકની મુદત પૂરી થઈ ગઈ છે",
            "તમારા ઑર્ડરની સુરક્ષા માટે લિંક મર્યાદિત સમય સુધી કામ કરે છે. દુકાન પાસે નવી લિંક માગો.",
        ],
        unavailable: [
            "આ પેજ અત્યારે ઉપલબ્ધ નથી",
            "તમારા ઑર્ડર પર કોઈ અસર થઈ નથી. એક મિનિટ પછી ફરી પ્રયત્ન કરો.",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ઑર્ડર મળી ગયો",
        Headline::PaymentDue => "ચુકવણી બાકી છે",
        Headline::Preparing => "તૈયાર થઈ રહ્યું છે",
        Headline::AwaitingPickup => "કુરિયરની રાહ જોવાય છે",
        Headline::Shipped => "મોકલાઈ ગયું",
        Headline::OnTheWay => "રસ્તામાં છે",
        Headline::Delayed => "મોડું થઈ રહ્યું છે",
        Headline::Problem => "એક સમસ્યા છે",
        Headline::OutForDelivery => "ડિલિવરી માટે નીકળ્યું",
        Headline::AttemptFailed => "હજી ડિલિવર થયું નથી",
        Headline::Completed => "પૂરું થયું",
        Headline::Delivered => "ડિલિવર થઈ ગયું",
        Headline::Lost => "ખોવાઈ ગયું",
        Headline::Cancelled => "રદ થયું",
        Headline::ReturnStarted => "પરત કરવાનું શરૂ થયું",
        Headline::Returning => "પાછું જઈ રહ્યું છે",
        Headline::ReturnArriving => "દુકાનની નજીક પહોંચ્યું",
        Headline::Returned => "દુકાને પાછું આવ્યું",
        Headline::Replaced => "આના બદલે બીજું પાર્સલ છે",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ઑર્ડર", "મોકલાયું", "રસ્તામાં", "ડિલિવરી પર", "ડિલિવર થયું"],
        Way::Back => &["પરત શરૂ", "પાછું જાય છે", "દુકાનની નજીક", "પાછું આવ્યું"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "મોકલાઈ રહ્યો છે",
        Tick::Sent => "મોકલાયો",
        Tick::Delivered => "પહોંચ્યો",
        Tick::Read => "વંચાયો",
        Tick::Failed => "મોકલી શકાયો નહીં",
    }
}
