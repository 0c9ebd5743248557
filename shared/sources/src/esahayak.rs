//! What eSahayak's event types mean.
//!
//! The types: eSahayak's webhook guide.

use domain::status::Status;

/// The status that an event type stands for. Types are compared as they are written.
pub fn status(event: &str) -> Status {
    match event {
        "stamp.uploaded" => Status::Completed,
        "stamp.failed" => Status::Failed,
        "order.delivered" => Status::Delivered,
        "order.cancelled" => Status::Cancelled,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type() {
        for (event, expected) in [
            ("stamp.uploaded", Status::Completed),
            ("stamp.failed", Status::Failed),
            ("order.delivered", Status::Delivered),
            ("order.cancelled", Status::Cancelled),
            ("order.created", Status::Unknown),
            ("Stamp.Uploaded", Status::Unknown),
            ("", Status::Unknown),
        ] {
            assert_eq!(status(event), expected, "{event}");
        }
    }
}
