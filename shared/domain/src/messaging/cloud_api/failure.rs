//! What follows from an error that the Cloud API answers.

/// The reaction to a message that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendFailure {
    /// Send again after a wait.
    Retry,
    /// Send again once: the error may be transient.
    RetryOnce,
    /// Too many messages to this recipient: send again after 4^n seconds.
    PairLimit,
    /// No message of this number would be accepted.
    PauseNumber(Refusal),
    /// The answer does not tell whether the message was accepted. It must not be sent again; a
    /// status may tell.
    Unknown,
    /// This message will never be accepted.
    Final,
}

/// The cause for which WhatsApp accepts no message of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The access token, or its permissions.
    Credentials,
    /// The number, its business account, or the URL.
    Number,
}

impl SendFailure {
    /// Meta asks to decide by the code: neither titles nor HTTP statuses are stable. The status
    /// decides about codes that are missing or unknown.
    pub fn of(code: Option<i64>, http_status: u16) -> Self {
        code.and_then(Self::of_code).unwrap_or_else(|| Self::of_status(code, http_status))
    }

    fn of_code(code: i64) -> Option<Self> {
        Some(match code {
            // Service or account too busy, service down, maintenance, number being upgraded.
            2 | 4 | 80007 | 130_429 | 131_000 | 131_016 | 131_057 | 133_004 => Self::Retry,
            // "API unknown": also an invalid request.
            1 => Self::RetryOnce,
            131_056 => Self::PairLimit,
            0 | 3 | 10 | 190 | 200..=299 => Self::PauseNumber(Refusal::Credentials),
            // Account restricted, locked, unpaid or not registered.
            368 | 131_005 | 131_031 | 131_037 | 131_042 | 131_045 | 133_010 | 133_016 => {
                Self::PauseNumber(Refusal::Number)
            }
            // Quality: the number is restricted because shoppers blocked or reported it.
            131_048 | 131_064 => Self::PauseNumber(Refusal::Number),
            // Recipient: is the sender, not on WhatsApp, without an open window, over the limit of
            // marketing messages, opted out, in an experiment, in a blocked country, without a
            // user id that fits.
            131_021 | 131_026 | 131_047 | 131_049 | 131_050 => Self::Final,
            130_472 | 130_497 | 137_000 => Self::Final,
            // Request and template.
            33 | 100 | 131_008 | 131_009 | 131_051..=131_053 => Self::Final,
            132_000..=132_099 => Self::Final,
            _ => return None,
        })
    }

    fn of_status(code: Option<i64>, http_status: u16) -> Self {
        match http_status {
            429 => Self::Retry,
            401 | 403 => Self::PauseNumber(Refusal::Credentials),
            // Without an error of the Cloud API something else answers: the settings are wrong.
            300..=399 | 404 | 405 | 407 if code.is_none() => Self::PauseNumber(Refusal::Number),
            300..=407 | 409..=499 => Self::Final,
            // 2xx without an id, 408, 5xx of a proxy.
            _ => Self::Unknown,
        }
    }
}
