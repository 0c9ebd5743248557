//! The text that bodies are compressed against: their common parts. The commonest part comes
//! last, where it is nearest.

/// Stored bodies go on from it: it never changes. The largest that a stored block can have is 64 KB.
pub(super) const DICTIONARY: &[u8] = concat!(
    r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+91","type":"template","#,
    r#""template":{"name":"","language":{"code":"en"},"components":[{"type":"body","parameters":["#,
    r#"{"type":"text","text":""},{"type":"text","text":""}]}]}}"#,
    r#"{"type":"message.received","timestamp":"","data":{"account_code":"","order_id":"","#,
    r#""tracking_url":null,"message":{"message_id":"wamid.","from":"91","type":"button","text":"","#,
    r#""payload":null,"title":null,"in_reply_to":"wamid.","at":""},"answered":{"id":"wa_","#,
    r#""template":"","message_status":"delivered"}}}"#,
    r#"failedlostexceptiondelayedin_progressacceptedcompletedprocessingpickup_failed"#,
    r#"return_initiatedreturn_in_transitreturn_out_for_deliveryreturnedundelivered"#,
    r#"RTO InitiatedUndeliveredOut For DeliveryPicked UpShippedIn TransitDeliveredCancelled"#,
    r#"SHIPPEDUNDELIVEREDOUT FOR DELIVERYPICKED UPIN TRANSITDELIVEREDCANCELED"#,
    r#""direction":"return","replaced":true"awb":"R"#,
    r#"{"timestamp":"","event":"order_stalled","orders":[{"order_id":"","stalled_since":""}]}"#,
    r#"{"timestamp":"20","event":"status_update","orders":[{"order_id":"","account_code":"","#,
    r#""carrier_id":null,"awb":"","current_shipment_status":"","previous_status":"","status":"","#,
    r#""shipping_phone":"91","shipping_firstname":"","shipping_lastname":"","number_of_product":1,"#,
    r#""number_of_quantity":1,"latest_message_status":null,"sequence":1,"occurred_at":"20","#,
    r#""delivery_attempts":0,"tracking_url":null},{"order_id":"]}"#,
    r#"{"type":"shipment.status_changed","timestamp":"order.stalled"},"stalledSince":""#,
    r#"Z","data":{"orderId":"","customerId":null,"status":"","previousStatus":"assigned","#,
    r#""pending","out_for_delivery","delivered","cancelled","picked_up","in_transit","updatedAt":"20"#,
    r#"","orderData":{"fare":null,"paymentMethod":"prepaid","paymentMethod":"cod","#,
    r#""paymentStatus":"paid","paymentStatus":null,"pickup":null,"drop":null,"pickup":{"address":""#,
    r#"","coordinates":[7"drop":{"address":"","city":"","state":"","pincode":"","phone":"","name":""#,
    r#"","items":[{"title":"","sku":"","qty":1,"price":"","quantity":1,"name":""}],"items":null,"#,
    r#""customerNotes":null,"vendorNotes":null,"scheduledAt":null,"assignedAt":"20","#,
    r#""acceptedAt":"20","acceptedAt":null,"completedAt":"20","completedAt":null,"cancelledAt":"20"#,
    r#"","cancelledAt":null,"cancellationReason":null,"cancelledBy":null,"createdAt":"20","#,
    r#""metadata":null},"vendorDetails":{"vendorId":"","vendorName":"","vendorDetails":{},"#,
    r#""sequence":2,"accountCode":"","awb":"","occurredAt":"2026-","currentShipmentStatus":"","#,
    r#""location":null,"location":"","eta":"20","eta":null,"note":null,"deliveryAttempts":0,"#,
    r#""shipments":[{"awb":"","direction":"forward","carrierName":"Delhivery","status":"#,
    r#""in_transit","currentShipmentStatus":"","deliveryAttempts":0,"replaced":false}],"#,
    r#""trackingUrl":"https://","trackingUrl":null}}{"type":"order.status_changed","#,
    r#""timestamp":"2026-"#
)
.as_bytes();
