use super::*;

/// Sequences of claims, the disposition of each, and the final status.
#[test]
fn folds_typical_sequences_of_claims() {
    type Case = (&'static str, Status, Vec<(StatusClaim, Disposition)>, Status);
    const S: fn(Status) -> StatusClaim = StatusClaim::Status;
    let cases: &[Case] = &[
        ("no report", Pending, vec![], Pending),
        (
            "an ordinary delivery",
            Pending,
            vec![(S(PickedUp), Applied), (S(InTransit), Applied), (S(Delivered), Applied)],
            Delivered,
        ),
        ("repeats the status at creation", Pending, vec![(S(Pending), Same)], Pending),
        (
            "a failed attempt is repeated",
            Pending,
            vec![
                (S(OutForDelivery), Applied),
                (S(Undelivered), Applied),
                (S(InTransit), Applied),
                (S(OutForDelivery), Applied),
            ],
            OutForDelivery,
        ),
        (
            "an unknown status changes nothing, even after the end",
            Pending,
            vec![
                (S(Unknown), Disposition::Unknown),
                (S(Returned), Applied),
                (S(Unknown), Disposition::Unknown),
            ],
            Returned,
        ),
        (
            "a report of another parcel changes nothing",
            InTransit,
            vec![
                (OtherShipment(Delivered), Disposition::OtherShipment),
                (OtherShipment(InTransit), Disposition::OtherShipment),
                (OtherShipment(Unknown), Disposition::OtherShipment),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "delivered is terminal",
            Pending,
            vec![(S(Delivered), Applied), (S(InTransit), AfterTerminal), (S(Delivered), Same)],
            Delivered,
        ),
        (
            "a terminal status that did not apply ends nothing",
            Pending,
            vec![(OtherShipment(Lost), Disposition::OtherShipment), (S(InTransit), Applied)],
            InTransit,
        ),
        (
            "completed, then delivered",
            Pending,
            vec![
                (S(Completed), Applied),
                (S(Delivered), Applied),
                (S(Cancelled), AfterTerminal),
                (S(Completed), AfterTerminal),
            ],
            Delivered,
        ),
        (
            "completed, refunded, and delivered after all",
            Pending,
            vec![
                (S(Completed), Applied),
                (S(Cancelled), Applied),
                (S(Completed), AfterTerminal),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "a lost parcel is found",
            Pending,
            vec![(S(Lost), Applied), (S(InTransit), AfterTerminal), (S(Delivered), Applied)],
            Delivered,
        ),
        (
            "outbound statuses do not apply during a return after delivery",
            Pending,
            vec![
                (S(Delivered), Applied),
                (S(ReturnInitiated), Applied),
                (S(Delivered), AfterTerminal),
                (S(InTransit), AfterTerminal),
                (S(ReturnInTransit), Applied),
                (S(ReturnInitiated), Applied),
                (S(Returned), Applied),
            ],
            Returned,
        ),
        (
            "outbound statuses apply during a return before the outbound leg ended",
            InTransit,
            vec![
                (S(ReturnInitiated), Applied),
                (S(OutForDelivery), Applied),
                (S(ReturnInTransit), Applied),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "a lost parcel can be delivered during a return",
            Pending,
            vec![
                (S(Lost), Applied),
                (S(ReturnInTransit), Applied),
                (S(Cancelled), AfterTerminal),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "no status follows returned",
            InTransit,
            vec![
                (S(Returned), Applied),
                (S(ReturnInTransit), AfterTerminal),
                (S(Delivered), AfterTerminal),
                (S(Returned), Same),
            ],
            Returned,
        ),
        (
            "a reshipment clears the terminal status",
            Pending,
            vec![
                (S(Cancelled), Applied),
                (Reshipped, Applied),
                (S(InTransit), Applied),
                (S(Delivered), Applied),
                (S(Cancelled), AfterTerminal),
            ],
            Delivered,
        ),
        (
            "a reshipment after a return",
            Pending,
            vec![(S(Returned), Applied), (Reshipped, Applied), (S(PickedUp), Applied)],
            PickedUp,
        ),
        (
            "a reshipment in processing is no change, but clears the terminal status",
            Completed,
            vec![(Reshipped, Applied), (Reshipped, Same), (S(Completed), Applied)],
            Completed,
        ),
        (
            "created as cancelled, a terminal status",
            Cancelled,
            vec![(S(InTransit), AfterTerminal), (S(Delivered), Applied)],
            Delivered,
        ),
        (
            "created during a return, before an end",
            ReturnInitiated,
            vec![(S(InTransit), Applied)],
            InTransit,
        ),
        (
            "failed is not terminal",
            Pending,
            vec![(S(Failed), Applied), (S(Processing), Applied), (S(Completed), Applied)],
            Completed,
        ),
    ];
    for (name, start, claims, end) in cases {
        let (claims, expected): (Vec<_>, Vec<_>) = claims.iter().copied().unzip();
        let (tracking, dispositions) = walk(*start, &claims);
        assert_eq!((dispositions, tracking.status), (expected, *end), "{name}");
    }
}
