//! Small diffs, each with what it must be read as.

use super::*;
use crate::change::{Content, Hunk, LineKind, Operation};

/// One line for each file and each gap, so that an expectation can be read.
fn summary(parsed: &Parsed) -> Vec<String> {
    let file_line = |file: &FileChange| {
        let operation = match file.operation {
            Operation::Added => "added",
            Operation::Deleted => "deleted",
            Operation::Modified => "modified",
            Operation::Renamed => "renamed",
            Operation::Copied => "copied",
        };
        let old = file.old_path.as_ref().map(|old| format!(" from {old}")).unwrap_or_default();
        let mode = |mode: Option<u32>| mode.map_or("-".to_owned(), |mode| format!("{mode:o}"));
        let modes = match file.modes {
            (None, None) => String::new(),
            (old, new) if old == new => String::new(),
            (old, new) => format!(" [{}>{}]", mode(old), mode(new)),
        };
        let content = match &file.content {
            Content::Text(hunks) => hunks.iter().map(hunk_words).collect(),
            Content::Binary => " binary".to_owned(),
            Content::Nothing => " nothing".to_owned(),
        };
        format!("{operation} {}{old}{modes}{content}", file.path)
    };
    let gap_line = |gap: &Gap| {
        let file = gap.file.as_ref().map(|file| format!(" {file}")).unwrap_or_default();
        let lines = gap.lines.map(|(first, last)| format!(" {first}-{last}")).unwrap_or_default();
        format!("gap {:?}{file}{lines}", gap.kind)
    };
    parsed.files.iter().map(file_line).chain(parsed.gaps.iter().map(gap_line)).collect()
}

/// ` @OLD,NEW` and a letter for each line: `c` context, `a` added, `r` removed.
fn hunk_words(hunk: &Hunk) -> String {
    let kinds: String = hunk
        .lines()
        .map(|line| match line.kind {
            LineKind::Context => 'c',
            LineKind::Added => 'a',
            LineKind::Removed => 'r',
        })
        .collect();
    let lossy = if hunk.lossy { "!" } else { "" };
    format!(" @{},{}:{kinds}{lossy}", hunk.old_start, hunk.new_start)
}

#[track_caller]
fn check(diff: impl AsRef<[u8]>, expected: &[&str]) {
    let diff = diff.as_ref();
    assert_eq!(summary(&parse(diff)), expected, "\n{}", String::from_utf8_lossy(diff));
}

const X: &str = "diff --git a/x b/x\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n";
const Y: &str =
    "diff --git a/y b/y\nindex 1111111..2222222 100644\n--- a/y\n+++ b/y\n@@ -7 +7 @@ fn f()\n-b\n+c\n";
const Y_READ: &str = "modified y @7,7:ra";

