//! Fuzzes `tests::fuzz::connection::connection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzz::connection::connection(input));
