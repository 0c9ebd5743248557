//! Expiry of rows, in any table.

use serde_json::Value;

use crate::world::State;

/// No kind of row is kept longer: figures of messages have 400 days after their day.
const LONGEST_SECONDS: u64 = 402 * 24 * 60 * 60;

/// Every expiry time is in seconds, and in the time that rows are kept.
pub(super) fn judge(state: &State) -> Vec<String> {
    let latest = state.now() / 1000 + LONGEST_SECONDS;
    let tables = state.topology.tables();
    let expired = tables.flat_map(|(table, ttl)| {
        let times = state.dynamodb.rows(table).filter_map(move |row| row.get(ttl));
        let seconds = times.filter_map(|time: &Value| time["N"].as_str()?.parse::<u64>().ok());
        let wrong = seconds.filter(move |seconds| *seconds > latest);
        wrong.map(move |seconds| format!("a row of {table} expires at {seconds}"))
    });
    expired.collect()
}
