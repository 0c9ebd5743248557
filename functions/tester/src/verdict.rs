//! The verdict on a receiver by its answer, or by the lack of one: a stable code, and advice.

use std::borrow::Cow;
use std::time::Duration;

use egress::{PostResponse, SendError};

pub(crate) const ACCEPTED: &str = "accepted";

/// Whether the receiver can know the key that the test is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    Endpoint,
    Url,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) code: &'static str,
    pub(crate) advice: Cow<'static, str>,
}

fn verdict(code: &'static str, advice: impl Into<Cow<'static, str>>) -> Verdict {
    Verdict { code, advice: advice.into() }
}

pub(crate) fn of_answer(answer: &PostResponse, receiver: Receiver) -> Verdict {
    match answer.status / 100 {
        2 => verdict(ACCEPTED, "The receiver accepted the test delivery."),
        3 => redirect(answer.redirect_to.as_deref()),
        4 if is_about_signature(&answer.excerpt) => signature_refused(receiver),
        4 => refused(answer.status),
        5 => verdict(
            "server_error",
            "The server fails. Its log says why. Deliveries that are answered so are sent again.",
        ),
        _ => verdict("unexpected_status", "Only a status of 200 to 299 accepts a delivery."),
    }
}

fn refused(status: u16) -> Verdict {
    let (code, advice) = match status {
        400 => (
            "bad_request",
            "The receiver refuses the request; many answer 400 to a wrong signature. Compare its \
             secret with the endpoint's, and let it ignore types of events that it does not know.",
        ),
        401 => (
            "unauthorized",
            "The receiver wants credentials. Let it accept requests by their signature, or put the \
             header that it wants into the endpoint's setting headers.",
        ),
        403 => (
            "forbidden",
            "The receiver, or a firewall or proxy before it, forbids the request. Let POST requests \
             to this path pass from any address: the signature authenticates them.",
        ),
        404 => ("not_found", "The server has no such path. Check the path of the URL."),
        405 => ("method_not_allowed", "The path takes no POST. Check the path of the URL."),
        408 | 425 | 429 => (
            "busy",
            "The receiver asks for a pause. Deliveries that are answered so are sent again.",
        ),
        410 => (
            "gone",
            "The receiver is gone for good: a delivery that is answered so disables the endpoint.",
        ),
        _ => ("rejected", "The receiver refuses the request. Its log may say why."),
    };
    verdict(code, advice)
}

fn redirect(to: Option<&str>) -> Verdict {
    let set = to.map_or("the final URL".to_owned(), |url| format!("the URL {url}"));
    verdict("redirect", format!("The server redirects, which is never followed. Set {set}."))
}

/// Receivers have no common code for it, so the words of the answer decide.
fn is_about_signature(excerpt: &str) -> bool {
    excerpt.to_lowercase().contains("signature")
}

fn signature_refused(receiver: Receiver) -> Verdict {
    let advice = match receiver {
        Receiver::Endpoint => {
            "The receiver refuses the signature. Give it the endpoint's present secret, verify the \
             bytes of the body before they are parsed, and set the server's clock."
        }
        Receiver::Url => {
            "The receiver refuses the signature, as it should: the test of a URL is signed with a \
             key of its own. Add an endpoint, give its secret to the receiver, and test that."
        }
    };
    verdict("signature_refused", advice)
}

/// `timeout` is that of the test.
pub(crate) fn of_error(error: SendError, timeout: Duration) -> Verdict {
    verdict(error.code(), advice(error, timeout))
}

