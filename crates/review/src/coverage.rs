//! Which lens saw which hunk.