#[test]
fn headers_of_git_say_what_was_done() {
    let cases: [(&str, &[&str]); 19] = [
        (Y, &[Y_READ]),
        (
            "diff --git a/x b/x\nnew file mode 100755\nindex 0000000..1111111\n--- /dev/null\n+++ b/x\n\
             @@ -0,0 +1,2 @@\n+a\n+b\n",
            &["added x [->100755] @0,1:aa"],
        ),
        (
            "diff --git a/x b/x\ndeleted file mode 100644\nindex 1111111..0000000\n--- a/x\n+++ /dev/null\n\
             @@ -1 +0,0 @@\n-a\n",
            &["deleted x [100644>-] @1,0:r"],
        ),
        (
            "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n",
            &["added x [->100644] nothing"],
        ),
        (
            "diff --git a/x b/x\ndeleted file mode 100644\nindex e69de29..0000000\n",
            &["deleted x [100644>-] nothing"],
        ),
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", &["modified x [100644>100755] nothing"]),
        (
            "diff --git a/x b/x\nold mode 100644\nnew mode 100755\nindex 1111111..2222222\n--- a/x\n+++ b/x\n\
             @@ -1 +1 @@\n-a\n+b\n",
            &["modified x [100644>100755] @1,1:ra"],
        ),
        (
            "diff --git a/a/x b/b/y\nsimilarity index 100%\nrename from a/x\nrename to b/y\n",
            &["renamed b/y from a/x nothing"],
        ),
        (
            "diff --git a/x b/y z\nsimilarity index 90%\nrename from x\nrename to y z\nindex 1..2 100644\n\
             --- a/x\n+++ b/y z\t\n@@ -1 +1 @@\n-a\n+b\n",
            &["renamed y z from x @1,1:ra"],
        ),
        ("diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n", &["copied y from x nothing"]),
        // A change of type is a deletion and an addition of one path.
        (
            "diff --git a/x b/x\ndeleted file mode 100644\nindex 1111111..0000000\n--- a/x\n+++ /dev/null\n\
             @@ -1 +0,0 @@\n-a\ndiff --git a/x b/x\nnew file mode 120000\nindex 0000000..2222222\n--- /dev/null\n\
             +++ b/x\n@@ -0,0 +1 @@\n+y\n\\ No newline at end of file\n",
            &["deleted x [100644>-] @1,0:r", "added x [->120000] @0,1:a"],
        ),
        (
            "diff --git a/x b/x\nindex 1111111..2222222 100644\nBinary files a/x and b/x differ\n",
            &["modified x binary"],
        ),
        (
            "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..2222222\nGIT binary patch\nliteral 3\n\
             Kcmb7-\n\nliteral 0\nHcmV?d00001\n\ndiff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
            &["added x [->100644] binary", "modified x [100644>100755] nothing"],
        ),
        (
            "diff --git a/x b/x\ndissimilarity index 99%\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n\
             @@ -1 +1 @@\n-a\n+b\n",
            &["modified x @1,1:ra"],
        ),
        // As it is without a repository: `git diff --no-index one two`.
        (
            "diff --git a/one b/two\n--- a/one\n+++ b/two\n@@ -1 +1 @@\n-a\n+b\n",
            &["modified two from one @1,1:ra"],
        ),
        ("diff --git a/x b/x\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+b\n", &["added x @0,1:a"]),
        ("diff --git a/x b/x\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n", &["deleted x @1,0:r"]),
        // GitHub writes no index line for some, Mercurial for none.
        ("diff --git a/x b/x\nnew file mode 100644\n", &["added x [->100644] nothing"]),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", &["modified x @1,1:ra"]),
    ];
    for (diff, expected) in cases {
        check(diff, expected);
        if expected != [Y_READ] {
            check(format!("{diff}{Y}"), &[expected, &[Y_READ]].concat());
        }
        let crlf = diff.replace('\n', "\r\n");
        check(crlf, expected);
    }
}

#[test]
fn prefixes_and_quotes_leave_the_path() {
    let cases: [(&str, &str, &str); 12] = [
        ("a/x b/x", "a/x", "b/x"),
        ("x x", "x", "x"),
        ("i/x w/x", "i/x", "w/x"),
        ("c/x i/x", "c/x", "i/x"),
        ("old/x new/x", "old/x", "new/x"),
        ("very/old/x very/new/x", "very/old/x", "very/new/x"),
        ("\"a/x\" \"b/x\"", "\"a/x\"", "\"b/x\""),
        ("a/x \"b/x\"", "a/x", "\"b/x\""),
        ("\"a/x\" b/x", "\"a/x\"", "b/x"),
        ("a/x b/x", "a/x\t", "b/x\t"),
        ("a/x b/x", "a/x\t2026-01-01 00:00:00", "b/x\t2026-01-01 00:00:00"),
        ("a/x b/x", "a/x\r", "b/x\r"),
    ];
    for (header, minus, plus) in cases {
        check(
            format!("diff --git {header}\n--- {minus}\n+++ {plus}\n@@ -1 +1 @@\n-a\n+b\n"),
            &["modified x @1,1:ra"],
        );
        let null = "/dev/null";
        let added =
            format!("diff --git {header}\nnew file mode 100644\n--- {null}\n+++ {plus}\n@@ -0,0 +1 @@\n+b\n");
        check(added, &["added x [->100644] @0,1:a"]);
        let deleted = format!(
            "diff --git {header}\ndeleted file mode 100644\n--- {minus}\n+++ {null}\n@@ -1 +0,0 @@\n-b\n"
        );
        check(deleted, &["deleted x [100644>-] @1,0:r"]);
        check(
            format!("diff --git {header}\nold mode 100644\nnew mode 100755\n"),
            &["modified x [100644>100755] nothing"],
        );
    }
}

