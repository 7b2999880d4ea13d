//! Fuzzes `tests::fuzz::content::patterns`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzz::content::patterns(input));
