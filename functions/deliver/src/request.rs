//! The request that sends a message, and what its answer means.

use std::time::Duration;

use aws::clock::now;
use aws::tables::deliveries::{Attempt, DeliveryOutcome, Lease};
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ChannelError;
use domain::messaging::cloud_api::{Refusal, SendAnswer, SendFailure};
use domain::messaging::send::{SendOutcome, Unsent};
use domain::webhooks::lease::NextAttempt;
use domain::webhooks::retry::{DeadReason, Schedule, parse_retry_after};
use egress::{Http, OnceResponse, SendError, header_map};

use crate::attempt::{failed, millis};
use crate::numbers::Number;

/// A message that is hours late is worth little: the last attempt is after about four hours.
const WAITS: [u64; 7] = [5, 30, 2 * 60, 10 * 60, 30 * 60, 60 * 60, 2 * 60 * 60];
/// The longest `Retry-After` that is honoured, for the same reason.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// After the pair limit: 4, 16, 64 s and so on, as WhatsApp asks (error 131056).
const PAIR_BASE: u64 = 4;

/// What one request came to.
pub(crate) struct RequestResult {
    pub(crate) attempt: Attempt,
    pub(crate) reaction: Reaction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Ends the message.
    End(DeliveryOutcome, SendOutcome),
    /// Nothing was sent: another attempt after this wait, or dead.
    Retry(Wait),
    /// Nothing was sent: the number is refused, with this error code if the answer has one.
    PauseNumber(Refusal, Option<String>),
    /// Nothing was sent: the address policy refuses the URL (SSRF).
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Planned {
        asked: Option<Duration>,
    },
    /// At most once.
    Once,
    PairLimit,
}

pub(crate) async fn post(
    http: &Http,
    number: &Number,
    lease: &Lease,
    timeout: Duration,
) -> RequestResult {
    let at = now();
    let target = match &number.target {
        Ok(target) => target,
        Err(refusal) => {
            return RequestResult {
                attempt: failed(at, refusal.code()),
                reaction: Reaction::Refused,
            };
        }
    };
    let headers = header_map([
        ("content-type", "application/json", false),
        ("user-agent", concat!("Waypost/", env!("CARGO_PKG_VERSION")), false),
        ("authorization", number.authorization.as_str(), true),
    ]);
    match http.post_once(target, &headers, lease.body.clone(), timeout).await {
        Ok(response) => answered(at, &response, number),
        Err(SendError::Refused(refusal)) => {
            RequestResult { attempt: failed(at, refusal.code()), reaction: Reaction::Refused }
        }
        Err(error) => RequestResult {
            attempt: failed(at, error.code()),
            reaction: if error.may_have_arrived() {
                Reaction::End(DeliveryOutcome::Unknown, SendOutcome::Unknown)
            } else {
                Reaction::Retry(Wait::Planned { asked: None })
            },
        },
    }
}

fn answered(at: Timestamp, response: &OnceResponse, number: &Number) -> RequestResult {
    let answer = SendAnswer::read(response.status, &number.mask_token(&response.body));
    let asked = response.retry_after.as_deref().and_then(|it| parse_retry_after(it, now()));
    let attempt = Attempt {
        at,
        status: Some(response.status),
        error: None,
        latency_ms: millis(response.latency),
        excerpt: excerpt(&answer),
    };
    RequestResult { attempt, reaction: react(answer, asked) }
}

