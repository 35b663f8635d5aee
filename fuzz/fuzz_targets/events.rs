#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| tidings_core::backend::conformance::fuzz::run("events", bytes)
);
