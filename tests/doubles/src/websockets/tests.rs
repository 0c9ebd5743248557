use super::*;

const MINUTE: u64 = 60_000;

fn kind(result: Result<(), Failure>) -> String {
    result.err().map(|failure| failure.kind).unwrap_or_default()
}

#[test]
fn a_socket_is_there_from_the_answer_to_its_handshake_until_it_is_closed() {
    let mut api = WebSockets::default();
    let id = api.begin(0);
    assert_eq!(kind(api.post(&id, "early", 0)), "GoneException");
    api.open(&id, 5);
    assert_eq!(api.post(&id, "a", 6), Ok(()));
    assert_eq!(api.post(&id, "b", 6), Ok(()));
    assert_eq!(api.take_frames(&id), ["a", "b"]);
    assert_eq!(api.take_frames(&id), Vec::<String>::new());
    api.close(&id);
    assert_eq!(kind(api.post(&id, "late", 7)), "GoneException");
    assert!(!api.receive(&id, 7) && !api.is_open(&id, 7));
    assert_ne!(api.begin(8), id);
}

#[test]
fn a_silent_socket_is_closed_after_ten_minutes_and_any_after_two_hours() {
    let mut api = WebSockets::default();
    let (silent, busy) = (api.begin(0), api.begin(0));
    api.open(&silent, 0);
    api.open(&busy, 0);
    for minute in (5..120).step_by(5) {
        assert!(api.receive(&busy, minute * MINUTE), "{minute}");
        assert_eq!(api.is_open(&silent, minute * MINUTE), minute < 10, "{minute}");
    }
    assert!(!api.receive(&busy, 120 * MINUTE));
}

#[test]
fn a_post_keeps_a_socket_open_and_has_a_limit() {
    let mut api = WebSockets::default();
    let id = api.begin(0);
    api.open(&id, 0);
    assert_eq!(api.post(&id, "a", 9 * MINUTE), Ok(()));
    assert!(api.is_open(&id, 18 * MINUTE));
    let large = "x".repeat(MAX_FRAME + 1);
    assert_eq!(kind(api.post(&id, &large, 9 * MINUTE)), "PayloadTooLargeException");
}