#[test]
fn odd_names_are_kept_whole() {
    let cases = [
        ("a b/x", "a/a b/x", "b/a b/x"),
        ("b/b/b", "a/b/b/b", "b/b/b/b"),
        ("dev/null", "a/dev/null", "b/dev/null"),
        (" x ", "a/ x ", "b/ x "),
        ("\"caf\\351\"", "\"a/caf\\351\"", "\"b/caf\\351\""),
        ("café", "\"a/caf\\303\\251\"", "\"b/caf\\303\\251\""),
        ("a\"\\\t\nb", "\"a/a\\\"\\\\\\t\\nb\"", "\"b/a\\\"\\\\\\t\\nb\""),
    ];
    for (name, minus, plus) in cases {
        let tab = if name.contains(' ') { "\t" } else { "" };
        let diff =
            format!("diff --git {minus} {plus}\n--- {minus}{tab}\n+++ {plus}{tab}\n@@ -1 +1 @@\n-a\n+b\n");
        check(diff, &[&format!("modified {name} @1,1:ra")]);
        check(
            format!("diff --git {minus} {plus}\nold mode 100644\nnew mode 100755\n"),
            &[&format!("modified {name} [100644>100755] nothing")],
        );
    }
}

#[test]
fn text_inside_a_hunk_is_no_header() {
    let cases = [
        ("@@ -1,3 +1 @@\n a\n--- a/q\n-++ b/q\n", " @1,1:crr"),
        ("@@ -1,2 +1,2 @@\n a\n--- a/q\n+++ b/q\n", " @1,1:cra"),
        // The very last lines of a hunk, before the next one of the file.
        ("@@ -1,2 +1,2 @@\n a\n--- a/q\n+++ b/q\n@@ -9 +9 @@\n-a\n+b\n", " @1,1:cra @9,9:ra"),
        ("@@ -1,2 +1,3 @@\n diff --git a/q b/q\n+diff --git a/q b/q\n @@ -1 +1 @@\n", " @1,1:cac"),
        ("@@ -1 +1 @@\n--- \n+++ \n", " @1,1:ra"),
        ("@@ -1 +0,0 @@\n-- \n", " @1,0:r"),
        ("@@ -1,2 +1,2 @@\n-- \n+++\n \n", " @1,1:rac"),
        ("@@ -1,2 +1,2 @@\n-From 0123 Mon\n \n+GIT binary patch\n", " @1,1:rca"),
        ("@@ -1 +1,2 @@\n+Binary files a and b differ\n a\n", " @1,1:ac"),
        ("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n", " @1,1:ra"),
        ("@@ -1 +1 @@\n-a\n+b\n\\ Kein Zeilenumbruch am Dateiende.\n", " @1,1:ra"),
        // Editors strip the space of an empty line of context.
        ("@@ -1,3 +1,3 @@\n a\n\n-a\n+b\n", " @1,1:ccra"),
        ("@@ -1,2 +1,2 @@\n\r\n-a\n+b\n", " @1,1:cra"),
        ("@@ -5,0 +6,2 @@\n+a\n+b\n@@ -9,2 +11,0 @@\n-a\n-b\n", " @5,6:aa @9,11:rr"),
        ("@@ -1 +1 @@ @@ -3 +3 @@\n-a\n+b\n", " @1,1:ra"),
    ];
    for (hunks, read) in cases {
        check(format!("{X}{hunks}"), &[&format!("modified x{read}")]);
        check(format!("{X}{hunks}{Y}"), &[&format!("modified x{read}"), Y_READ]);
        check(format!("{X}{hunks}-- \n2.47.3\n\n{Y}"), &[&format!("modified x{read}"), Y_READ]);
    }
}

