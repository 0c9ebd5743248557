#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{Loopback, MAX_URL_BYTES, Refused, SPECIAL_V4, Target, is_public, permits};

/// Rejected URLs and the reasons.
const URLS: [(&str, Refused); 27] = [
    ("http://hook.example/x", Refused::Scheme),
    ("http://127.0.0.1/", Refused::Scheme),
    ("ftp://hook.example/x", Refused::Scheme),
    ("file:///etc/passwd", Refused::Scheme),
    ("gopher://hook.example/x", Refused::Scheme),
    ("javascript:alert(1)", Refused::Scheme),
    ("data:text/plain,x", Refused::Scheme),
    ("", Refused::Malformed),
    ("/hooks/1", Refused::Malformed),
    ("//hook.example/x", Refused::Malformed),
    ("hook.example/x", Refused::Malformed),
    ("https://", Refused::Malformed),
    ("https:///x", Refused::HostName),
    ("https://user:pw@hook.example/", Refused::UserInfo),
    ("https://user@hook.example/", Refused::UserInfo),
    ("https://:pw@hook.example/", Refused::UserInfo),
    ("https://a@b@127.0.0.1/", Refused::UserInfo),
    ("https://127.0.0.1%2f@evil/", Refused::UserInfo),
    ("https://evil\\@127.0.0.1/", Refused::HostName),
    ("https://hook.example:0/", Refused::Port),
    ("https://hook.example:22/", Refused::Port),
    ("https://hook.example:25/", Refused::Port),
    ("https://hook.example:80/", Refused::Port),
    ("https://hook.example:6379/", Refused::Port),
    ("https://hook.example:9001/", Refused::Port),
    ("https://hook.example:65536/", Refused::Malformed),
    ("https://8.8.8.8:8443/", Refused::Port),
];

/// Rejected hosts and the reasons.
const HOSTS: [(&str, Refused); 69] = [
    ("127.0.0.1", Refused::Address),
    ("127.1", Refused::Address),
    ("2130706433", Refused::Address),
    ("0x7f.1", Refused::Address),
    ("0x7f000001", Refused::Address),
    ("0177.0.0.1", Refused::Address),
    ("１２７.０.０.１", Refused::Address),
    ("127。0。0。1", Refused::Address),
    ("①②⑦.⓪.⓪.①", Refused::Address),
    ("𝟏𝟐𝟕.0.0.1", Refused::Address),
    ("169.254.169。254", Refused::Address),
    ("xn--127-.0.0.1", Refused::Malformed),
    ("hook.٣", Refused::Malformed),
    ("[::ffff:１]", Refused::Malformed),
    ("127.0.0.1.", Refused::Address),
    ("127.0.0.1:9001", Refused::Address),
    ("%31%32%37.0.0.1", Refused::Address),
    ("256.0.0.1", Refused::Malformed),
    ("0.0.0.0", Refused::Address),
    ("localhost", Refused::HostName),
    ("localhost.", Refused::HostName),
    ("LOCALHOST", Refused::HostName),
    ("ｌｏｃａｌｈｏｓｔ", Refused::HostName),
    ("loc\u{ad}alhost", Refused::HostName),   // a soft hyphen
    ("loc\u{200b}alhost", Refused::HostName), // a zero-width space
    ("x.ⓛocalhost", Refused::HostName),
    ("x。localhost", Refused::HostName),
    ("xn--localhost-", Refused::Malformed),
    ("x.xn--localhost-", Refused::Malformed),
    ("x.localhost", Refused::HostName),
    ("x.localhost.", Refused::HostName),
    ("hook.example.", Refused::HostName),
    ("intranet", Refused::HostName),
    ("xn--a", Refused::Malformed),
    ("xn--abc.example", Refused::Malformed), // control characters
    ("a℀b.example", Refused::Malformed),     // a slash
    ("[::1]", Refused::Address),
    ("[::]", Refused::Address),
    ("[::ffff:7f00:1]", Refused::Address),
    ("[::ffff:127.0.0.1]", Refused::Address),
    ("[::ffff:8.8.8.8]", Refused::Address),
    ("[::127.0.0.1]", Refused::Address),
    ("[::ffff:0:7f00:1]", Refused::Address),
    ("[64:ff9b::7f00:1]", Refused::Address),
    ("[64:ff9b:1::1]", Refused::Address),
    ("[2002:7f00:1::]", Refused::Address),
    ("[2001:0:1::]", Refused::Address),
    ("[fe80::1]", Refused::Address),
    ("[fe80::1%25eth0]", Refused::Malformed),
    ("[fec0::1]", Refused::Address),
    ("[fd00:ec2::254]", Refused::Address),
    ("[ff02::1]", Refused::Address),
    ("[4000::1]", Refused::Address),
    ("[100::1]", Refused::Address),
    ("[2001:db8::1]", Refused::Address),
    ("[3fff::1]", Refused::Address),
    ("169.254.169.254", Refused::Address),
    ("169.254.170.2", Refused::Address),
    ("169.254.79.129", Refused::Address),
    ("10.0.0.1", Refused::Address),
    ("172.31.0.1", Refused::Address),
    ("192.168.0.1", Refused::Address),
    ("100.64.0.1", Refused::Address),
    ("192.0.0.8", Refused::Address),
    ("198.18.0.1", Refused::Address),
    ("192.0.2.1", Refused::Address),
    ("224.0.0.1", Refused::Address),
    ("240.0.0.1", Refused::Address),
    ("255.255.255.255", Refused::Address),
];

