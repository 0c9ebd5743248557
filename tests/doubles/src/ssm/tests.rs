#![expect(clippy::unwrap_used)]

use super::*;

const NOW: u64 = 1_000_000;

fn ssm(names: &[&str]) -> Ssm {
    let mut ssm = Ssm::default();
    for name in names {
        ssm.put(name, Kind::String, &format!("value of {name}"), NOW);
    }
    ssm
}

fn call(ssm: &mut Ssm, operation: &str, request: Value) -> Result<Value, Failure> {
    ssm.call(operation, &request, NOW, &mut fastrand::Rng::with_seed(7))
}

fn names(answer: &Value) -> Vec<&str> {
    let parameters = answer["Parameters"].as_array().unwrap().iter();
    parameters.map(|parameter| parameter["Name"].as_str().unwrap()).collect()
}

/// All names below a path, and the number of pages.
fn read_below(ssm: &mut Ssm, request: &Value) -> (Vec<String>, usize) {
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut found, mut pages, mut request) = (Vec::new(), 0, request.clone());
    loop {
        let answer = ssm.call("GetParametersByPath", &request, NOW, &mut rng).unwrap();
        found.extend(names(&answer).into_iter().map(str::to_owned));
        pages += 1;
        if answer["NextToken"].is_null() {
            return (found, pages);
        }
        assert_ne!(answer["NextToken"], request["NextToken"]);
        request["NextToken"] = answer["NextToken"].clone();
    }
}

#[test]
fn lists_names_without_a_parameter() {
    let mut ssm = ssm(&["/w/a"]);
    let answer = call(&mut ssm, "GetParameters", json!({"Names": ["/w/b", "/w/a"]})).unwrap();
    assert_eq!(names(&answer), ["/w/a"]);
    assert_eq!(answer["Parameters"][0]["Value"], "value of /w/a");
    assert_eq!(answer["InvalidParameters"], json!(["/w/b"]));
    ssm.remove("/w/a");
    let answer = call(&mut ssm, "GetParameters", json!({"Names": ["/w/a"]})).unwrap();
    assert_eq!(answer["InvalidParameters"], json!(["/w/a"]));
}

#[test]
fn rejects_more_than_ten_names_and_repeated_names() {
    let mut ssm = ssm(&[]);
    let eleven: Vec<String> = (0..11).map(|number| format!("/w/{number}")).collect();
    for names in [json!(eleven), json!([]), json!(["/w/a", "/w/a"])] {
        let failure = call(&mut ssm, "GetParameters", json!({"Names": names})).unwrap_err();
        assert_eq!(failure.code(), "ValidationException");
    }
}

#[test]
fn shows_a_secret_only_with_decryption() {
    let mut ssm = ssm(&[]);
    ssm.put("/w/secret", Kind::SecureString, "hush", NOW);
    let mut value = |request: Value| {
        call(&mut ssm, "GetParameters", request).unwrap()["Parameters"][0]["Value"].clone()
    };
    let names = json!(["/w/secret"]);
    assert_eq!(value(json!({"Names": names, "WithDecryption": true})), "hush");
    let encrypted = value(json!({"Names": names}));
    assert!(!encrypted.as_str().unwrap().contains("hush"));
    ssm.put("/w/secret", Kind::SecureString, "hush", NOW);
    let again = call(&mut ssm, "GetParameters", json!({"Names": names})).unwrap();
    assert_ne!(again["Parameters"][0]["Value"], encrypted);
}

#[test]
fn reads_one_level_or_all_levels_below_a_path() {
    let mut ssm = ssm(&["/w", "/w/a", "/w/a/b", "/wa", "/x/a"]);
    let mut below = |request: Value| read_below(&mut ssm, &request).0;
    assert_eq!(below(json!({"Path": "/w"})), ["/w/a"]);
    assert_eq!(below(json!({"Path": "/w/", "Recursive": true})), ["/w/a", "/w/a/b"]);
    assert_eq!(below(json!({"Path": "/w/a/b", "Recursive": true})), [""; 0]);
}

#[test]
fn pages_have_at_most_ten_parameters() {
    let all: Vec<String> = (10..33).map(|number| format!("/w/{number}")).collect();
    let mut ssm = ssm(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(read_below(&mut ssm, &json!({"Path": "/w"})), (all.clone(), 3));
    assert_eq!(read_below(&mut ssm, &json!({"Path": "/w", "MaxResults": 5})), (all.clone(), 5));
    let mut short = ssm.with_calls_per_second(1000).with_short_pages(0.8);
    let (found, pages) = read_below(&mut short, &json!({"Path": "/w"}));
    assert_eq!(found, all);
    assert!(pages > 3);
}

#[test]
fn rejects_invalid_pages_and_paths() {
    let mut ssm = ssm(&["/w/a"]);
    let mut code = |request: Value| {
        call(&mut ssm, "GetParametersByPath", request).unwrap_err().code().to_owned()
    };
    assert_eq!(code(json!({"Path": "/w", "NextToken": "?"})), "InvalidNextToken");
    assert_eq!(code(json!({"Path": "/w", "MaxResults": 11})), "ValidationException");
    assert_eq!(code(json!({"Path": "w"})), "ValidationException");
}

#[test]
fn throttles_after_forty_reads_of_a_second() {
    let mut ssm = ssm(&["/w/a"]);
    let mut rng = fastrand::Rng::with_seed(1);
    let mut read = |operation: &str, now| {
        let request = json!({"Names": ["/w/a"], "Path": "/w"});
        ssm.call(operation, &request, now, &mut rng)
    };
    for call in 0..40 {
        let operation = ["GetParameters", "GetParametersByPath"][call % 2];
        assert!(read(operation, NOW + call as u64).is_ok());
    }
    let failure = read("GetParameters", NOW + 999).unwrap_err();
    assert_eq!(failure.code(), "ThrottlingException");
    assert!(read("GetParameters", NOW + 1000).is_ok());
    assert!(read("GetParameters", NOW + 1000).is_err());
}
