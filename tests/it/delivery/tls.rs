//! Receivers that no delivery can reach: the row of the delivery says why.

use serde_json::json;

use super::{attempts, enqueue, row_in};
use crate::support::{Mistake, TestEndpoint, TlsServer};

#[tokio::test]
async fn the_row_of_a_delivery_says_what_is_wrong_with_tls() {
    for (mistake, error) in
        [(Mistake::LeafOnly, "tls_unknown_issuer"), (Mistake::Http2Only, "http2_only")]
    {
        let server = TlsServer::start(mistake).await;
        let endpoint = TestEndpoint::new(json!({"retry_count": 0}), json!([])).await;
        endpoint.set("url", &server.url).await;
        let delivery = endpoint.delivery();
        enqueue(&delivery).await;
        let log = attempts(&row_in(&delivery.id, "dead").await);
        assert_eq!((&log[0]["status"], &log[0]["error"]), (&json!(null), &json!(error)));
    }
}
