//! Short stories in which requests meet, each of which once lost or doubled something. `kills` runs
//! them once for every call of theirs, at which it kills a worker.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Actors;
use super::carriers::Sent;
use super::parcels::{Change, Creation};
use super::shop::{Action, Shop};
use super::statuses::Said;
use crate::setup::ACCOUNTS;

/// Orders and parcels are numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Create {
        order: usize,
        awb: Option<usize>,
    },
    /// Patches the AWB.
    Name {
        order: usize,
        awb: usize,
    },
    Ship {
        order: usize,
        awb: usize,
    },
    /// A report of the carrier about a parcel, with the id of an order.
    Tell {
        awb: Option<usize>,
        order: usize,
        status: &'static str,
    },
    /// A report that names the provider's id too, the same one for all orders.
    TellWithId {
        awb: usize,
        order: usize,
        status: &'static str,
    },
    Say {
        order: usize,
        awb: Option<usize>,
        status: &'static str,
    },
    /// Takes the last report back.
    Withdraw {
        order: usize,
    },
    Read {
        order: usize,
    },
}

/// What happens when, in milliseconds.
#[derive(PartialEq)]
pub(crate) struct Meeting {
    pub(crate) name: &'static str,
    acts: &'static [(u64, Act)],
}

/// The first is spelled with a `#` before the second, the last with a suffix.
const ORDERS: [&str; 4] = ["#M-1", "M-1", "M-2", "M-1_740007001"];
const AWBS: [&str; 2] = ["55009001", "55009002"];
const PROVIDER_ID: u64 = 700_900;

/// Both orders of a story that has no spelled ids.
const ONE: usize = 1;
const OTHER: usize = 2;
const SPELLED: usize = 0;
const EXACT: usize = 1;
const SUFFIXED: usize = 3;

