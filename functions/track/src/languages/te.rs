//! Telugu. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const TELUGU: Language = Language {
    code: "te",
    name: "తెలుగు",
    zero: '0',
    is_one: |n| n == 1,
    date: "{day} {month}",
    months: [
        "జనవరి",
        "ఫిబ్రవరి",
        "మార్చి",
        "ఏప్రిల్",
        "మే",
        "జూన్",
        "జులై",
        "ఆగస్టు",
        "సెప్టెంబర్",
        "అక్టోబర్",
        "నవంబర్",
        "డిసెంబర్",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "ఈరోజు",
        yesterday: "నిన్న",
        tomorrow: "రేపు",
        expected: "అంచనా తేదీ: {date}",
        expected_by: "అంచనా సమయం: {date}, {time} లోపు",
        overdue: "అంచనా తేదీ దాటిపోయింది: {date}",
        ended: "{date}, {time}",
        seen_in: "చివరి చోటు: {place}",
        nothing_yet: "కొరియర్ ఇంకా ఏమీ తెలియజేయలేదు. తెలియజేయగానే ఇక్కడ కనిపిస్తుంది.",
        payment_due: "షాపు మీ చెల్లింపు కోసం వేచి ఉంది.",
        pickup_failed: "కొరియర్ షాపు నుంచి పార్సెల్ తీసుకోలేకపోయింది. మళ్లీ ప్రయత్నిస్తుంది.",
        delayed: "పార్సెల్ అనుకున్న సమయం కంటే ఆలస్యంగా చేరుతుంది. మీరు ఏమీ చేయనవసరం లేదు.",
        problem: "కొరియర్ ఒక సమస్యను తెలియజేసి పరిష్కరిస్తోంది. రెండు రోజుల్లో ఏమీ మారకపోతే షాపును సంప్రదించండి.",
        attempt_failed: "డెలివరీ ప్రయత్నం {n} విఫలమైంది.",
        next_attempt: "కొరియర్ మళ్లీ ప్రయత్నిస్తుంది.",
        last_attempt: "పార్సెల్ ఇప్పుడు షాపుకు తిరిగి వెళ్లవచ్చు. మీకు అది కావాలంటే షాపును సంప్రదించండి.",
        another_attempt: [
            "ఇంతకుముందు {n} డెలివరీ ప్రయత్నం విఫలమైంది. కొరియర్ మళ్లీ ప్రయత్నిస్తోంది.",
            "ఇంతకుముందు {n} డెలివరీ ప్రయత్నాలు విఫలమయ్యాయి. కొరియర్ మళ్లీ ప్రయత్నిస్తోంది.",
        ],
        lost: "కొరియర్ వద్ద పార్సెల్ పోయింది. షాపును సంప్రదించండి: వారు కొత్తది పంపవచ్చు లేదా డబ్బు తిరిగి ఇవ్వవచ్చు.",
        cancelled: "ఏదీ డెలివరీ కాదు. కారణం తెలియకపోతే షాపును సంప్రదించండి.",
        going_back: "పార్సెల్ షాపుకు తిరిగి వెళ్తోంది.",
        returned: "పార్సెల్ షాపుకు తిరిగి చేరింది. మీకు అది కావాలంటే షాపును సంప్రదించండి.",
        courier_says: "కొరియర్ తెలియజేసింది:",
        progress: "పురోగతి",
        parcel_of: "{total}లో పార్సెల్ {n}",
        return_parcel: "వాపసు పార్సెల్",
        tracking_number: "ట్రాకింగ్ నంబర్",
        at_courier: "కొరియర్ సైటులో చూడండి",
        history: "ఇప్పటివరకు జరిగింది",
        earlier: ["ఇంతకుముందు {n} సమాచారం", "ఇంతకుముందు {n} సమాచారాలు"],
        messages: "సందేశాలు",
        message: "మీ ఆర్డర్ గురించి సందేశం",
        order: "ఆర్డర్ {id}",
        items: ["{n} వస్తువు", "{n} వస్తువులు"],
        times: "సమయం: {zone}",
        live: "లైవ్",
        reconnecting: "మళ్లీ కనెక్ట్ అవుతోంది…",
        offline: "ఆఫ్‌లైన్",
        language: "భాష",
        not_found: ["ఈ లింక్ పనిచేయదు", "మీరు పూర్తి లింక్ తెరిచారో లేదో చూడండి, లేదా షాపును కొత్త లింక్ అడగండి."],
        expired: [
            "ఈ లింక్ గడువు ముగిసింది",
            "మీ ఆర్డర్ భద్రత కోసం లింకులు పరిమిత సమయం పనిచేస్తాయి. షాపును కొత్త లింక్ అడగండి.",
        ],
        unavailable: [
            "ఈ పేజీ ప్రస్తుతం అందుబాటులో లేదు",
            "మీ ఆర్డర్‌పై ప్రభావం లేదు. ఒక నిమిషం తర్వాత మళ్లీ ప్రయత్నించండి.",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ఆర్డర్ అందింది",
        Headline::PaymentDue => "చెల్లింపు మిగిలి ఉంది",
        Headline::Preparing => "సిద్ధమవుతోంది",
        Headline::AwaitingPickup => "కొరియర్ కోసం వేచి ఉంది",
        Headline::Shipped => "పంపించారు",
        Headline::OnTheWay => "దారిలో ఉంది",
        Headline::Delayed => "ఆలస్యమవుతోంది",
        Headline::Problem => "ఒక సమస్య ఉంది",
        Headline::OutForDelivery => "డెలివరీకి బయలుదేరింది",
        Headline::AttemptFailed => "ఇంకా డెలివరీ కాలేదు",
        Headline::Completed => "పూర్తయింది",
        Headline::Delivered => "డెలివరీ అయింది",
        Headline::Lost => "పోయింది",
        Headline::Cancelled => "రద్దయింది",
        Headline::ReturnStarted => "వాపసు మొదలైంది",
        Headline::Returning => "వెనక్కి వెళ్తోంది",
        Headline::ReturnArriving => "షాపు దగ్గరకు చేరింది",
        Headline::Returned => "షాపుకు తిరిగి వచ్చింది",
        Headline::Replaced => "దీని బదులు మరో పార్సెల్ ఉంది",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ఆర్డర్", "పంపించారు", "దారిలో", "డెలివరీలో", "డెలివరీ అయింది"],
        Way::Back => &["వాపసు మొదలు", "వెనక్కి వెళ్తోంది", "షాపు దగ్గర", "తిరిగి వచ్చింది"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "పంపుతోంది",
        Tick::Sent => "పంపబడింది",
        Tick::Delivered => "చేరింది",
        Tick::Read => "చదివారు",
        Tick::Failed => "పంపలేకపోయాం",
    }
}
