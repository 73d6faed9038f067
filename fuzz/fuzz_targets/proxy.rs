#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| arize_api_keys_fuzz::proxy(data));

#[cfg(not(fuzzing))]
fn main() {}
