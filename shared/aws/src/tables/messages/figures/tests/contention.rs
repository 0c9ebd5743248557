//! How often transactions meet at the rows of the figures.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::client::Edge;

/// How long a transaction takes, and the refusal of one.
const COMMIT: Duration = Duration::from_millis(10);
const REFUSAL: Duration = Duration::from_millis(5);

/// Cancels a transaction that meets another one at a row, as DynamoDB does.
#[derive(Debug, Clone, Default)]
struct Contended {
    busy: Arc<Mutex<BTreeSet<String>>>,
    committed: Arc<AtomicUsize>,
    conflicts: Arc<AtomicUsize>,
}

impl Contended {
    async fn answer(self, request: HttpRequest) -> (u16, String) {
        let keys: Vec<String> = writes(&request).into_iter().map(|(key, _)| key).collect();
        if let Some(codes) = self.begin(&keys) {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(REFUSAL).await;
            return cancelled(codes);
        }
        tokio::time::sleep(COMMIT).await;
        self.busy.lock().unwrap().retain(|key| !keys.contains(key));
        self.committed.fetch_add(1, Ordering::Relaxed);
        (200, "{}".to_owned())
    }

    /// The reasons for a refusal.
    fn begin(&self, keys: &[String]) -> Option<Vec<&'static str>> {
        let mut busy = self.busy.lock().unwrap();
        if keys.iter().any(|key| busy.contains(key)) {
            let code = |key| if busy.contains(key) { "TransactionConflict" } else { "None" };
            return Some(keys.iter().map(code).collect());
        }
        busy.extend(keys.iter().cloned());
        None
    }
}

impl HttpConnector for Contended {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let (status, body) = this.answer(request).await;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_statuses_of_a_template_at_once_are_counted() {
    let rows = Contended::default();
    let connector = rows.clone();
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
    let edge = Edge { http_client: Some(client), ..Edge::system() };
    let messages = Messages::new(clients(edge).dynamodb(), "messages".to_owned());
    let (messages, read_again) = (&messages, &AtomicUsize::new(0));
    let save = async |message| {
        let saved = messages.save_counted(&row(message), Vec::new(), now()).await?;
        if !saved {
            read_again.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<_, IoError>(if saved { Try::Done(()) } else { Try::Contended })
    };
    let began = tokio::time::Instant::now();
    let saves = (0..200).map(|message| retry(12, move || save(message)));
    let saved = futures::future::try_join_all(saves).await.unwrap();
    assert!(saved.iter().all(Option::is_some), "a message was given up");
    let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let (conflicts, read_again) = (count(&rows.conflicts), count(read_again));
    let time = began.elapsed();
    println!("{conflicts} conflicts, {read_again} messages read again, {time:?}");
    assert_eq!(count(&rows.committed), 200);
    assert!(conflicts < 800 && read_again < 100, "{conflicts} {read_again}");
}
