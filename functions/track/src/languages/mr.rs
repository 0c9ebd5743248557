//! Marathi. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const MARATHI: Language = Language {
    code: "mr",
    name: "मराठी",
    zero: '०',
    is_one: |n| n == 1,
    date: "{day} {month}",
    months: [
        "जानेवारी",
        "फेब्रुवारी",
        "मार्च",
        "एप्रिल",
        "मे",
        "जून",
        "जुलै",
        "ऑगस्ट",
        "सप्टेंबर",
        "ऑक्टोबर",
        "नोव्हेंबर",
        "डिसेंबर",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "आज",
        yesterday: "काल",
        tomorrow: "उद्या",
        expected: "अपेक्षित तारीख: {date}",
        expected_by: "अपेक्षित वेळ: {date}, {time} पर्यंत",
        overdue: "अपेक्षित तारीख उलटून गेली: {date}",
        ended: "{date}, {time}",
        seen_in: "शेवटचे ठिकाण: {place}",
        nothing_yet: "कुरिअरने अजून काही कळवलेले नाही. कळवताच ते इथे दिसेल.",
        payment_due: "दुकान तुमच्या पेमेंटची वाट पाहत आहे.",
        pickup_failed: "कुरिअरला दुकानातून पार्सल घेता आले नाही. ते पुन्हा प्रयत्न करतील.",
        delayed: "पार्सल ठरलेल्या वेळेनंतर पोहोचेल. तुम्हाला काही करण्याची गरज नाही.",
        problem: "कुरिअरने एक अडचण कळवली आहे आणि ती सोडवत आहे. दोन दिवसांत काही बदलले नाही, तर दुकानाशी संपर्क साधा.",
        attempt_failed: "डिलिव्हरीचा प्रयत्न {n} यशस्वी झाला नाही.",
        next_attempt: "कुरिअर पुन्हा प्रयत्न करेल.",
        last_attempt: "पार्सल आता दुकानात परत जाऊ शकते. तुम्हाला ते हवे असेल, तर दुकानाशी संपर्क साधा.",
        another_attempt: [
            "आधी डिलिव्हरीचा {n} प्रयत्न यशस्वी झाला नाही. कुरिअर पुन्हा प्रयत्न करत आहे.",
            "आधी डिलिव्हरीचे {n} प्रयत्न यशस्वी झाले नाहीत. कुरिअर पुन्हा प्रयत्न करत आहे.",
        ],
        lost: "कुरिअरकडून पार्सल हरवले आहे. दुकानाशी संपर्क साधा: ते नवीन पाठवू शकतात किंवा पैसे परत देऊ शकतात.",
        cancelled: "काहीही डिलिव्हर होणार नाही. कारण माहीत नसेल, तर दुकानाशी संपर्क साधा.",
        going_back: "पार्सल दुकानात परत जात आहे.",
        returned: "पार्सल दुकानात परत आले आहे. तुम्हाला ते हवे असेल, तर दुकानाशी संपर्क साधा.",
        courier_says: "कुरिअरने कळवले:",
        progress: "प्रगती",
        parcel_of: "{total} पैकी पार्सल {n}",
        return_parcel: "परतीचे पार्सल",
        tracking_number: "ट्रॅकिंग क्रमांक",
        at_courier: "कुरिअरच्या साइटवर पहा",
        history: "आतापर्यंतचा प्रवास",
        earlier: ["आधीची {n} नोंद", "आधीच्या {n} नोंदी"],
        messages: "संदेश",
        message: "तुमच्या ऑर्डरबद्दल संदेश",
        order: "ऑर्डर {id}",
        items: ["{n} वस्तू", "{n} वस्तू"],
        times: "वेळ: {zone}",
        live: "लाइव्ह",
        reconnecting: "पुन्हा जोडत आहे…",
        offline: "ऑफलाइन",
        language: "भाषा",
        not_found: [
            "ही लिंक चालत नाही",
            "तुम्ही पूर्ण लिंक उघडली आहे का ते पहा, किंवा दुकानाकडे नवीन लिंक मागा.",
        ],
        expired: [
            "या लिंकची मुदत संपली आहे",
            "तुमच्या ऑर्डरच्या सुरक्षेसाठी लिंक मर्यादित काळ चालतात. दुकानाकडे नवीन लिंक मागा.",
        ],
        unavailable: [
            "हे पान आत्ता उपलब्ध नाही",
            "तुमच्या ऑर्डरवर काही परिणाम झालेला नाही. एका मिनिटाने पुन्हा प्रयत्न करा.",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "ऑर्डर मिळाली",
        Headline::PaymentDue => "पैसे भरायचे बाकी",
        Headline::Preparing => "तयार होत आहे",
        Headline::AwaitingPickup => "कुरिअरची वाट पाहत आहे",
        Headline::Shipped => "पाठवले",
        Headline::OnTheWay => "वाटेत आहे",
        Headline::Delayed => "उशीर होत आहे",
        Headline::Problem => "एक अडचण आहे",
        Headline::OutForDelivery => "डिलिव्हरीसाठी निघाले",
        Headline::AttemptFailed => "अजून पोहोचले नाही",
        Headline::Completed => "पूर्ण झाले",
        Headline::Delivered => "डिलिव्हर झाले",
        Headline::Lost => "हरवले",
        Headline::Cancelled => "रद्द झाले",
        Headline::ReturnStarted => "परतावा सुरू झाला",
        Headline::Returning => "परत जात आहे",
        Headline::ReturnArriving => "दुकानाजवळ पोहोचले",
        Headline::Returned => "दुकानात परत आले",
        Headline::Replaced => "याऐवजी दुसरे पार्सल आहे",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["ऑर्डर", "पाठवले", "वाटेत", "डिलिव्हरीवर", "डिलिव्हर झाले"],
        Way::Back => &["परतावा सुरू", "परत जात आहे", "दुकानाजवळ", "परत आले"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "पाठवत आहे",
        Tick::Sent => "पाठवला",
        Tick::Delivered => "पोहोचला",
        Tick::Read => "वाचला",
        Tick::Failed => "पाठवता आला नाही",
    }
}