fn advice(error: SendError, timeout: Duration) -> Cow<'static, str> {
    let advice = match error {
        SendError::Refused(refused) => return format!("The URL is refused: {refused}.").into(),
        SendError::Timeout => {
            let seconds = timeout.as_secs();
            let advice = "Let the receiver answer first and work afterwards.";
            return format!("No answer within {seconds} s. {advice}").into();
        }
        SendError::Blocked => {
            "The name has an address that is not public. Remove private addresses from its public \
             DNS records."
        }
        SendError::Dns => {
            "The name is not found, or its name servers do not answer. Check its spelling and its \
             DNS records; new ones take a while."
        }
        SendError::NoIpv4 => "The name has no A record, and Waypost speaks IPv4. Add one.",
        SendError::Connect => {
            "The server cannot be reached. Check that it runs, and the network before it."
        }
        SendError::ConnectRefused => {
            "The connection is refused. Let the server listen on port 443, and the firewall accept \
             connections from any address."
        }
        SendError::ConnectTimeout => {
            "No connection within ten seconds: a firewall may drop the packets. Let it accept \
             connections to port 443 from any address."
        }
        SendError::Tls => {
            "The TLS handshake fails. Offer TLS 1.2 or 1.3 on this port, with a valid certificate."
        }
        SendError::TlsUnknownIssuer => {
            "The issuer of the certificate is unknown. Install the full chain with its \
             intermediate certificates, of a public authority; a self-signed one is refused."
        }
        SendError::TlsExpired => {
            "The certificate, or an intermediate one, has expired. Renew it and reload the server."
        }
        SendError::TlsWrongName => {
            "The certificate is for another name. Get one for the host of the URL, or correct the \
             URL."
        }
        SendError::Http2Only => {
            "The server speaks HTTP/2 only. Offer http/1.1 in the TLS handshake (ALPN) as well."
        }
        SendError::Closed => {
            "The server closes the connection without an answer. Its log may say why; it has to \
             answer HTTP/1.1."
        }
        SendError::Protocol => {
            "The answer is no valid HTTP/1.1. Check that this port serves HTTP/1.1 over TLS, and \
             not HTTP/2 only."
        }
    };
    advice.into()
}

#[cfg(test)]
mod tests {
    use egress::policy::Refused;

    use super::*;

    fn answer(status: u16, excerpt: &str) -> PostResponse {
        PostResponse {
            status,
            retry_after: None,
            delivery_directive: None,
            redirect_to: Some("https://hook.example/new".to_owned()),
            excerpt: excerpt.to_owned(),
            latency: Duration::ZERO,
        }
    }

    #[test]
    fn codes_of_answers_are_stable() {
        for (status, excerpt, code) in [
            (200, "", "accepted"),
            (204, "invalid signature", "accepted"),
            (301, "", "redirect"),
            (304, "signature", "redirect"),
            (400, "", "bad_request"),
            (400, "Invalid Signature", "signature_refused"),
            (401, "", "unauthorized"),
            (401, r#"{"error":"signature mismatch"}"#, "signature_refused"),
            (403, "", "forbidden"),
            (404, "", "not_found"),
            (405, "", "method_not_allowed"),
            (408, "", "busy"),
            (410, "", "gone"),
            (418, "", "rejected"),
            (429, "", "busy"),
            (500, "signature", "server_error"),
            (599, "", "server_error"),
            (101, "", "unexpected_status"),
            (999, "", "unexpected_status"),
        ] {
            let verdict = of_answer(&answer(status, excerpt), Receiver::Endpoint);
            assert_eq!(verdict.code, code, "{status} {excerpt}");
        }
    }

    #[test]
    fn the_advice_tells_where_a_redirect_points_to() {
        let advice = of_answer(&answer(308, ""), Receiver::Url).advice;
        assert!(advice.contains("Set the URL https://hook.example/new."), "{advice}");
        let unknown = PostResponse { redirect_to: None, ..answer(308, "") };
        let advice = of_answer(&unknown, Receiver::Url).advice;
        assert!(advice.ends_with("Set the final URL."), "{advice}");
    }

    #[test]
    fn a_signature_of_an_unknown_key_has_another_advice() {
        let [of_url, of_endpoint] = [Receiver::Url, Receiver::Endpoint]
            .map(|receiver| of_answer(&answer(401, "signature"), receiver));
        assert_eq!(of_url.code, of_endpoint.code);
        assert!(of_url.advice.contains("as it should"), "{}", of_url.advice);
        assert!(of_endpoint.advice.contains("present secret"), "{}", of_endpoint.advice);
    }

    #[test]
    fn the_code_of_an_error_is_that_of_a_delivery() {
        let timeout = Duration::from_secs(7);
        for (error, part) in [
            (SendError::Refused(Refused::Port), "the port must be 443"),
            (SendError::Timeout, "within 7 s"),
            (SendError::Http2Only, "http/1.1"),
            (SendError::TlsUnknownIssuer, "intermediate"),
            (SendError::NoIpv4, "no A record"),
        ] {
            let verdict = of_error(error, timeout);
            assert_eq!(verdict.code, error.code());
            assert!(verdict.advice.contains(part), "{}", verdict.advice);
        }
    }
}