/// The answer itself has the recipient. Words about refused credentials may repeat them.
fn excerpt(answer: &SendAnswer) -> Option<String> {
    match answer {
        SendAnswer::Failed { failure: SendFailure::PauseNumber(Refusal::Credentials), error } => {
            error.code.clone()
        }
        SendAnswer::Accepted { message, acceptance } => {
            Some(format!("{}: {}", acceptance.as_str(), message.as_str()))
        }
        SendAnswer::Failed { error: ChannelError { code, title, .. }, .. } => {
            let parts = [code.as_deref(), title.as_deref()];
            Some(parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
    }
}

fn react(answer: SendAnswer, asked: Option<Duration>) -> Reaction {
    let (failure, error) = match answer {
        SendAnswer::Accepted { message, .. } => {
            let outcome = SendOutcome::Accepted { provider_id: message };
            return Reaction::End(DeliveryOutcome::Delivered, outcome);
        }
        SendAnswer::Failed { failure, error } => (failure, error),
    };
    match failure {
        SendFailure::Retry => {
            Reaction::Retry(Wait::Planned { asked: asked.map(|it| it.min(LONGEST_ASKED)) })
        }
        SendFailure::RetryOnce => Reaction::Retry(Wait::Once),
        SendFailure::PairLimit => Reaction::Retry(Wait::PairLimit),
        SendFailure::PauseNumber(refusal) => Reaction::PauseNumber(refusal, error.code),
        SendFailure::Unknown => Reaction::End(DeliveryOutcome::Unknown, SendOutcome::Unknown),
        SendFailure::Final => {
            let code = error.code.as_ref().and_then(|code| code.parse().ok());
            let outcome = DeliveryOutcome::Failed(Unsent::Refused(code));
            Reaction::End(outcome, SendOutcome::Failed { error })
        }
    }
}

impl Wait {
    /// After this many attempts of the message.
    pub(crate) fn outcome(self, attempts: u32, id: &str, now: Timestamp) -> DeliveryOutcome {
        let schedule = |waits: &[u64]| Schedule {
            retries: u32::try_from(waits.len()).unwrap_or(u32::MAX),
            backoff: waits.iter().map(|seconds| Duration::from_secs(*seconds)).collect(),
            jitter: true,
        };
        let wait = match self {
            Self::Planned { asked } => schedule(&WAITS).wait_after(attempts, id, asked),
            Self::Once => schedule(&WAITS[..1]).wait_after(attempts, id, None),
            Self::PairLimit => {
                let waits = WAITS.len().try_into().unwrap_or(u32::MAX);
                let waits: Vec<u64> = (1..=waits).map(|n| PAIR_BASE.saturating_pow(n)).collect();
                schedule(&waits).wait_after(attempts, id, None)
            }
        };
        wait.map_or(DeliveryOutcome::Dead(DeadReason::Exhausted), |wait| {
            DeliveryOutcome::Retry(NextAttempt::after(wait, now))
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Reaction {
        react(SendAnswer::read(status, body.as_bytes()), None)
    }

    fn error(code: u32) -> String {
        format!(r#"{{"error":{{"message":"m","code":{code}}}}}"#)
    }

    #[test]
    fn reacts_to_each_class_of_errors() {
        let planned = Reaction::Retry(Wait::Planned { asked: None });
        let refused = |refusal, code: &str| Reaction::PauseNumber(refusal, Some(code.to_owned()));
        for (status, code, expected) in [
            (429, 130_429, planned.clone()),
            (500, 131_000, planned),
            (500, 1, Reaction::Retry(Wait::Once)),
            (400, 131_056, Reaction::Retry(Wait::PairLimit)),
            (401, 190, refused(Refusal::Credentials, "190")),
            (403, 131_042, refused(Refusal::Number, "131042")),
        ] {
            assert_eq!(read(status, &error(code)), expected, "{code}");
        }
        for code in [131_026, 131_047, 132_001, 100] {
            let reaction = read(400, &error(code));
            let outcome = match reaction {
                Reaction::End(outcome, SendOutcome::Failed { .. }) => outcome,
                other => panic!("{code}: {other:?}"),
            };
            assert_eq!(outcome, DeliveryOutcome::Failed(Unsent::Refused(Some(code))));
        }
        assert_eq!(
            read(502, "<html>"),
            Reaction::End(DeliveryOutcome::Unknown, SendOutcome::Unknown),
            "a proxy does not tell whether the message arrived"
        );
    }

    #[test]
    fn an_accepted_message_has_the_id_of_the_provider() {
        let body = r#"{"contacts":[{"input":"+919876543210","wa_id":"919876543210"}],
            "messages":[{"id":"wamid.A","message_status":"accepted"}]}"#;
        let Reaction::End(DeliveryOutcome::Delivered, SendOutcome::Accepted { provider_id }) =
            read(200, body)
        else {
            panic!("accepted")
        };
        assert_eq!(provider_id.as_str(), "wamid.A");
        let answer = SendAnswer::read(200, body.as_bytes());
        assert_eq!(excerpt(&answer).unwrap(), "accepted: wamid.A");
    }

    #[test]
    fn an_echoed_token_is_not_kept() {
        let code = |code: u32| {
            let message = "Malformed access token EAAGtoken";
            let body = format!(r#"{{"error":{{"message":"{message}","code":{code}}}}}"#);
            let response = OnceResponse {
                status: 401,
                retry_after: None,
                body: body.into(),
                latency: Duration::ZERO,
            };
            answered(Timestamp::EPOCH, &response, &number()).attempt.excerpt.unwrap()
        };
        assert_eq!(code(190), "190");
        assert_eq!(code(100), "100: Malformed access token [REDACTED]");
    }

    fn number() -> Number {
        Number {
            target: egress::policy::Target::parse("http://127.0.0.1/", egress::LOOPBACK),
            authorization: "Bearer EAAGtoken".to_owned(),
            messages_per_second: 80,
        }
    }

    #[test]
    fn waits_get_longer_and_end() {
        let now = Timestamp::EPOCH;
        let wait = |wait: Wait, attempts| match wait.outcome(attempts, "wa_1", now) {
            DeliveryOutcome::Retry(next) => Some(next.wait.as_secs()),
            _ => None,
        };
        let planned = Wait::Planned { asked: None };
        assert!(matches!(wait(planned, 1), Some(5..=6)));
        assert!(matches!(wait(planned, 7), Some(7200..=8640)));
        assert_eq!(wait(planned, 8), None);
        assert!(matches!(wait(Wait::Once, 1), Some(5..=6)));
        assert_eq!(wait(Wait::Once, 2), None);
        assert!(matches!(wait(Wait::PairLimit, 1), Some(4..=5)));
        assert!(matches!(wait(Wait::PairLimit, 3), Some(64..=77)));
        let asked = Wait::Planned { asked: Some(Duration::from_secs(100)) };
        assert!(matches!(wait(asked, 1), Some(100..=120)));
    }
}
