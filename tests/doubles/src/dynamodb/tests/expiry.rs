use super::*;

#[test]
fn deletes_rows_only_after_their_expiry() {
    let mut db = Fixture::new();
    let year = 365 * 24 * 60 * 60;
    for (sk, ttl) in [
        ("past", json!({"N": (10 * year - 1).to_string()})),
        ("now", json!({"N": (10 * year).to_string()})),
        ("too-old", json!({"N": (5 * year - 1).to_string()})),
        ("text", json!({"S": "1"})),
    ] {
        let mut row = key(sk);
        row["ttl"] = ttl;
        db.put(row);
    }
    assert_eq!(db.0.rows("t").count(), 4);
    db.0.expire(10 * year * 1000);
    let left: Vec<&Value> = db.0.rows("t").map(|row| &row["sk"]["S"]).collect();
    assert_eq!(left, ["now", "text", "too-old"]);
}
