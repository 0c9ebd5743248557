//! The console's page and its files.

use crate::support::{Answer, http, stack};

async fn get(path: &str) -> Answer {
    http::send(http::client().get(stack().url(path))).await
}

fn cache_control(answer: &Answer) -> &str {
    answer.headers["cache-control"].to_str().unwrap()
}

#[tokio::test]
async fn serves_the_page_and_its_files_without_credentials() {
    let page = get("/console").await;
    assert_eq!((page.status, cache_control(&page)), (200, "no-store"));
    let html = page.json.as_str().unwrap();
    for name in ["console.css", "console.js"] {
        let address = html.split('"').find(|part| part.ends_with(name)).unwrap();
        let file = get(&format!("/{address}")).await;
        assert_eq!(file.status, 200, "{address}");
        assert!(cache_control(&file).contains("immutable"), "{address}");
    }
    let other = get("/console/assets/2222/console.html").await;
    assert_eq!(other.error(), (404, "not_found", None));
}
