//! What Shipway's codes mean.
//!
//! The codes: the list of Shipway's PHP SDK for its orders API; which of them stand for the way back: the same list's
//! "reverse" group. Reasons for a failed attempt (`SHNDR…`, `SHPFR…`, `RTONDR…`) are no statuses.

use domain::status::{Leg, Status};

/// The status that a code stands for, in any case.
pub fn status(code: &str) -> Status {
    match code.trim().to_ascii_uppercase().as_str() {
        "SCH" | "OFP" => Status::Processing,
        "PKP" | "PUP" => Status::PickedUp,
        "INT" | "RAD" => Status::InTransit,
        "OOD" => Status::OutForDelivery,
        "UND" | "CRTA" | "CNA" | "PNR" | "22" | "23" | "24" | "25" => Status::Undelivered,
        "ONH" | "DNB" | "SMD" | "DRE" | "FDR" => Status::Delayed,
        "NWI" | "ODA" | "DEX" | "PKF" => Status::Exception,
        "LOST" => Status::Lost,
        "DEL" => Status::Delivered,
        "CAN" | "PCAN" => Status::Cancelled,
        "RTO" | "RSCH" | "ROOP" | "ROFP" => Status::ReturnInitiated,
        "RPKP" | "RINT" => Status::ReturnInTransit,
        "ROOD" => Status::ReturnOutForDelivery,
        "RTD" | "RDEL" => Status::Returned,
        _ => Status::Unknown,
    }
}

/// The leg of the parcel that a code speaks of: the reverse codes are of a parcel that the shopper sends back, while
/// `RTO` and `RTD` are of the one that was on its way out.
pub fn leg(code: &str) -> Leg {
    match code.trim().to_ascii_uppercase().as_str() {
        "RSCH" | "ROOP" | "ROFP" | "RPKP" | "RINT" | "RDEL" | "RCAN" | "RCLO" | "RPSH" | "RSMD" | "ROOD" | "RUND"
        | "RPEX" | "ROTH" | "RPF" => Leg::Return,
        _ => Leg::Outbound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the SDK's list, by our own table of codes.
    const CODES: &[(Status, &str)] = &[
        (Status::Processing, "SCH OFP"),
        (Status::PickedUp, "PKP PUP"),
        (Status::InTransit, "INT RAD"),
        (Status::OutForDelivery, "OOD"),
        (Status::Undelivered, "UND CRTA CNA PNR 22 23 24 25"),
        (Status::Delayed, "ONH DNB SMD DRE FDR"),
        (Status::Exception, "NWI ODA DEX PKF"),
        (Status::Lost, "LOST"),
        (Status::Delivered, "DEL"),
        (Status::Cancelled, "CAN PCAN"),
        (Status::ReturnInitiated, "RTO RSCH ROOP ROFP"),
        (Status::ReturnInTransit, "RPKP RINT"),
        (Status::ReturnOutForDelivery, "ROOD"),
        (Status::Returned, "RTD RDEL"),
        (Status::Unknown, "NFI NFIDS OTH RCAN RCLO RPSH RSMD RUND RPEX ROTH RPF"),
        (Status::Unknown, "SHNDR1 SHNDR22 SHPFR0 SHPRF18 RTONDR1 21 26 DELIVERED D"),
    ];

    #[test]
    fn every_code() {
        for (expected, codes) in CODES {
            for code in codes.split(' ') {
                assert_eq!(status(code), *expected, "{code}");
                assert_eq!(status(&format!(" {} ", code.to_lowercase())), *expected, "{code}");
            }
        }
        assert_eq!(status(""), Status::Unknown);
    }

    #[test]
    fn the_reverse_codes_are_of_the_parcel_that_comes_back() {
        let reverse = "RSCH ROOP ROFP RPKP RINT RDEL RCAN RCLO RPSH RSMD ROOD RUND RPEX ROTH RPF";
        assert!(reverse.split(' ').all(|code| leg(code) == Leg::Return));
        for (_, codes) in CODES {
            let others = codes.split(' ').filter(|code| !reverse.split(' ').any(|known| known == *code));
            assert!(others.map(leg).all(|leg| leg == Leg::Outbound), "{codes}");
        }
    }
}
