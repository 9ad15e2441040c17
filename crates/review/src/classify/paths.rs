//! Sets of globs over paths.

use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::braces::expand;
use super::rules::ClassifyError;
use super::table::Case;

/// Globs that are tried one after another.
///
/// A glob becomes an automaton only when a path holds its longest literal: of the many hundred globs of the rules a
/// change meets a few, and compiling all of them would take most of a process's start.
#[derive(Debug, Clone, Default)]
pub(super) struct PathSet {
    globs: Vec<LazyGlob>,
}

#[derive(Debug, Clone)]
struct LazyGlob {
    glob: Glob,
    case: Case,
    /// Stands in every path that the glob matches; folded where the glob ignores case. May be empty.
    literal: String,
    matcher: OnceLock<GlobMatcher>,
}

impl PathSet {
    /// Globs that ignore case. `of` is the label or table that they stand under.
    pub(super) fn folded(globs: &[String], of: &str) -> Result<Self, ClassifyError> {
        let mut set = Self::default();
        for glob in globs {
            set.add(glob, Case::Ignored, of)?;
        }
        Ok(set)
    }

    /// Adds a glob with its alternatives written out, and gives those.
    pub(super) fn add(&mut self, glob: &str, case: Case, of: &str) -> Result<Vec<String>, ClassifyError> {
        let alternatives = expand(glob)
            .ok_or_else(|| ClassifyError::Alternatives { glob: glob.to_owned(), of: of.to_owned() })?;
        for glob in &alternatives {
            let text = match case {
                Case::Ignored => glob.to_ascii_lowercase(),
                Case::Respected => glob.clone(),
            };
            let compiled = GlobBuilder::new(&text)
                .literal_separator(true)
                .build()
                .map_err(|source| ClassifyError::Glob { glob: glob.clone(), of: of.to_owned(), source })?;
            let literal = longest_literal(&text);
            self.globs.push(LazyGlob { glob: compiled, case, literal, matcher: OnceLock::new() });
        }
        Ok(alternatives)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    pub(super) fn is_match(&self, path: &str) -> bool {
        self.matches(path).next().is_some()
    }

    /// Which globs match, in the order in which they were added.
    pub(super) fn matches<'a>(&'a self, path: &'a str) -> impl Iterator<Item = usize> + 'a {
        let folded = path.to_ascii_lowercase();
        self.globs.iter().enumerate().filter_map(move |(index, glob)| {
            let path = match glob.case {
                Case::Ignored => &folded,
                Case::Respected => path,
            };
            let matches = path.contains(&glob.literal)
                && glob.matcher.get_or_init(|| glob.glob.compile_matcher()).is_match(path);
            matches.then_some(index)
        })
    }
}

/// The longest part of a glob that stands for itself; nothing where classes or escapes are used.
fn longest_literal(glob: &str) -> String {
    if glob.contains(['[', ']', '\\', '{', '}']) {
        return String::new();
    }
    // `**/` may stand for nothing, its slash included.
    let parts = glob.split("**/").flat_map(|part| part.split(['*', '?']));
    parts.max_by_key(|part| part.len()).unwrap_or_default().trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_stands_in_every_path_that_its_glob_matches() {
        let cases = [
            ("**/migrations/**", &["migrations/1.sql", "a/migrations/b/c"][..], "migrations"),
            ("**/*.lock", &["a.lock", "b/c.lock"], ".lock"),
            ("src/**/auth*/?.rs", &["src/auth/a.rs", "src/x/authz/b.rs"], "auth"),
            ("[ab].md", &["a.md"], ""),
            ("**", &["x"], ""),
        ];
        for (glob, paths, literal) in cases {
            let mut set = PathSet::default();
            set.add(glob, Case::Ignored, "test").expect("a good glob");
            assert_eq!(set.globs[0].literal, literal, "{glob}");
            for path in paths {
                assert!(path.contains(literal) && set.is_match(path), "{glob} {path}");
                assert!(set.is_match(&path.to_ascii_uppercase()), "{glob} {path}");
            }
        }
    }

    #[test]
    fn case_counts_where_a_glob_says_so() {
        let mut set = PathSet::default();
        set.add("**/{Makefile,BUILD}", Case::Respected, "test").expect("a good glob");
        set.add("**/build", Case::Ignored, "test").expect("a good glob");
        assert_eq!(set.matches("a/BUILD").collect::<Vec<_>>(), [1, 2]);
        assert_eq!(set.matches("a/build").collect::<Vec<_>>(), [2]);
        assert!(!set.is_match("makefile"));
    }
}