#[test]
fn lines_keep_their_text_to_the_byte() {
    let text_of = |diff: &[u8]| {
        let parsed = parse(diff);
        let lines = parsed.files[0].hunks()[0].lines().map(|line| line.text.to_owned()).collect::<Vec<_>>();
        (lines, parsed.files[0].hunks()[0].lossy)
    };
    let diff = |body: &[u8]| [X.as_bytes(), b"@@ -1,2 +1,2 @@\n", body].concat();
    let cases: [(&[u8], [&str; 3], bool); 6] = [
        (b" a\r\n-b\r\n+c\r\n", ["a\r", "b\r", "c\r"], false),
        (b" a\rb\n-\r\r\n+\r\n", ["a\rb", "\r\r", "\r"], false),
        (b" \x00\n-\t \n+\xef\xbb\xbf\n", ["\0", "\t ", "\u{feff}"], false),
        (b" \xe2\n-\xff\xfe\n+\xc3\xa4\n", ["\u{fffd}", "\u{fffd}\u{fffd}", "ä"], true),
        (b"\n-b\n+c\n", ["", "b", "c"], false),
        (b"\r\n-b\n+\xe9\n", ["\r", "b", "\u{fffd}"], true),
    ];
    for (body, lines, lossy) in cases {
        assert_eq!(text_of(&diff(body)), (lines.map(str::to_owned).to_vec(), lossy));
    }
}

#[test]
fn plain_diffs_are_read_too() {
    let hunk = "@@ -1 +1 @@\n-a\n+b\n";
    let cases: [(&str, &[&str]); 9] = [
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", &["modified x @1,1:ra"]),
        (
            "--- x.orig\t2026-01-01 10:00:00 +0000\n+++ x\t2026-01-02 10:00:00 +0000\n@@ -1 +1 @@\n-a\n+b\n",
            &["modified x from x.orig @1,1:ra"],
        ),
        (
            "diff -ur old/d/x new/d/x\n--- old/d/x\t2026-01-01\n+++ new/d/x\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n",
            &["modified d/x @1,1:ra"],
        ),
        ("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+b\n", &["added x @0,1:a"]),
        ("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n", &["deleted x @1,0:r"]),
        (
            "--- old/x\t1970-01-01 00:00:00.000000000 +0000\n+++ new/x\t2026-01-01\n@@ -0,0 +1 @@\n+b\n",
            &["added new/x @0,1:a"],
        ),
        (
            "Index: x\n=====\n--- x\t(revision 1)\n+++ x\t(working copy)\n@@ -1 +1 @@\n-a\n+b\n",
            &["modified x @1,1:ra"],
        ),
        ("Binary files old/x and new/x differ\n", &["modified x binary"]),
        (
            "Hello,\n\n--- here is a dash\n+++ and pluses\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\nBye\n",
            &["modified x @1,1:ra"],
        ),
    ];
    for (diff, expected) in cases {
        check(diff, expected);
        check(
            format!("{diff}--- a/q\n+++ b/q\n{hunk}{Y}"),
            &[expected, &["modified q @1,1:ra", Y_READ]].concat(),
        );
    }
}

#[test]
fn a_submodule_is_a_gap_and_hides_nothing() {
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    check(
        format!(
            "diff --git a/s b/s\nindex 1111111..2222222 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n\
             -Subproject commit {one}\n+Subproject commit {two}-dirty\n{Y}"
        ),
        &["modified s nothing", Y_READ, "gap Submodule s"],
    );
    check(
        format!(
            "diff --git a/s b/s\nnew file mode 160000\nindex 0000000..2222222\n--- /dev/null\n+++ b/s\n\
             @@ -0,0 +1 @@\n+Subproject commit {two}\n"
        ),
        &["added s [->160000] nothing", "gap Submodule s"],
    );
    check(
        format!("Submodule lib/s {}..{}:\n  > a subject\n{Y}", &one[..9], &two[..9]),
        &["modified lib/s nothing", Y_READ, "gap Submodule lib/s"],
    );
    // Text under the mode of a submodule is text.
    check(
        "diff --git a/s b/s\nindex 1111111..2222222 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-a\n+b\n",
        &["modified s @1,1:ra"],
    );
}

