//! Which lines belong to functions, with what is written above them: decorators, attributes, comments.

use review::prompt::FunctionLines;

use crate::functions::functions;
use crate::language::Language;
use crate::parse::CodeError;

/// How many lines above a function are looked at: more is a licence or a section, not this function's.
const MAX_LINES_ABOVE: usize = 20;

/// Where the functions of a source text stand, with decorators, attributes and comments right above them. Functions
/// inside functions are listed too.
///
/// # Errors
/// The text is too large, is not parsable, or takes too long.
pub fn function_lines(language: Language, source: &str) -> Result<Vec<FunctionLines>, CodeError> {
    let report = functions(language, source)?;
    let lines: Vec<&str> = source.lines().collect();
    let of = |function: crate::FunctionMetrics| {
        let above = (function.start_line as usize).saturating_sub(1).min(lines.len());
        let attached = lines[..above].iter().rev().take(MAX_LINES_ABOVE).take_while(|line| is_attached(line));
        let first = function.start_line - u32::try_from(attached.count()).unwrap_or(0);
        FunctionLines { first, start: function.start_line, last: function.end_line }
    };
    Ok(report.functions.into_iter().map(of).collect())
}

/// Whether a line above a function is likely about it: `@route`, `#[test]`, `[HttpGet]`, `/// …`, `# …`, ` * …`.
fn is_attached(line: &str) -> bool {
    let line = line.trim();
    let begins = ["@", "#", "//", "/*", "*"].iter().any(|mark| line.starts_with(mark));
    begins || (line.starts_with('[') && line.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, source: &str, expected: &[(u32, u32, u32)]) {
        let found = function_lines(language, source).expect("a source");
        let found: Vec<_> = found.iter().map(|lines| (lines.first, lines.start, lines.last)).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn a_function_has_what_is_written_right_above_it() {
        check(
            Language::Python,
            "import x\n\n@app.route('/')\n@login_required\ndef f():\n    return 1\n\ndef g():\n    return 2\n",
            &[(3, 5, 6), (8, 8, 9)],
        );
        check(Language::Rust, "use x;\n/// Adds.\n#[inline]\nfn f() {\n    1;\n}\n", &[(2, 4, 6)]);
        check(
            Language::CSharp,
            "class C {\n  int x;\n  [HttpGet]\n  int F() {\n    return 1;\n  }\n}\n",
            &[(3, 3, 6)],
        );
        check(Language::JavaScript, "/**\n * Doc.\n */\nfunction f() {\n}\n", &[(1, 4, 5)]);
    }

    #[test]
    fn a_long_comment_is_not_the_functions() {
        let source = format!("{}fn f() {{\n}}\n", "// licence\n".repeat(60));
        check(Language::Rust, &source, &[(61 - 20, 61, 62)]);
    }

    #[test]
    fn a_function_inside_another_is_listed_too() {
        check(
            Language::Python,
            "def f():\n    def g():\n        return 1\n    return g\n",
            &[(1, 1, 4), (2, 2, 3)],
        );
    }
}
