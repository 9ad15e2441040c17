//! Reading unified and git diffs.
