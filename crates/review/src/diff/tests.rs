//! Small diffs, each with what it must be read as.