#[test]
fn what_cannot_be_read_is_a_gap_and_the_rest_still_counts() {
    let cases: [(String, &[&str]); 22] = [
        (
            "diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,2 @@@\n  a\n++b\n".into(),
            &["gap Unreadable x"],
        ),
        ("diff --combined \"x\\ty\"\nindex 1,2..3\nBinary files differ\n".into(), &["gap Unreadable x\ty"]),
        (format!("{X}@@ -1,2 +1,2 @@\n-a\n+b\n"), &["modified x @1,1:ra", "gap Unreadable x 1-1"]),
        (format!("{X}@@ -1 +1 @@\n-a\n+b\n+c\n d\n"), &["modified x @1,1:raac", "gap Unreadable x 1-3"]),
        (format!("{X}@@ -1,2 +1 @@\n-a\n+b\n+c\n d\n"), &["modified x @1,1:raac", "gap Unreadable x 1-3"]),
        (format!("{X}@@ -1,0 +1,0 @@\n-a\n"), &["modified x @1,1:r", "gap Unreadable x 1-1"]),
        (format!("{X}@@ -0,1 +0,1 @@\n-a\n+b\n"), &["modified x @1,1:ra", "gap Unreadable x 1-1"]),
        (
            format!("{X}@@ -1 +99999999999999999999 @@\n-a\n+b\n"),
            &["modified x @1,4294967295:ra", "gap Unreadable x 4294967295-4294967295"],
        ),
        (
            format!("{X}@@ -4294967295 +4294967295,2 @@\n a\n+b\n"),
            &["modified x @4294967295,4294967295:ca", "gap Unreadable x 4294967295-4294967295"],
        ),
        (format!("{X}@@ nonsense @@\n-a\n+b\n"), &["modified x nothing", "gap Unreadable x"]),
        (format!("{X}@@ -1 +1\n-a\n+b\n@@ -3 +3 @@\n-a\n+b\n"), &["modified x @3,3:ra", "gap Unreadable x"]),
        (format!("{X}@@@ -1 -1 +1 @@@\n--a\n++b\n"), &["modified x nothing", "gap Unreadable x"]),
        (X.to_owned(), &["modified x nothing", "gap Unreadable x"]),
        ("diff --git a/x b/x\n".into(), &["modified x nothing", "gap Unreadable x"]),
        (
            "diff --git a/x b/x\nindex 1111111..2222222 100644\n".into(),
            &["modified x nothing", "gap Unreadable x"],
        ),
        ("diff --git a/x b/x\nsimilarity index 90%\nrename from x\n".into(), &["gap Unreadable"]),
        ("diff --git nonsense\nold mode 100644\nnew mode 100755\n".into(), &["gap Unreadable"]),
        ("diff --git nonsense\n@@ -1 +1 @@\n-a\n+b\n".into(), &["gap Unreadable"]),
        (
            "diff --git a/x b/x\n--- a/x\n+++ b/z\n@@ -1 +1 @@\n-a\n+b\n".into(),
            &["modified z from x @1,1:ra", "gap Unreadable z"],
        ),
        ("Only in b/dir: x y\n".into(), &["gap Unreadable b/dir/x y"]),
        ("* Unmerged path x\n".into(), &["gap Unreadable x"]),
        ("*** a/x\n--- b/x\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n".into(), &["gap Unreadable"]),
    ];
    for (diff, expected) in cases {
        check(&diff, expected);
        let is_file = |line: &&&str| !line.starts_with("gap");
        let mut together: Vec<&str> = expected.iter().filter(is_file).copied().collect();
        together.push(Y_READ);
        together.extend(expected.iter().filter(|line| line.starts_with("gap")));
        check(format!("{diff}{Y}"), &together);
    }
}

