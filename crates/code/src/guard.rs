//! Refuses text that a parser would choke on, before it is given one.
//!
//! The parser keeps what is begun and not ended on a stack. Where it meets an error it tries what could be ended
//! there, and its work and memory grow with the square of the stack: ten kilobytes of `a<` cost it a third of a
//! gigabyte as Java, all inside one step, where nothing can stop it. No program is like that.

use crate::language::Language;

/// The most brackets that may stand open. Of the sources at hand the deepest has 60.
pub(crate) const MAX_OPEN_BRACKETS: usize = 500;

/// The most words and signs that may follow each other without a separator or a closing bracket.
pub(crate) const MAX_UNSEPARATED: usize = 4_000;

/// Whether a parser of a language can be let loose on a text.
pub(crate) fn is_parsable(language: Language, source: &str) -> bool {
    is_bounded(source, |line| is_comment(language, line), line_ends(language))
}

/// What the end of a line is to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// It ends the statement, as a rule.
    End,
    /// It is a blank.
    RunOn,
}

/// Whether a text nests and runs on no further than programs do, so that a parser that recurses can be let loose on it.
///
/// `is_comment` tells of a line, without the blanks before it, whether it holds nothing but a comment.
pub fn is_bounded(source: &str, is_comment: impl Fn(&str) -> bool, lines: Lines) -> bool {
    let (mut open, mut unseparated) = (0_usize, 0_usize);
    for line in source.lines() {
        if is_comment(line.trim_start()) {
            continue;
        }
        let mut in_word = false;
        for byte in line.bytes() {
            let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
            match byte {
                b'(' | b'[' | b'{' => {
                    open += 1;
                    unseparated += 1;
                }
                b')' | b']' | b'}' => {
                    open = open.saturating_sub(1);
                    unseparated = 0;
                }
                b',' | b';' => unseparated = 0,
                _ if (is_word && in_word) || byte.is_ascii_whitespace() => {}
                _ => unseparated += 1,
            }
            in_word = is_word;
            if open > MAX_OPEN_BRACKETS || unseparated > MAX_UNSEPARATED {
                return false;
            }
        }
        match lines {
            Lines::End => unseparated = 0,
            Lines::RunOn => {}
        }
    }
    true
}

/// Whether a line, without the blanks before it, holds nothing but a comment.
fn is_comment(language: Language, line: &str) -> bool {
    match language {
        Language::Bash | Language::Python | Language::Ruby => line.starts_with('#'),
        Language::C
        | Language::Cpp
        | Language::CSharp
        | Language::Go
        | Language::Java
        | Language::JavaScript
        | Language::Kotlin
        | Language::Php
        | Language::Rust
        | Language::TypeScript
        | Language::Tsx => line.starts_with("//"),
    }
}

fn line_ends(language: Language) -> Lines {
    match language {
        Language::Bash | Language::Go | Language::Kotlin | Language::Python | Language::Ruby => Lines::End,
        Language::C
        | Language::Cpp
        | Language::CSharp
        | Language::Java
        | Language::JavaScript
        | Language::Php
        | Language::Rust
        | Language::TypeScript
        | Language::Tsx => Lines::RunOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_program_is_parsable_and_an_endless_statement_is_not() {
        let statement = "x = call(a, b) + y;\n";
        let cases = [
            (Language::Java, statement.repeat(10_000), true),
            (Language::Java, "a<\n".repeat(10_000), false),
            (Language::Python, "a + \\\n".repeat(10_000), true),
            (Language::Rust, format!("//{}\n", " word".repeat(10_000)), true),
            (Language::Python, format!("x = {}", "not ".repeat(10_000)), false),
            (Language::C, format!("int x[] = {{{}}};", "{1,2},".repeat(10_000)), true),
            (Language::C, format!("int x[] = {}", "{".repeat(MAX_OPEN_BRACKETS + 1)), false),
        ];
        for (language, source, expected) in cases {
            assert_eq!(is_parsable(language, &source), expected, "{} {}", language.name(), &source[..40]);
        }
    }
}
