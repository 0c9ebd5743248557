//! The stored part of an order that facts change: what the fold made of them, and the version.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::core::id::Awb;
use crate::core::repeated::{Outer, fields_of, omit, restore};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{Direction, is_false, is_zero};
use crate::tracking::report::SourceName;
use crate::tracking::status::Status;

/// Parcels of an order.
pub const MAX_PARCELS: usize = 20;
/// Facts of the shop about an order's parcels.
pub const MAX_PARCEL_CHANGES: usize = 500;

/// How the order was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awb: Option<Awb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_awb: Option<Awb>,
    /// Those of its AWBs that belonged to another order before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recycled: Vec<Awb>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub by: SourceName,
}

/// The order as the aggregate of its parcels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingState {
    pub status: Status,
    /// The time of the report that set the status; `None` for the status at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The status in the words of its source, else [`Status::title`].
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// Delivery attempts: the highest of its parcels.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Completed or delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Set while the order is cancelled, and during a return after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
}

/// A parcel of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelState {
    pub awb: Awb,
    #[serde(default = "forward", skip_serializing_if = "is_forward")]
    pub direction: Direction,
    pub added_at: Timestamp,
    /// Another order has its AWB by now: the carrier uses the number again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub released: bool,
    /// Known from reports only, not from the shop.
    #[serde(default, skip_serializing_if = "is_false")]
    pub learnt: bool,
    /// It does not count: another parcel took its place.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaced: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_name: Option<String>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    pub label: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// Hash of its stored checkpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<String>,
}

/// Written at once with the entry that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct State {
    pub start: Start,
    pub tracking: TrackingState,
    /// In the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ParcelState>,
    /// The parcels that the shop has added beside the others, canonical; from the request on, before
    /// their facts are in the timeline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Awb>,
    /// Before the last change of the order's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<Status>,
    /// 1 at creation; incremented with every [`crate::tracking::entry::Transition`].
    pub version: u64,
    /// Incremented by every write, and the condition of every write (optimistic locking).
    pub rev: u64,
    /// The `rev` of the last profile write: a reader checks that profile and state belong together.
    pub profile_rev: u64,
    /// The number of entries: a reader checks that it has all of them.
    pub entries: u64,
    /// The `rev` of the last entry, 0 without one: a reader checks that it has that one.
    pub entry_rev: u64,
    /// Of all entries, as [`entry_sum`] makes it: a reader checks that it has no other entry in place
    /// of one. `None` in a state of before, until the next entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_sum: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_message_status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_message_at: Option<Timestamp>,
    /// Decides between messages of the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_message_id: Option<String>,
    /// When the shopper's data was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    pub fn at_creation(start: Start, now: Timestamp) -> Self {
        let folded = crate::tracking::fold::fold(&start, now, &[]);
        Self {
            start,
            tracking: folded.tracking,
            parcels: folded.parcels,
            added: Vec::new(),
            previous_status: None,
            version: 1,
            rev: 1,
            profile_rev: 1,
            entries: 0,
            entry_rev: 0,
            entry_sum: None,
            latest_message_status: None,
            latest_message_at: None,
            latest_message_id: None,
            erased_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// True if the shop has added this parcel.
    pub fn has_added(&self, awb: &Awb) -> bool {
        self.added.contains(&awb.canonical())
    }

    /// The number of parcels, with those that the shop has added and the timeline does not show yet.
    pub fn reserved_parcels(&self) -> usize {
        let pending = self.added.iter().filter(|awb| self.parcel(awb).is_none());
        self.parcels.len() + pending.count()
    }

    /// The parcel with this AWB, in any spelling.
    pub fn parcel(&self, awb: &Awb) -> Option<&ParcelState> {
        self.parcels.iter().find(|parcel| parcel.awb.is_same_parcel(awb))
    }
}

/// Tells sets of entries of the same number apart, by the `rev` of each, which no other one has. Of
/// cubes, different pairs with the same sum are rare: the first are 1 and 12, 9 and 10.
pub fn entry_sum(revs: impl Iterator<Item = u64>) -> u64 {
    revs.fold(0, |sum, rev| sum.wrapping_add(rev.wrapping_pow(3)))
}

/// A parcel is stored without what the order says itself: with one parcel that is nearly all.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = Self::serialize(self, serde_json::value::Serializer);
        let mut json = json.map_err(S::Error::custom)?;
        let outer = said_by_the_order(&json);
        omit(&mut json, "parcels", &outer);
        // As a rule the last write was that of an entry.
        if let Value::Object(fields) = &mut json
            && fields.get("entry_rev") == fields.get("rev")
        {
            fields.remove("entry_rev");
        }
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        let outer = said_by_the_order(&json);
        restore(&mut json, "parcels", &outer);
        if let Value::Object(fields) = &mut json {
            let rev = fields.get("rev").cloned().unwrap_or_default();
            fields.entry("entry_rev").or_insert(rev);
        }
        Self::deserialize(json).map_err(D::Error::custom)
    }
}

fn said_by_the_order(state: &Value) -> Outer {
    let fields = ["status", "since", "label", "attempts", "eta"];
    let mut outer = fields_of(state.get("tracking"), &fields);
    outer.extend(state.get("created_at").map(|at| ("added_at".to_owned(), at.clone())));
    outer
}

impl Start {
    pub fn of(status: Status) -> Self {
        Self { status, awb: None, return_awb: None, recycled: Vec::new() }
    }
}

fn forward() -> Direction {
    Direction::Forward
}

fn is_forward(direction: &Direction) -> bool {
    *direction == Direction::Forward
}
