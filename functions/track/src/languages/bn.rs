//! Bengali. No native speaker has read it yet.

use domain::page::{Headline, Tick, Way};

use super::{Language, Texts};

pub(super) const BENGALI: Language = Language {
    code: "bn",
    name: "বাংলা",
    zero: '০',
    is_one: |n| n <= 1,
    date: "{day} {month}",
    months: [
        "জানুয়ারী",
        "ফেব্রুয়ারী",
        "মার্চ",
        "এপ্রিল",
        "মে",
        "জুন",
        "জুলাই",
        "আগস্ট",
        "সেপ্টেম্বর",
        "অক্টোবর",
        "নভেম্বর",
        "ডিসেম্বর",
    ],
    headline,
    stages,
    tick,
    texts: Texts {
        today: "আজ",
        yesterday: "গতকাল",
        tomorrow: "আগামীকাল",
        expected: "সম্ভাব্য তারিখ: {date}",
        expected_by: "সম্ভাব্য সময়: {date}, {time}-এর মধ্যে",
        overdue: "সম্ভাব্য তারিখ পেরিয়ে গেছে: {date}",
        ended: "{date}, {time}",
        seen_in: "শেষ অবস্থান: {place}",
        nothing_yet: "কুরিয়ার এখনও কিছু জানায়নি। জানালেই এখানে দেখা যাবে।",
        payment_due: "দোকান আপনার পেমেন্টের অপেক্ষায় আছে।",
        pickup_failed: "কুরিয়ার দোকান থেকে পার্সেল নিতে পারেনি। আবার চেষ্টা করবে।",
        delayed: "পার্সেল নির্ধারিত সময়ের পরে পৌঁছাবে। আপনাকে কিছু করতে হবে না।",
        problem: "কুরিয়ার একটি সমস্যার কথা জানিয়েছে এবং সমাধান করছে। দুই দিনে কিছু না বদলালে দোকানের সঙ্গে যোগাযোগ করুন।",
        attempt_failed: "ডেলিভারির চেষ্টা {n} সফল হয়নি।",
        next_attempt: "কুরিয়ার আবার চেষ্টা করবে।",
        last_attempt: "পার্সেল এখন দোকানে ফেরত যেতে পারে। আপনি এটি চাইলে দোকানের সঙ্গে যোগাযোগ করুন।",
        another_attempt: [
            "আগে ডেলিভারির {n}টি চেষ্টা সফল হয়নি। কুরিয়ার আবার চেষ্টা করছে।",
            "আগে ডেলিভারির {n}টি চেষ্টা সফল হয়নি। কুরিয়ার আবার চেষ্টা করছে।",
        ],
        lost: "কুরিয়ার পার্সেলটি হারিয়ে ফেলেছে। দোকানের সঙ্গে যোগাযোগ করুন: তারা নতুন পাঠাতে বা টাকা ফেরত দিতে পারে।",
        cancelled: "কিছুই ডেলিভারি হবে না। কারণ জানা না থাকলে দোকানের সঙ্গে যোগাযোগ করুন।",
        going_back: "পার্সেল দোকানে ফেরত যাচ্ছে।",
        returned: "পার্সেল দোকানে ফেরত এসেছে। আপনি এটি চাইলে দোকানের সঙ্গে যোগাযোগ করুন।",
        courier_says: "কুরিয়ার জানিয়েছে:",
        progress: "অগ্রগতি",
        parcel_of: "{total}টির মধ্যে পার্সেল {n}",
        return_parcel: "ফেরতের পার্সেল",
        tracking_number: "ট্র্যাকিং নম্বর",
        at_courier: "কুরিয়ারের সাইটে দেখুন",
        history: "এ পর্যন্ত যা হয়েছে",
        earlier: ["আগের {n}টি তথ্য", "আগের {n}টি তথ্য"],
        messages: "মেসেজ",
        message: "আপনার অর্ডার সম্পর্কে মেসেজ",
        order: "অর্ডার {id}",
        items: ["{n}টি পণ্য", "{n}টি পণ্য"],
        times: "সময়: {zone}",
        live: "লাইভ",
        reconnecting: "আবার সংযোগ হচ্ছে…",
        offline: "অফলাইন",
        language: "ভাষা",
        not_found: [
            "এই লিঙ্কটি কাজ করছে না",
            "পুরো লিঙ্কটি খুলেছেন কি না দেখুন, অথবা দোকানের কাছে নতুন লিঙ্ক চান।",
        ],
        expired: [
            "এই লিঙ্কের মেয়াদ শেষ",
            "আপনার অর্ডারের সুরক্ষার জন্য লিঙ্ক সীমিত সময় কাজ করে। দোকানের কাছে নতুন লিঙ্ক চান।",
        ],
        unavailable: [
            "এই পেজটি এখন পাওয়া যাচ্ছে না",
            "আপনার অর্ডারে কোনও প্রভাব পড়েনি। এক মিনিট পরে আবার চেষ্টা করুন।",
        ],
    },
};

fn headline(headline: Headline) -> &'static str {
    match headline {
        Headline::Received => "অর্ডার পাওয়া গেছে",
        Headline::PaymentDue => "পেমেন্ট বাকি",
        Headline::Preparing => "তৈরি হচ্ছে",
        Headline::AwaitingPickup => "কুরিয়ারের অপেক্ষায়",
        Headline::Shipped => "পাঠানো হয়েছে",
        Headline::OnTheWay => "পথে আছে",
        Headline::Delayed => "দেরি হচ্ছে",
        Headline::Problem => "একটি সমস্যা হয়েছে",
        Headline::OutForDelivery => "ডেলিভারির জন্য বেরিয়েছে",
        Headline::AttemptFailed => "এখনও ডেলিভারি হয়নি",
        Headline::Completed => "সম্পূর্ণ হয়েছে",
        Headline::Delivered => "ডেলিভারি হয়েছে",
        Headline::Lost => "হারিয়ে গেছে",
        Headline::Cancelled => "বাতিল হয়েছে",
        Headline::ReturnStarted => "ফেরত শুরু হয়েছে",
        Headline::Returning => "ফেরত যাচ্ছে",
        Headline::ReturnArriving => "দোকানের কাছে পৌঁছেছে",
        Headline::Returned => "দোকানে ফেরত এসেছে",
        Headline::Replaced => "এর বদলে অন্য পার্সেল আছে",
    }
}

fn stages(way: Way) -> &'static [&'static str] {
    match way {
        Way::Outbound => &["অর্ডার", "পাঠানো হয়েছে", "পথে", "ডেলিভারির পথে", "ডেলিভারি হয়েছে"],
        Way::Back => &["ফেরত শুরু", "ফেরত যাচ্ছে", "দোকানের কাছে", "ফেরত এসেছে"],
    }
}

fn tick(tick: Tick) -> &'static str {
    match tick {
        Tick::Sending => "পাঠানো হচ্ছে",
        Tick::Sent => "পাঠানো হয়েছে",
        Tick::Delivered => "পৌঁছেছে",
        Tick::Read => "পড়া হয়েছে",
        Tick::Failed => "পাঠানো যায়নি",
    }
}