#[test]
fn a_hunk_that_promises_too_much_does_not_swallow_the_next_file() {
    let next = "--- a/q\n+++ b/q\n@@ -1 +1 @@\n-a\n+b\n";
    check(
        format!("--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-a\n+b\n{next}"),
        &["modified x @1,1:ra", "modified q @1,1:ra", "gap Unreadable x 1-1"],
    );
    check(
        format!("{X}@@ -1,9 +1,9 @@\n-a\n+b\n@@ -20 +20 @@\n-a\n+b\n"),
        &["modified x @1,1:ra @20,20:ra", "gap Unreadable x 1-1"],
    );
}

#[test]
fn empty_lines_that_an_editor_left_hide_nothing() {
    let cases: [(&str, &[&str]); 5] = [
        ("@@ -1 +1 @@\n-a\n+b\n\n@@ -9 +9 @@\n-a\n+b\n", &["modified x @1,1:ra @9,9:ra"]),
        ("@@ -1 +1 @@\n-a\n+b\n\n\n+c\n", &["modified x @1,1:racca", "gap Unreadable x 1-4"]),
        ("@@ -1 +1 @@\n-a\n+b\n\r\n-c\r\n", &["modified x @1,1:racr", "gap Unreadable x 1-2"]),
        ("@@ -1 +1 @@\n-a\n+b\n\n-- \n2.47.3\n\n+ a list\n", &["modified x @1,1:ra"]),
        ("@@ -1 +1 @@\n-a\n+b\n\n\n\n\n\n+ a list\n", &["modified x @1,1:ra"]),
    ];
    for (hunks, expected) in cases {
        check(format!("{X}{hunks}"), expected);
    }
}

#[test]
fn lines_are_believed_more_than_the_header_of_the_file() {
    let deleted = "diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n--- a/x\n+++ /dev/null\n";
    check(format!("{deleted}@@ -1 +1 @@\n-a\n+b\n"), &["modified x [100644>-] @1,1:ra", "gap Unreadable x"]);
    let added = "--- /dev/null\n+++ b/x\n";
    check(format!("{added}@@ -1 +1 @@\n-a\n+b\n"), &["modified x @1,1:ra", "gap Unreadable x"]);
}

#[test]
fn input_without_a_file_is_a_gap_unless_it_is_empty() {
    for empty in ["", "\n", " \r\n\n"] {
        check(empty, &[]);
    }
    let no_diff = [
        "hello\n",
        "@@ -1 +1 @@\n-a\n+b\n",
        "\u{1b}[1mdiff --git a/x b/x\u{1b}[m\n",
        "1c1\n< a\n---\n> b\n",
        "--- a/x\n",
        "-a\n+b\n",
        "\0\0\0",
    ];
    for text in no_diff {
        check(text, &["gap Unreadable"]);
    }
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(Y.bytes().flat_map(|byte| [byte, 0])).collect();
    check(utf16, &["gap Unreadable"]);
    check(format!("\u{feff}{Y}"), &[Y_READ]);
}

#[test]
fn garbage_makes_a_bounded_number_of_gaps() {
    let parsed = parse("@@ -x\n".repeat(5_000).as_bytes());
    assert_eq!(parsed.gaps.len(), MAX_GAPS + 1);
    assert_eq!(parsed.gaps[MAX_GAPS].detail, "4000 more places of the diff could not be read");
}

#[test]
fn a_heading_is_what_stands_behind_the_numbers() {
    let heading =
        |line: &str| parse(format!("{X}{line}\n-a\n+b\n").as_bytes()).files[0].hunks()[0].heading.clone();
    assert_eq!(heading("@@ -1 +1 @@ fn main() {"), "fn main() {");
    assert_eq!(heading("@@ -1 +1 @@"), "");
    assert_eq!(heading("@@ -1 +1 @@\r"), "");
}
