//! Bodies of Shiprocket.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::shiprocket(input));
