//! Every minute, queues events that could not be queued or were not processed, and deliveries whose
//! next attempt is due. Probes paused endpoints and releases parked deliveries.

mod deliveries;
mod events;
mod function;
mod parked;

pub use deliveries::DueDeliveries;
pub use events::PendingEvents;
pub use function::Function;
pub use parked::ParkedDeliveries;
