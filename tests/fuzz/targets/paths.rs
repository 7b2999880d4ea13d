//! Fuzzes `tests::fuzz::content::paths`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tests::fuzz::content::paths(input));
