//! Bodies of Shipway.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::shipway(input));
