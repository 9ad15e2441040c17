//! The mark that fences carry.

use crate::Digest;

/// Draws 128 bits in hex that none of the texts holds.
///
/// `seed` is randomness that the caller draws and records; the mark is derived from it, again and again until no
/// text holds it. Whoever wrote the texts cannot know it, and so cannot close the fence.
pub(crate) fn nonce<'a>(texts: impl Iterator<Item = &'a str> + Clone, seed: &[u8]) -> String {
    (0_u64..)
        .map(|counter| Digest::of_parts([seed, &counter.to_be_bytes()]).as_str()[..32].to_owned())
        .find(|nonce| !texts.clone().any(|text| text.contains(nonce.as_str())))
        .expect("texts hold finitely many marks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_somebody_guessed_is_drawn_again() {
        let first = nonce(std::iter::empty(), b"seed");
        let second = nonce([first.as_str()].into_iter(), b"seed");
        assert_ne!(first, second);
        let third = nonce(["x", first.as_str(), second.as_str()].into_iter(), b"seed");
        assert!(third != first && third != second && third.len() == 32);
    }
}