#[test]
fn rejects_hostile_urls_with_a_reason() {
    let hosts = HOSTS.map(|(host, reason)| (format!("https://{host}/hook"), reason));
    let urls = URLS.map(|(url, reason)| (url.to_owned(), reason));
    for (url, reason) in hosts.into_iter().chain(urls) {
        assert_eq!(Target::parse(&url, Loopback::Refused), Err(reason), "{url:?}");
    }
}

#[test]
fn accepts_plain_public_urls() {
    for text in [
        "https://hook.example/x?token=1",
        "https://hook.example:443/",
        "HTTPS://Hook.Example",
        "https://bücher.example/",
        "https://evil.example\\@127.0.0.1/", // the backslash starts the path
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://127.0.0.1.nip.io/", // an alias of a private address: rejected when resolved
    ] {
        assert!(Target::parse(text, Loopback::Refused).is_ok(), "{text:?}");
    }
}

#[test]
fn a_host_is_the_same_in_unicode_and_in_punycode() {
    for (unicode, punycode) in [
        ("दुकान.भारत", "xn--11b7ah1gn.xn--h2brj9c"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("店。例え。jp", "xn--hxt.xn--r8jz45g.jp"),
    ] {
        let parse = |host: &str| Target::parse(&format!("https://{host}/a"), Loopback::Refused);
        let target = parse(unicode).unwrap();
        assert_eq!(target.host(), punycode, "{unicode}");
        assert_eq!(parse(punycode).unwrap(), target);
    }
}

#[test]
fn allowing_loopback_adds_only_this_machine() {
    let parse = |text| Target::parse(text, Loopback::Allowed).map(|_| ());
    for text in [
        "http://127.0.0.1:8080/",
        "http://127.9.9.9/",
        "http://[::1]:1/",
        "http://localhost:3000/x",
        "https://localhost:8443/",
        "https://hook.example/",
    ] {
        assert_eq!(parse(text), Ok(()), "{text:?}");
    }
    assert_eq!(parse("http://hook.example/"), Err(Refused::Scheme));
    assert_eq!(parse("http://8.8.8.8/"), Err(Refused::Scheme));
    assert_eq!(parse("ftp://127.0.0.1/"), Err(Refused::Scheme));
    assert_eq!(parse("http://u:p@127.0.0.1/"), Err(Refused::UserInfo));
    assert_eq!(parse("https://hook.example:8443/"), Err(Refused::Port));
    assert_eq!(parse("https://x.localhost/"), Err(Refused::HostName));
    assert_eq!(parse("https://localhost./"), Err(Refused::HostName));
    assert_eq!(parse("https://[::ffff:127.0.0.1]/"), Err(Refused::Address));
    assert_eq!(parse("https://10.0.0.1/"), Err(Refused::Address));
    assert_eq!(parse("https://169.254.169.254/"), Err(Refused::Address));
}

#[test]
fn rejects_a_loopback_target_in_a_deploy_build() {
    let target = Target::parse("https://127.0.0.1:8443/", Loopback::Allowed).unwrap();
    assert_eq!(target.check(Loopback::Refused), Err(Refused::Address));
}

#[test]
fn rejects_a_url_too_long_as_written_or_as_normalised() {
    let url = |n: usize, fill: &str| format!("https://h.example/{}", fill.repeat(n));
    let fits = url(MAX_URL_BYTES - "https://h.example/".len(), "a");
    assert!(Target::parse(&fits, Loopback::Refused).is_ok());
    assert_eq!(Target::parse(&format!("{fits}a"), Loopback::Refused), Err(Refused::TooLong));
    assert_eq!(Target::parse(&url(800, "é"), Loopback::Refused), Err(Refused::TooLong));
}

#[test]
fn debug_output_hides_path_and_query() {
    let target = Target::parse("https://hook.example/T0KEN?k=S3CRET", Loopback::Refused).unwrap();
    assert_eq!(format!("{target:?}"), "Target(https://hook.example)");
    assert_eq!(target.url().as_str(), "https://hook.example/T0KEN?k=S3CRET");
}

#[test]
fn codes_are_stable() {
    let codes = [
        (Refused::TooLong, "url_too_long"),
        (Refused::Malformed, "url_malformed"),
        (Refused::Scheme, "url_scheme"),
        (Refused::UserInfo, "url_userinfo"),
        (Refused::HostName, "url_host_name"),
        (Refused::Address, "url_address"),
        (Refused::Port, "url_port"),
    ];
    for (refused, code) in codes {
        assert_eq!(refused.code(), code);
    }
}

/// Lines of `public` or `special` and an address; the operators' tools have the same rules.
const ADDRESSES: &str = include_str!("addresses.txt");

#[test]
fn special_blocks_match_the_iana_registry() {
    let lines = ADDRESSES.lines().filter(|line| !line.starts_with('#'));
    let mut counts = [0, 0];
    for (kind, ip) in lines.map(|line| line.split_once(' ').unwrap()) {
        assert!(["public", "special"].contains(&kind), "{kind}");
        assert_eq!(is_public(ip.parse().unwrap()), kind == "public", "{ip}");
        counts[usize::from(kind == "public")] += 1;
    }
    assert!(counts.iter().all(|count| *count > 30), "{counts:?}");
}

#[test]
fn allowing_loopback_permits_only_loopback_addresses() {
    let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
    assert!(permits(ip("127.0.0.1"), Loopback::Allowed));
    assert!(permits(ip("::1"), Loopback::Allowed));
    assert!(!permits(ip("127.0.0.1"), Loopback::Refused));
    assert!(!permits(ip("::1"), Loopback::Refused));
    for special in ["0.0.0.0", "::", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1"] {
        assert!(!permits(ip(special), Loopback::Allowed), "{special}");
    }
}

proptest! {
    /// Every spelling and embedding of a special IPv4 address is rejected.
    #[test]
    fn rejects_special_ipv4_in_every_spelling(block in 0..SPECIAL_V4.len(), bits in any::<u32>()) {
        let net = SPECIAL_V4[block];
        let ip = Ipv4Addr::from_bits(net.addr().to_bits() | (bits & net.hostmask().to_bits()));
        let [a, b, c, d] = ip.octets();
        for host in [
            format!("{ip}"),
            format!("{}", ip.to_bits()),
            format!("0x{:x}", ip.to_bits()),
            format!("0{a:o}.0x{b:x}.{}", u16::from_be_bytes([c, d])),
            format!("[{}]", ip.to_ipv6_mapped()),
            format!("[::{ip}]"),
            format!("[64:ff9b::{ip}]"),
            format!("[2002:{:02x}{:02x}:{:02x}{:02x}::]", a, b, c, d),
        ] {
            let parsed = Target::parse(&format!("https://{host}/"), Loopback::Refused);
            prop_assert_eq!(parsed, Err(Refused::Address), "{}", host);
        }
    }

    #[test]
    fn rejects_ipv6_outside_global_unicast(bits in any::<u128>()) {
        let ip = Ipv6Addr::from_bits(bits);
        prop_assert!(bits >> 125 == 1 || !is_public(ip.into()), "{}", ip);
    }

    /// An accepted URL can only lead to HTTPS on port 443.
    #[test]
    fn accepted_urls_are_https_on_443(
        text in "(https?:|HTTPS:|ftp:)?[/\\\\]{0,3}([a-z0-9.@:\\[\\]%\\\\-]{0,12}@)?\
                 (127\\.1|[a-z.]{1,9}|\\PC{1,6}|\\[[0-9a-f:]{2,9}\\])(:[0-9]{1,5})?(/\\PC{0,5})?"
    ) {
        if let Ok(target) = Target::parse(&text, Loopback::Refused) {
            prop_assert_eq!(target.url().scheme(), "https");
            prop_assert_eq!(target.url().port_or_known_default(), Some(443));
            prop_assert!(target.url().username().is_empty() && target.url().password().is_none());
            prop_assert!(target.host().contains('.') || target.host().starts_with('['));
        }
    }
}
