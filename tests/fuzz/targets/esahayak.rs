//! Bodies of eSahayak.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::esahayak(input));
