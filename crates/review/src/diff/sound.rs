//! What holds of every diff that was read, whatever the bytes were.
//!
//! The tests of this crate and the fuzz target both include this file, which is why it takes its names from whoever
//! includes it.

use super::{Content, Hunk, LineKind, parse};

/// What must hold of everything that was read.
pub(super) fn assert_sound(bytes: &[u8]) {
    let parsed = parse(bytes);
    let mut lines_read = 0;
    for file in &parsed.files {
        assert!(!file.path.as_str().is_empty());
        assert_ne!(file.old_path.as_ref(), Some(&file.path));
        for hunk in file.hunks() {
            lines_read += hunk.lines().count();
            assert_hunk_is_sound(hunk);
        }
        if let Content::Text(hunks) = &file.content {
            assert!(!hunks.is_empty());
        }
    }
    assert!(lines_read <= bytes.split(|&byte| byte == b'\n').count());
    assert!(parsed.gaps.iter().all(|gap| !gap.detail.is_empty()));
    let is_empty = bytes.trim_ascii().is_empty();
    assert_eq!(parsed.files.is_empty() && parsed.gaps.is_empty(), is_empty);
}

fn assert_hunk_is_sound(hunk: &Hunk) {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    let mut lines = hunk.lines();
    for raw in hunk.body().split_terminator('\n').filter(|raw| !raw.starts_with('\\')) {
        let line = lines.next().expect("every raw line is a line");
        assert_eq!(raw, format!("{}{}", line.kind.marker(), line.text));
        assert_eq!(line.old, (line.kind != LineKind::Added).then_some(old));
        assert_eq!(line.new, (line.kind != LineKind::Removed).then_some(new));
        assert!(line.old != Some(0) && line.new != Some(0));
        old = old.saturating_add(u32::from(line.old.is_some()));
        new = new.saturating_add(u32::from(line.new.is_some()));
    }
    assert!(lines.next().is_none() && (hunk.body().is_empty() || hunk.body().ends_with('\n')));
}
