//! Fuzzes `tests::fuzz::content::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzz::content::frames(input));
