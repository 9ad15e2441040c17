//! Writes a glob with alternatives out: `**/{a,b}.rs` is `**/a.rs` and `**/b.rs`.
//!
//! A reason then names the alternative that matched, and most globs become plain names and extensions, which a set
//! looks up instead of searching.

/// How many globs one may stand for.
const MOST: usize = 4_096;

/// Writes a glob out. `None` if it stands for more than [`MOST`].
///
/// Braces that do not pair are left as they are, for the compiler of globs to refuse.
pub(super) fn expand(glob: &str) -> Option<Vec<String>> {
    let Some((before, alternatives, after)) = split_first_group(glob) else {
        return Some(vec![glob.to_owned()]);
    };
    let mut tails = Vec::new();
    for alternative in alternatives {
        tails.extend(expand(&alternative)?);
    }
    let ends = expand(after)?;
    if tails.len().saturating_mul(ends.len()) > MOST {
        return None;
    }
    let whole =
        |tail: &String| ends.iter().map(move |end| format!("{before}{tail}{end}")).collect::<Vec<_>>();
    Some(tails.iter().flat_map(whole).collect())
}

/// What stands before the first group, what its alternatives are, and what follows.
fn split_first_group(glob: &str) -> Option<(&str, Vec<String>, &str)> {
    let (mut depth, mut start, mut escaped) = (0_usize, 0, false);
    let mut alternatives = Vec::new();
    let mut alternative = 0;
    for (index, character) in glob.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' => escaped = true,
            '{' => {
                depth += 1;
                if depth == 1 {
                    (start, alternative) = (index, index + 1);
                }
            }
            ',' if depth == 1 => {
                alternatives.push(glob[alternative..index].to_owned());
                alternative = index + 1;
            }
            '}' if depth == 1 => {
                alternatives.push(glob[alternative..index].to_owned());
                return Some((&glob[..start], alternatives, &glob[index + 1..]));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_written_out_in_order() {
        for (glob, expected) in [
            ("**/a.rs", vec!["**/a.rs"]),
            ("{a,b}/c", vec!["a/c", "b/c"]),
            ("A{,.x}.{md,txt}", vec!["A.md", "A.txt", "A.x.md", "A.x.txt"]),
            ("{a,b{c,d}}", vec!["a", "bc", "bd"]),
            ("a\\{b,c}", vec!["a\\{b,c}"]),
            ("{a,b", vec!["{a,b"]),
            ("a}", vec!["a}"]),
        ] {
            assert_eq!(expand(glob).expect(glob), expected);
        }
    }

    #[test]
    fn a_glob_that_stands_for_too_many_is_refused() {
        assert_eq!(expand(&"{a,b}".repeat(13)), None);
        assert_eq!(expand(&"{a,b}".repeat(12)).map(|globs| globs.len()), Some(4_096));
    }
}
