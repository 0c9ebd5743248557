//! Every minute, queues events that could not be queued or were not processed, and deliveries whose
//! next attempt is due. Probes paused endpoints, releases parked deliveries, and notifies of endpoints
//! that were paused, disabled or have recovered. Works on redrives. Erases orders whose retention is
//! over.

mod deliveries;
mod endpoint_events;
mod events;
mod expired;
mod function;
mod parked;
mod redrives;

pub use deliveries::DueDeliveries;
pub use events::PendingEvents;
pub use expired::ExpiredOrders;
pub use function::Function;
pub use parked::ParkedDeliveries;
pub use redrives::Redrives;
