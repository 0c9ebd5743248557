//! Hindi. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const HINDI: Language = Language {
    code: "hi",
    name: "हिन्दी",
    zero: '0',
    is_one: |n| n <= 1,
    date: "{day} {month}",
    months: [
        "जनवरी",
        "फ़रवरी",
        "मार्च",
        "अप्रैल",
        "मई",
        "जून",
        "जुलाई",
        "अगस्त",
        "सितंबर",
        "अक्तूबर",
        "नवंबर",
        "दिसंबर",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "आज",
        yesterday: "बीता कल",
        tomorrow: "आने वाला कल",
        expected: "अनुमानित तारीख: {date}",
        expected_by: "अनुमानित समय: {date}, {time} तक",
        overdue: "अनुमानित तारीख निकल गई: {date}",
        ended: "{date}, {time}",
        seen_in: "पिछली जगह: {place}",
        nothing_yet: "कूरियर ने अभी तक कोई जानकारी नहीं दी है। जानकारी मिलते ही वह यहाँ दिखेगी।",
        payment_due: "दुकान आपके भुगतान का इंतज़ार कर रही है।",
        pickup_failed: "कूरियर दुकान से पार्सल नहीं ले सका। वह फिर कोशिश करेगा।",
        delayed: "पार्सल तय समय के बाद पहुँचेगा। आपको कुछ करने की ज़रूरत नहीं है।",
        problem: "कूरियर ने एक समस्या बताई है और उसे हल कर रहा है। दो दिन में कुछ न बदले, तो दुकान से संपर्क करें।",
        attempt_failed: "डिलीवरी की कोशिश {n} सफल नहीं हुई।",
        next_attempt: "कूरियर फिर कोशिश करेगा।",
        last_attempt: "पार्सल अब दुकान को लौट सकता है। अगर वह आपको चाहिए, तो दुकान से संपर्क करें।",
        another_attempt: [
            "पहले डिलीवरी की {n} कोशिश सफल नहीं हुई। कूरियर फिर कोशिश कर रहा है।",
            "पहले डिलीवरी की {n} कोशिशें सफल नहीं हुईं। कूरियर फिर कोशिश कर रहा है।",
        ],
        lost: "कूरियर से पार्सल खो गया है। दुकान से संपर्क करें: वह नया भेज सकती है या पैसे लौटा सकती है।",
        cancelled: "कुछ भी डिलीवर नहीं होगा। कारण न पता हो, तो दुकान से संपर्क करें।",
        going_back: "पार्सल दुकान को वापस जा रहा है।",
        returned: "पार्सल दुकान पर लौट आया है। अगर वह आपको चाहिए, तो दुकान से संपर्क करें।",
        courier_says: "कूरियर का कहना है:",
        progress: "प्रगति",
        parcel_of: "{total} में से पार्सल {n}",
        return_parcel: "वापसी का पार्सल",
        tracking_number: "ट्रैकिंग नंबर",
        at_courier: "कूरियर की साइट पर देखें",
        history: "अब तक का सफ़र",
        earlier: ["{n} पुरानी जानकारी", "{n} पुरानी जानकारियाँ"],
        messages: "संदेश",
        message: "आपके ऑर्डर के बारे में संदेश",
        order: "ऑर्डर {id}",
        items: ["{n} सामान", "{n} सामान"],
        times: "समय: {zone}",
        live: "लाइव",
        reconnecting: "फिर से जुड़ रहा है…",
        offline: "ऑफ़लाइन",
        language: "भाषा",
        not_found: ["यह लिंक काम नहीं करता", "देखें कि आपने पूरा लिंक खोला है, या दुकान से नया लिंक माँगें।"],
        expired: [
            "इस लिंक का समय पूरा हो गया है",
            "आपके ऑर्डर की सुरक्षा के लिए लिंक सीमित समय तक काम करते हैं। दुकान से नया लिंक माँगें।",
        ],
        unavailable: [
            "यह पेज अभी उपलब्ध नहीं है",
            "आपके ऑर्डर पर कोई असर नहीं पड़ा है। एक मिनट बाद फिर कोशिश करें।",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ऑर्डर मिल गया",
        Headline::PaymentDue => "भुगतान बाकी है",
        Headline::Preparing => "तैयार हो रहा है",
        Headline::AwaitingPickup => "कूरियर का इंतज़ार",
        Headline::Shipped => "भेज दिया गया",
        Headline::OnTheWay => "रास्ते में है",
        Headline::Delayed => "देरी हो रही है",
        Headline::Problem => "एक समस्या है",
        Headline::OutForDelivery => "डिलीवरी के लिए निकला",
        Headline::AttemptFailed => "अभी डिलीवर नहीं हुआ",
        Headline::Completed => "पूरा हुआ",
        Headline::Delivered => "डिलीवर हो गया",
        Headline::Lost => "खो गया",
        Headline::Cancelled => "रद्द हो गया",
        Headline::ReturnStarted => "वापसी शुरू हुई",
        Headline::Returning => "वापस जा रहा है",
        Headline::ReturnArriving => "दुकान के पास पहुँचा",
        Headline::Returned => "दुकान पर लौट आया",
        Headline::Replaced => "इसकी जगह दूसरा पार्सल है",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ऑर्डर", "भेजा गया", "रास्ते में", "डिलीवरी पर", "डिलीवर हुआ"],
        Way::Back => &["वापसी शुरू", "वापसी पर", "दुकान के पास", "लौट आया"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "भेजा जा रहा है",
        Tick::Sent => "भेजा गया",
        Tick::Delivered => "पहुँच गया",
        Tick::Read => "पढ़ लिया गया",
        Tick::Failed => "नहीं भेजा जा सका",
    }
}
