//! Index partitions of a day that are spread over buckets: a partition takes 1,000 writes a second.
//!
//! A bucket is chosen by a hash of what the commonest lists ask for, so such a list reads one
//! partition of a day. Other lists merge the partitions of all buckets.
//!
//! A young or quiet installation has many partitions without rows. A page of a list reads few of
//! them.

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};

use aws_sdk_dynamodb::Client;
use domain::core::hash::Fingerprint;
use futures::future::try_join_all;

use super::attr::read_text;
use super::read::limit;
use crate::error::IoError;

const BUCKETS: u64 = 16;

/// About the number of partitions that are read for one page: three days of all buckets, and weeks
/// of one.
pub(crate) const MAX_PARTITIONS: usize = 48;

/// An index with fewer rows is looked through at once. Their keys cost as many read units as two
/// thirds of `MAX_PARTITIONS` without rows.
const FEW_ROWS: usize = 1000;

/// The smallest page: a query of 4 KB costs as much as one of a single row.
const MIN_PAGE: usize = 32;

/// The partition of a day that has the rows of this owner, e.g. `2026-01-20/07`. Stored: neither
/// the hash nor the spelling may change.
pub fn partition_of(day: &str, owner: &str) -> String {
    bucketed(day, Fingerprint::of("bucket").with(owner).number() % BUCKETS)
}

/// All partitions of a day.
pub fn partitions_of(day: &str) -> impl Iterator<Item = String> {
    (0..BUCKETS).map(move |bucket| bucketed(day, bucket))
}

fn bucketed(day: &str, bucket: u64) -> String {
    format!("{day}/{bucket:02}")
}

/// The partitions of an index that have rows, or `None` if there are too many rows to look through.
/// Read eventually consistently.
pub(crate) async fn partitions_with_rows(
    client: &Client,
    table: &str,
    index: &str,
    attribute: &str,
) -> Result<Option<HashSet<String>>, IoError> {
    let scan = client.scan().table_name(table).index_name(index).limit(limit(FEW_ROWS));
    let answer = scan.send().await.map_err(|error| IoError::of("dynamodb:Scan", &error))?;
    if answer.last_evaluated_key.is_some() {
        return Ok(None);
    }
    let partitions = answer.items().iter().map(|row| read_text(row, attribute));
    partitions.map(|partition| partition.map(str::to_owned)).collect::<Result<_, _>>().map(Some)
}

/// Reads several partitions as one. `T` is a row, ordered as the index orders them.
#[derive(Debug)]
pub struct Merge<T> {
    parts: Vec<Part<T>>,
    is_ascending: bool,
}

#[derive(Debug)]
struct Part<T> {
    partition: String,
    /// Read, and not yet taken.
    rows: VecDeque<T>,
    last_read: Option<T>,
    is_at_end: bool,
}

impl<T: Ord + Clone> Merge<T> {
    /// The smallest row first. Each partition is read from `after` on.
    pub fn ascending(partitions: impl IntoIterator<Item = String>, after: Option<&T>) -> Self {
        Self::new(partitions, after, true)
    }

    /// The greatest row first. Each partition is read from `after` on.
    pub fn descending(partitions: impl IntoIterator<Item = String>, after: Option<&T>) -> Self {
        Self::new(partitions, after, false)
    }

    fn new(
        partitions: impl IntoIterator<Item = String>,
        after: Option<&T>,
        is_ascending: bool,
    ) -> Self {
        let part = |partition| Part {
            partition,
            rows: VecDeque::new(),
            last_read: after.cloned(),
            is_at_end: false,
        };
        Self { parts: partitions.into_iter().map(part).collect(), is_ascending }
    }

    /// The next rows; fewer than `count` only at the end of all partitions. `read` returns so many
    /// rows of a partition after this one, and fewer only at the end of the partition.
    pub async fn take<F: Future<Output = Result<Vec<T>, IoError>>>(
        &mut self,
        count: usize,
        read: impl Fn(String, Option<T>, usize) -> F,
    ) -> Result<Vec<T>, IoError> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            self.fill(count - taken.len(), &read).await?;
            let Some(next) = self.pop() else { break };
            taken.push(next);
        }
        Ok(taken)
    }

    /// Afterwards every partition that is not at its end has a row to compare.
    async fn fill<F: Future<Output = Result<Vec<T>, IoError>>>(
        &mut self,
        missing: usize,
        read: &impl Fn(String, Option<T>, usize) -> F,
    ) -> Result<(), IoError> {
        let parts = self.parts.len().max(1);
        // Twice the even share: rarely too few, and not many that no one takes.
        let page = missing.min(MIN_PAGE.max(2 * missing / parts));
        let empty = self.parts.iter_mut().filter(|part| part.rows.is_empty() && !part.is_at_end);
        let fills = empty.map(|part| {
            let rows = read(part.partition.clone(), part.last_read.clone(), page);
            async { part.append(rows.await?, page) }
        });
        try_join_all(fills).await.map(drop)
    }

    fn pop(&mut self) -> Option<T> {
        let heads = self.parts.iter_mut().filter(|part| !part.rows.is_empty());
        let first = match self.is_ascending {
            true => heads.min_by_key(|part| part.rows.front().cloned()),
            false => heads.min_by_key(|part| Reverse(part.rows.front().cloned())),
        };
        first?.rows.pop_front()
    }
}