pub(crate) const MEETINGS: &[Meeting] = &[
    Meeting {
        name: "a parcel that reports name by two ids stays with its order",
        acts: &[
            (0, Act::Create { order: SPELLED, awb: None }),
            (100, Act::Tell { awb: Some(0), order: EXACT, status: "PICKED UP" }),
            (200, Act::Tell { awb: Some(0), order: SPELLED, status: "IN TRANSIT" }),
            (400, Act::Create { order: EXACT, awb: None }),
            (405, Act::Tell { awb: None, order: EXACT, status: "DELIVERED" }),
        ],
    },
    Meeting {
        name: "a parcel that reports name by one id goes to its order",
        acts: &[
            (0, Act::Create { order: SPELLED, awb: None }),
            (100, Act::Tell { awb: Some(0), order: EXACT, status: "PICKED UP" }),
            (120, Act::Create { order: EXACT, awb: None }),
            (140, Act::Tell { awb: Some(0), order: EXACT, status: "IN TRANSIT" }),
            (300, Act::Create { order: SPELLED, awb: None }),
        ],
    },
    Meeting {
        name: "a report that waits by a spelled id is told though it has two meanings by now",
        acts: &[
            (0, Act::Tell { awb: None, order: SUFFIXED, status: "DELIVERED" }),
            (100, Act::Create { order: EXACT, awb: None }),
            (250, Act::Create { order: SPELLED, awb: None }),
        ],
    },
    Meeting {
        name: "a report is told though its id has two meanings since it was applied",
        acts: &[
            (0, Act::Create { order: EXACT, awb: None }),
            (100, Act::Tell { awb: None, order: SUFFIXED, status: "DELIVERED" }),
            (120, Act::Create { order: SPELLED, awb: None }),
        ],
    },
    Meeting {
        name: "a learnt parcel moves while its report is told",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (150, Act::Create { order: OTHER, awb: Some(0) }),
            (160, Act::Tell { awb: Some(0), order: ONE, status: "DELIVERED" }),
        ],
    },
    Meeting {
        name: "a report waits for an order whose parcel then moves",
        acts: &[
            (0, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (100, Act::Create { order: ONE, awb: None }),
            (150, Act::Create { order: OTHER, awb: Some(0) }),
        ],
    },
    Meeting {
        name: "the AWB of a cancelled order is used again while it is reported on",
        acts: &[
            (0, Act::Tell { awb: Some(0), order: ONE, status: "CANCELED" }),
            (100, Act::Create { order: ONE, awb: Some(0) }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (255, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
        ],
    },
    Meeting {
        name: "a report is taken back while it is told",
        acts: &[
            (0, Act::Create { order: ONE, awb: Some(0) }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "DELIVERED" }),
            (160, Act::Withdraw { order: ONE }),
        ],
    },
    Meeting {
        name: "a report is taken back while its parcel moves",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "DELIVERED" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (251, Act::Withdraw { order: ONE }),
        ],
    },
    Meeting {
        name: "a status is reported while its parcel moves",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "PICKED UP" }),
            (250, Act::Say { order: ONE, awb: Some(0), status: "in_transit" }),
            (251, Act::Create { order: OTHER, awb: Some(0) }),
        ],
    },
    Meeting {
        name: "a further parcel is added while a report teaches it",
        acts: &[
            (0, Act::Create { order: ONE, awb: Some(1) }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (105, Act::Ship { order: ONE, awb: 0 }),
            (110, Act::Read { order: ONE }),
        ],
    },
    Meeting {
        name: "a parcel moves on while its reports are copied",
        acts: &[
            (0, Act::Create { order: EXACT, awb: None }),
            (100, Act::Tell { awb: Some(0), order: SUFFIXED, status: "IN TRANSIT" }),
            (250, Act::Create { order: SUFFIXED, awb: None }),
            (255, Act::Create { order: OTHER, awb: Some(0) }),
        ],
    },
    Meeting {
        name: "a parcel is added while the report that taught it is taken back",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (250, Act::Ship { order: ONE, awb: 0 }),
            (252, Act::Withdraw { order: ONE }),
        ],
    },
    Meeting {
        name: "a replaced parcel is added again while another order names it",
        acts: &[
            (0, Act::Create { order: ONE, awb: Some(0) }),
            (100, Act::Name { order: ONE, awb: 1 }),
            (250, Act::Ship { order: ONE, awb: 0 }),
            (255, Act::Create { order: OTHER, awb: Some(0) }),
        ],
    },
    Meeting {
        name: "a learnt parcel is named while another order takes it over",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (255, Act::Name { order: ONE, awb: 0 }),
        ],
    },
    Meeting {
        name: "a parcel comes back from a cancelled order with its reports",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "TELEPORTED" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (400, Act::Tell { awb: None, order: OTHER, status: "CANCELED" }),
            (550, Act::Ship { order: ONE, awb: 0 }),
        ],
    },
    Meeting {
        name: "a report is taken back after its parcel moved twice",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "PICKED UP" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (400, Act::Name { order: OTHER, awb: 1 }),
            (550, Act::Create { order: SUFFIXED, awb: Some(0) }),
            (700, Act::Withdraw { order: ONE }),
        ],
    },
    Meeting {
        name: "a parcel comes back after its report was taken back elsewhere",
        acts: &[
            (0, Act::Create { order: SPELLED, awb: None }),
            (100, Act::Tell { awb: Some(0), order: EXACT, status: "PICKED UP" }),
            (250, Act::Create { order: EXACT, awb: None }),
            (400, Act::Withdraw { order: EXACT }),
            (550, Act::Name { order: SPELLED, awb: 0 }),
        ],
    },
    Meeting {
        name: "a status is reported while its parcel comes back",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "PICKED UP" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (400, Act::Name { order: OTHER, awb: 1 }),
            (550, Act::Ship { order: ONE, awb: 0 }),
            (555, Act::Say { order: ONE, awb: Some(0), status: "in_transit" }),
        ],
    },
    Meeting {
        name: "a report is taken back in the order that its exact id moved it to",
        acts: &[
            (0, Act::Create { order: SPELLED, awb: None }),
            (100, Act::Tell { awb: None, order: EXACT, status: "DELIVERED" }),
            (120, Act::Create { order: EXACT, awb: None }),
            (250, Act::Withdraw { order: EXACT }),
        ],
    },
    Meeting {
        name: "two orders are patched to each other's parcel",
        acts: &[
            (0, Act::Create { order: ONE, awb: Some(0) }),
            (0, Act::Create { order: OTHER, awb: Some(1) }),
            (150, Act::Tell { awb: Some(0), order: ONE, status: "IN TRANSIT" }),
            (160, Act::Name { order: ONE, awb: 1 }),
            (161, Act::Name { order: OTHER, awb: 0 }),
            (300, Act::Name { order: ONE, awb: 1 }),
            (305, Act::Read { order: OTHER }),
        ],
    },
    Meeting {
        name: "a report names an order exactly while its parcel goes to another one by its id",
        acts: &[
            (0, Act::Create { order: EXACT, awb: None }),
            (100, Act::Tell { awb: Some(0), order: SUFFIXED, status: "PICKED UP" }),
            (250, Act::Create { order: SUFFIXED, awb: None }),
            (274, Act::Tell { awb: Some(0), order: EXACT, status: "IN TRANSIT" }),
            (302, Act::Tell { awb: Some(0), order: EXACT, status: "DELIVERED" }),
        ],
    },
    Meeting {
        name: "a report teaches a name while another one leaves with it",
        acts: &[
            (0, Act::Create { order: ONE, awb: Some(1) }),
            (100, Act::TellWithId { awb: 0, order: ONE, status: "PICKED UP" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (272, Act::TellWithId { awb: 1, order: ONE, status: "IN TRANSIT" }),
        ],
    },
    Meeting {
        name: "a parcel goes back before its reports were copied, with a name that went along",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::TellWithId { awb: 0, order: ONE, status: "PICKED UP" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (1000, Act::Name { order: OTHER, awb: 1 }),
            (1500, Act::Name { order: ONE, awb: 0 }),
        ],
    },
    Meeting {
        name: "a report is taken back before it is copied, and its parcel goes back",
        acts: &[
            (0, Act::Create { order: ONE, awb: None }),
            (100, Act::Tell { awb: Some(0), order: ONE, status: "PICKED UP" }),
            (250, Act::Create { order: OTHER, awb: Some(0) }),
            (400, Act::Withdraw { order: ONE }),
            (450, Act::Name { order: OTHER, awb: 1 }),
            (600, Act::Name { order: ONE, awb: 0 }),
        ],
    },
    Meeting {
        name: "a report names the order that its parcel left, and the other one lost the name",
        acts: &[
            (0, Act::Create { order: SPELLED, awb: None }),
            (100, Act::Tell { awb: Some(0), order: EXACT, status: "PICKED UP" }),
            (250, Act::Create { order: EXACT, awb: None }),
            (450, Act::Withdraw { order: EXACT }),
            (600, Act::Tell { awb: Some(0), order: SPELLED, status: "DELIVERED" }),
        ],
    },
];

impl Act {
    fn action(self, number: usize) -> Action {
        match self {
            Self::Create { order, awb } => {
                Action::Create(Creation::with_awb(order, awb.map(|awb| AWBS[awb])))
            }
            Self::Name { order, awb } => Action::Change(Change::named(order, AWBS[awb])),
            Self::Ship { order, awb } => {
                Action::Change(Change::Ship { order, awb: AWBS[awb].to_owned() })
            }
            Self::Tell { awb, order, status } => {
                let awb = awb.map(|awb| AWBS[awb]);
                Action::Webhook(Sent::of(ACCOUNTS[0], awb, None, ORDERS[order], status, number))
            }
            Self::TellWithId { awb, order, status } => {
                let (awb, id) = (Some(AWBS[awb]), Some(PROVIDER_ID));
                Action::Webhook(Sent::of(ACCOUNTS[0], awb, id, ORDERS[order], status, number))
            }
            Self::Say { order, awb, status } => {
                Action::Report(Said::of(order, awb.map(|awb| AWBS[awb]), status))
            }
            Self::Withdraw { order } => Action::Withdraw(order),
            Self::Read { order } => Action::Read(order),
        }
    }
}

impl Actors {
    pub(crate) async fn meet(&self, meeting: &Meeting) {
        let shop = Rc::new(Shop::of(ACCOUNTS[0], &ORDERS, &AWBS));
        let mut acts = JoinSet::new();
        for (number, (at, act)) in meeting.acts.iter().enumerate() {
            let (actors, shop, action) = (self.clone(), Rc::clone(&shop), act.action(number));
            acts.spawn_local(async move {
                sleep(Duration::from_millis(*at)).await;
                actors.take(&shop, action).await;
            });
        }
        while acts.join_next().await.is_some() {}
    }
}
