// Explanations of states, reasons and errors, with the remedy.

const REASONS: Record<string, string> = {
  exhausted: "Every retry failed too. Once the receiver works again, replay it.",
  rejected: "The receiver refused it with an answer that is not retried, such as 400 or 404.",
  gone: "The receiver answered 410: it wants nothing more. Enable the endpoint, then replay.",
  redirect: "The receiver answered with a redirect, which is never followed. Correct the URL.",
  aborted: "The receiver asked to give this one up (webhook-delivery: abort-message).",
  url_refused: "The endpoint's URL is not allowed. The attempt's error names the rule.",
  endpoint_removed: "The endpoint no longer exists.",
  endpoint_disabled: "The endpoint is switched off, by its settings or at its own request.",
  parked_too_long: "The endpoint was paused for 72 hours. Enable it, then replay.",
  erased: "The shopper or the order was erased. It cannot be sent again.",
  unusable_settings: "The endpoint's settings or secret are invalid. Correct them, then replay.",
  bug: "Waypost failed on it five times because of a bug.",
};

const STATES: Record<string, string> = {
  pending: "Its first attempt is to come, or under way.",
  retrying: "An attempt failed. It is tried again by itself.",
  parked: "Its endpoint is paused. It is sent when the pause ends.",
  delivered: "The receiver took it.",
  superseded: "A newer one replaced it: the endpoint wants only the latest.",
  dead: "Given up. It is not sent again unless you replay it.",
  failed: "WhatsApp refused the message. The reason is its error code.",
  unknown: "WhatsApp may have the message. It is not sent again.",
};

const ERRORS: Record<string, string> = {
  dns: "The host name has no address. Check the URL and the DNS record.",
  dns_not_public: "The host name has an address that is not public.",
  dns_no_ipv4: "The host name has no IPv4 address.",
  connect: "No connection could be made. Check that the server runs and is reachable.",
  connect_refused: "The server refused the connection: nothing listens on that port.",
  connect_timeout: "The server did not accept the connection in time. Check its firewall.",
  tls: "The TLS handshake failed.",
  tls_unknown_issuer: "The certificate's issuer is unknown. Install the full chain.",
  tls_expired: "The certificate has expired.",
  tls_wrong_name: "The certificate is for another host name.",
  http2_only: "The server speaks only HTTP/2.",
  timeout: "The answer did not come in time.",
  closed: "The server closed the connection without an answer.",
  protocol: "The answer was not valid HTTP.",
  url_scheme: "The URL must begin with https://.",
  url_host_name: "The URL's host name is not allowed.",
  url_address: "The URL's address is not a public one.",
  url_port: "The URL's port is not allowed.",
  url_userinfo: "The URL must not have a user or password.",
  url_malformed: "The URL cannot be read.",
  url_too_long: "The URL is too long.",
};

const EVENTS: Record<string, string> = {
  received: "Stored, not yet processed. A retry queues it once more.",
  processed:
    "Applied, and its deliveries are queued. The reason says what was left out, if anything.",
  unmatched: "It waits for its order. Creating or patching the order applies it by itself.",
  ignored: "It holds nothing to apply.",
  quarantined: "It contradicts itself or an earlier event. Retry it once you have reviewed it.",
  failed: "It could not be read, sent or processed. A retry helps once the cause is gone.",
};

export function ofReason(reason: string): string {
  return REASONS[reason] ?? "";
}

export function ofState(state: string): string {
  return STATES[state] ?? "";
}

export function ofEvent(status: string): string {
  return EVENTS[status] ?? "";
}

/** Of an attempt: its error, or its status code. */
export function ofAttempt(error: string | null, status: number | null): string {
  if (error) return ERRORS[error] ?? "The request failed.";
  if (status === null) return "No answer yet.";
  if (status < 300) return "The receiver took it.";
  if (status < 400) return "A redirect is never followed. Correct the endpoint's URL.";
  if (status === 401 || status === 403)
    return "The receiver does not accept the signature or secret.";
  if (status === 404) return "There is nothing at this URL.";
  if (status === 408 || status === 425 || status === 429)
    return "The receiver is busy. It is tried again.";
  if (status === 410) return "The receiver wants no more deliveries.";
  return status < 500 ? "The receiver refused the content." : "The receiver failed on its side.";
}
