//! What holds for every input: no panic, no lost number, no cut that goes unseen.

use proptest::collection::vec;
use proptest::prelude::*;

use super::sound::assert_sound;
use super::*;
use crate::change::{Hunk, LineKind};

/// Pieces that mean something somewhere in a diff.
const PIECES: [&str; 38] = [
    "diff --git a/x b/x\n",
    "diff --git a/x b/y\n",
    "diff --git \"a/\\303\\251\" \"b/\\303\\251\"\n",
    "diff --git ",
    "diff --cc x\n",
    "index 1111111..2222222 100644\n",
    "index 0000000..e69de29\n",
    "old mode 100644\n",
    "new mode 100755\n",
    "new file mode 160000\n",
    "deleted file mode 100644\n",
    "similarity index 90%\n",
    "rename from x\n",
    "rename to y\n",
    "copy from x\n",
    "copy to y\n",
    "Binary files a/x and b/x differ\n",
    "GIT binary patch\n",
    "literal 3\nKcmb7-\n\n",
    "--- a/x\n",
    "+++ b/x\n",
    "--- /dev/null\n",
    "+++ /dev/null\n",
    "@@ -1 +1 @@\n",
    "@@ -1,3 +1,3 @@ f()\n",
    "@@ -0,0 +1,2 @@\n",
    "@@ -4294967295 +99999999999999999999999 @@\n",
    "@@@ -1 -1 +1 @@@\n",
    "@@ ",
    " context\n",
    "-removed\n",
    "+added\n",
    "\\ No newline at end of file\n",
    "\n",
    "\r\n",
    "-- \n2.47.3\n",
    "Submodule s 1111111..2222222:\n",
    "From 0123456789012345678901234567890123456789 Mon\nSubject: x\n\n",
];

/// A well-formed diff, as values.
#[derive(Debug, Clone)]
struct ModelFile {
    name: String,
    hunks: Vec<ModelHunk>,
}

#[derive(Debug, Clone)]
struct ModelHunk {
    /// Lines between this hunk and the one before.
    distance: u32,
    lines: Vec<(LineKind, Vec<u8>)>,
}

/// A hunk as it must be read: starts, and each line with its numbers.
type Read = (u32, u32, Vec<(LineKind, Option<u32>, Option<u32>, String)>);

