//! Bodies of WhatsApp.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::whatsapp(input));
