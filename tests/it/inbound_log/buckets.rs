//! The log's index by day, whose partitions are chosen by account.

use std::collections::BTreeSet;

use aws::tables::inbound::{EventState, LogFilter};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::auth::{Accounts, Caller};
use domain::core::id::AccountCode;

use super::{find, ids, insert, insert_all, next_millisecond, pages, pages_until};
use crate::support::{Calls, stack, unique};

/// As a release stored it whose index had one partition a day.
async fn move_to_whole_day(id: &str) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = stack().dynamodb(&Calls::default()).update_item();
    let update = update.table_name(&stack().tables["inbound"]);
    let today = aws::clock::now().to_string();
    let update = update.key("pk", text(id)).key("sk", text("event"));
    let update = update
        .update_expression("SET #day = :day")
        .expression_attribute_names("#day", "day")
        .expression_attribute_values(":day", text(&today[..10]));
    update.send().await.unwrap();
}

#[tokio::test]
async fn lists_the_events_of_all_accounts_newest_first() {
    let mut newest_first = Vec::new();
    for _ in 0..40 {
        let id = insert(Some(&unique("ACC-")), EventState::Ignored, b"{}").await;
        newest_first.insert(0, id);
        next_millisecond().await;
    }
    move_to_whole_day(&newest_first[7]).await;
    let mut missing: BTreeSet<_> = newest_first.iter().cloned().collect();
    let pages = pages_until("?limit=7", None, |page| {
        missing.retain(|id| !ids(page).contains(&id.as_str()));
        missing.is_empty()
    })
    .await
    .concat();
    let listed = ids(&pages);
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "each event once");
    let own: Vec<&str> =
        listed.into_iter().filter(|id| newest_first.iter().any(|own| own == id)).collect();
    assert_eq!(own, newest_first);
}

#[tokio::test]
async fn lists_events_of_an_earlier_release_until_they_expire() {
    let account = unique("ACC-");
    let newest_first = insert_all(&account, &[EventState::Ignored; 4]).await;
    move_to_whole_day(&newest_first[0]).await;
    move_to_whole_day(&newest_first[2]).await;
    for query in ["", "&limit=1", "&status=ignored", "&from=2026-01-20T00:00:00Z"] {
        let query = format!("?account_code={account}{query}");
        let listed = pages(&query, None, newest_first.len()).await.concat();
        assert_eq!(ids(&listed), newest_first, "{query}");
    }
    assert!(find("?limit=100", &newest_first[2]).await.is_some());
}

#[tokio::test]
async fn a_list_of_an_account_reads_its_own_partition_of_a_day() {
    let account = unique("ACC-");
    insert_all(&account, &[EventState::Ignored; 2]).await;
    let code = AccountCode::parse(&account).unwrap();
    let all = Accounts::All;
    for (caller, account, queries) in [
        (all.clone(), Some(code.clone()), 2),
        (Accounts::Only([code].into()), None, 2),
        (all, None, 17),
    ] {
        let calls = Calls::default();
        let filter = LogFilter::parse(Caller::job(caller), None, None, |_| true).unwrap();
        let filter = LogFilter { account, ..filter };
        let page = stack().events(&calls).list(&filter, 1, None, aws::clock::now()).await.unwrap();
        assert_eq!(page.rows.len(), 1);
        let made = calls.names().iter().filter(|name| *name == "dynamodb:Query").count();
        assert_eq!(made, queries, "{filter:?}");
    }
}
