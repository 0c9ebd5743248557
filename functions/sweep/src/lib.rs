//! Every minute, queues events that could not be queued or were not processed, and deliveries whose
//! next attempt is due. Probes paused endpoints, releases parked deliveries, works on redrives.

mod deliveries;
mod events;
mod function;
mod parked;
mod redrives;

pub use deliveries::DueDeliveries;
pub use events::PendingEvents;
pub use function::Function;
pub use parked::ParkedDeliveries;
pub use redrives::Redrives;