impl<T: Clone> Part<T> {
    fn append(&mut self, rows: Vec<T>, page: usize) -> Result<(), IoError> {
        self.is_at_end = rows.len() < page;
        self.last_read = rows.last().or(self.last_read.as_ref()).cloned();
        self.rows.extend(rows);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    /// Rows by partition, and the sizes of the pages that were read.
    struct Index {
        parts: Vec<Vec<u16>>,
        is_ascending: bool,
        pages: RefCell<Vec<usize>>,
    }

    impl Index {
        fn new(mut parts: Vec<Vec<u16>>, is_ascending: bool) -> Self {
            for part in &mut parts {
                part.sort_unstable();
                if !is_ascending {
                    part.reverse();
                }
            }
            Self { parts, is_ascending, pages: RefCell::default() }
        }

        fn names(&self) -> Vec<String> {
            (0..self.parts.len()).map(|it| it.to_string()).collect()
        }

        async fn read(
            &self,
            partition: String,
            after: Option<u16>,
            count: usize,
        ) -> Result<Vec<u16>, IoError> {
            self.pages.borrow_mut().push(count);
            let part = &self.parts[partition.parse::<usize>().unwrap()];
            let is_read = |row: &&u16| match after {
                Some(after) if self.is_ascending => **row <= after,
                Some(after) => **row >= after,
                None => false,
            };
            let rows = part.iter().skip_while(is_read).take(count);
            Ok(rows.copied().collect())
        }
    }

    async fn all(index: &Index, count: usize, restart: bool) -> Vec<u16> {
        let merge = |after: Option<&u16>| match index.is_ascending {
            true => Merge::ascending(index.names(), after),
            false => Merge::descending(index.names(), after),
        };
        let (mut found, mut current) = (Vec::new(), merge(None));
        loop {
            if restart {
                current = merge(found.last());
            }
            let page = current.take(count, |part, after, max| index.read(part, after, max)).await;
            let page = page.unwrap();
            found.extend(&page);
            if page.len() < count {
                return found;
            }
        }
    }

    proptest! {
        /// In pages of any size, with the same merge or a new one after the last row.
        #[test]
        fn returns_every_row_once_and_in_order(
            rows in prop::collection::btree_set(any::<u16>(), 0..400),
            buckets in 1_usize..18,
            count in 1_usize..120,
            is_ascending: bool,
            restart: bool,
        ) {
            let mut parts = vec![Vec::new(); buckets];
            for row in &rows {
                parts[usize::from(row % 7) % buckets].push(*row);
            }
            let index = Index::new(parts, is_ascending);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let found = runtime.block_on(all(&index, count, restart));
            let mut expected: Vec<u16> = rows.into_iter().collect();
            if !is_ascending {
                expected.reverse();
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn reads_little_more_than_it_returns() {
        let rows = |bucket: u16| (0..500).map(|row| row * 16 + bucket).collect();
        let index = Index::new((0..16).map(rows).collect(), true);
        let mut merge = Merge::ascending(index.names(), None);
        let read = |part, after, max| index.read(part, after, max);
        assert_eq!(merge.take(100, read).await.unwrap(), (0..100).collect::<Vec<_>>());
        assert_eq!(*index.pages.borrow(), [32; 16]);
        merge.take(300, read).await.unwrap();
        assert_eq!(index.pages.borrow().len(), 16, "rows that were read wait for the next call");
    }

    #[tokio::test]
    async fn a_failed_read_fails_the_page() {
        let mut merge = Merge::ascending(["a".to_owned()], None::<&u16>);
        let failed = merge.take(1, async |_, _, _| Err(IoError::unreadable("dynamodb", "at")));
        assert!(failed.await.is_err());
    }

    #[test]
    fn an_owner_has_one_of_sixteen_partitions() {
        // As stored: a row would not be found if this changed.
        assert_eq!(partition_of("2026-01-20", "STORE001"), "2026-01-20/04");
        let all: Vec<String> = partitions_of("2026-01-20").collect();
        assert_eq!((all.len(), all[0].as_str()), (16, "2026-01-20/00"));
        assert!(
            (0..200).all(|it| all.contains(&partition_of("2026-01-20", &format!("STORE{it}"))))
        );
    }
}
