//! Any bytes as a diff: no panic, and every line keeps a number that can be.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run diff` (cargo-fuzz 0.13), in the folder above this one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use review::change::Content;
use review::diff::{change_from_patch, parse};
use review::{Hunk, LineKind};

#[path = "../../crates/review/src/diff/sound.rs"]
mod sound;

fuzz_target!(|bytes: &[u8]| {
    sound::assert_sound(bytes);
    let change = change_from_patch(bytes);
    let parsed = parse(bytes);
    assert_eq!(change.files.len(), parsed.files.len());
    assert_eq!(change.gaps, parsed.gaps);
});
