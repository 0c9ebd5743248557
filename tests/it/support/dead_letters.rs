//! The dead-letter queue of `deliver`.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use domain::webhooks::delivery::Delivery;

use super::{Calls, eventually, stack};

/// Takes a delivery out of the dead-letter queue. Returns it with its reason.
pub async fn take_dead_letter(delivery_id: &str) -> (Delivery, String) {
    let message = take(delivery_id).await;
    let delivery = Delivery::from_message(message.body().unwrap()).unwrap();
    let group = &message.attributes().unwrap().get(&MessageSystemAttributeName::MessageGroupId);
    assert_eq!(group.map(String::as_str), Some(delivery.endpoint.as_str()));
    (delivery, reason(&message).to_owned())
}

/// Takes a message out of the dead-letter queue that no version can read.
pub async fn take_unreadable_dead_letter(body: &str) {
    let message = take(body).await;
    assert_eq!((message.body(), reason(&message)), (Some(body), "unreadable_message"));
}

fn reason(message: &Message) -> &str {
    message.message_attributes().unwrap()["reason"].string_value().unwrap()
}

/// Takes the message whose body contains `text`, and leaves those of other tests.
async fn take(text: &str) -> Message {
    let sqs = stack().sqs(&Calls::default());
    let url = &stack().queues["deliveries_dlq"];
    let receive = async || {
        let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let receive = receive.visibility_timeout(1).message_attribute_names("All");
        let receive =
            receive.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
        receive.send().await.unwrap().messages.unwrap_or_default()
    };
    eventually(&format!("the dead letter with {text}"), async || {
        // All at once: the first letters are back before the last ones are reached.
        loop {
            let letters = receive().await;
            if letters.is_empty() {
                return None;
            }
            let found = letters.into_iter().find(|letter| letter.body().unwrap().contains(text));
            if let Some(found) = found {
                let receipt = found.receipt_handle().unwrap();
                sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
                return Some(found);
            }
        }
    })
    .await
}