fn model_files() -> impl Strategy<Value = Vec<ModelFile>> {
    let kind = prop_oneof![Just(LineKind::Context), Just(LineKind::Added), Just(LineKind::Removed)];
    let text = prop_oneof![
        2 => "[ -~]{0,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'), 0..8),
        3 => prop::sample::select(vec![
            "", "-", "-- ", "-- a/x", "++ b/x", "+", "@@ -1 +1 @@", "diff --git a/x b/x", "\r", "\\ No newline",
            "From 0123", "--- a/x", "+++ b/x", "GIT binary patch",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let hunk =
        (0_u32..5, vec((kind, text), 1..6)).prop_map(|(distance, lines)| ModelHunk { distance, lines });
    let file = ("[a-z]{1,3}( [a-z])?(/[a-z]{1,3})?", vec(hunk, 1..4))
        .prop_map(|(name, hunks)| ModelFile { name, hunks });
    vec(file, 1..4)
}

/// The diff as git writes it, and what must be read from it.
fn render(files: &[ModelFile], is_git: bool) -> (Vec<u8>, Vec<(String, Vec<Read>)>) {
    let (mut diff, mut expected) = (Vec::new(), Vec::new());
    for ModelFile { name, hunks } in files {
        if is_git {
            diff.extend(format!("diff --git a/{name} b/{name}\nindex 1111111..2222222 100644\n").bytes());
        }
        diff.extend(format!("--- a/{name}\t\n+++ b/{name}\t\n").bytes());
        let (mut old, mut new) = (1, 1);
        let mut read_hunks = Vec::new();
        for ModelHunk { distance, lines } in hunks {
            (old, new) = (old + distance, new + distance);
            let count = |side: LineKind| lines.iter().filter(|(kind, _)| *kind != side).count();
            let (old_count, new_count) = (count(LineKind::Added), count(LineKind::Removed));
            // A side without lines is named by the line before it.
            let start = |number: u32, count: usize| if count == 0 { number - 1 } else { number };
            let (old_start, new_start) = (start(old, old_count), start(new, new_count));
            diff.extend(format!("@@ -{old_start},{old_count} +{new_start},{new_count} @@ f()\n").bytes());
            let mut read_lines = Vec::new();
            for (kind, text) in lines {
                diff.extend(kind.marker().to_string().bytes().chain(text.iter().copied()).chain([b'\n']));
                let old_number = (*kind != LineKind::Added).then_some(old);
                let new_number = (*kind != LineKind::Removed).then_some(new);
                read_lines.push((*kind, old_number, new_number, String::from_utf8_lossy(text).into_owned()));
                old += u32::from(old_number.is_some());
                new += u32::from(new_number.is_some());
            }
            read_hunks.push((old_start, new_start, read_lines));
        }
        expected.push((name.clone(), read_hunks));
    }
    (diff, expected)
}

fn read(parsed: &Parsed) -> Vec<(String, Vec<Read>)> {
    let hunk = |hunk: &Hunk| {
        let lines = hunk.lines().map(|line| (line.kind, line.old, line.new, line.text.to_owned())).collect();
        (hunk.old_start, hunk.new_start, lines)
    };
    let file = |file: &FileChange| (file.path.as_str().to_owned(), file.hunks().iter().map(hunk).collect());
    parsed.files.iter().map(file).collect()
}

proptest! {
    #[test]
    fn any_bytes_are_read_soundly(bytes in vec(any::<u8>(), 0..300)) {
        assert_sound(&bytes);
    }

    #[test]
    fn any_pieces_of_diffs_are_read_soundly(pieces in vec(prop::sample::select(PIECES.to_vec()), 0..25)) {
        assert_sound(pieces.concat().as_bytes());
    }

    #[test]
    fn every_line_of_a_well_formed_diff_keeps_its_numbers(files in model_files(), is_git in any::<bool>()) {
        let (diff, expected) = render(&files, is_git);
        let parsed = parse(&diff);
        prop_assert_eq!(&parsed.gaps, &[]);
        prop_assert_eq!(read(&parsed), expected);
    }

    #[test]
    fn a_hunk_that_is_written_again_is_read_again(files in model_files()) {
        let first = parse(&render(&files, true).0);
        for hunk in first.files.iter().flat_map(FileChange::hunks) {
            let count = |side| hunk.lines().filter_map(|line| line.number(side)).count();
            let (old, new) = (count(crate::Side::Base), count(crate::Side::Head));
            let (old_start, new_start) = (hunk.old_start, hunk.new_start);
            let header = format!("--- a/x\n+++ b/x\n@@ -{old_start},{old} +{new_start},{new} @@ {}\n", hunk.heading);
            let again = parse((header + hunk.body()).as_bytes());
            let mut expected = hunk.clone();
            expected.lossy = false; // U+FFFD is text when it is read again.
            prop_assert_eq!(again.files[0].hunks(), &[expected]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cut_leaves_whole_hunks_or_is_told(files in model_files(), is_git in any::<bool>()) {
        let (diff, expected) = render(&files, is_git);
        for cut in 0..diff.len() {
            let parsed = parse(&diff[..cut]);
            assert_sound(&diff[..cut]);
            if !parsed.gaps.is_empty() {
                continue;
            }
            let read = read(&parsed);
            prop_assert!(read.len() <= expected.len());
            for (index, (path, hunks)) in read.iter().enumerate() {
                let (whole_path, whole_hunks) = &expected[index];
                prop_assert_eq!(path, whole_path);
                prop_assert!(whole_hunks.starts_with(hunks), "cut at {}", cut);
                prop_assert!(index + 1 == read.len() || hunks.len() == whole_hunks.len());
            }
        }
    }
}
