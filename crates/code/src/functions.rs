//! The functions of a source text and their metrics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use big_code_analysis::{Ast, FuncSpace, Metric, MetricsOptions, SpaceKind};

use crate::language::Language;
use crate::nesting;
use crate::parse::{self, CodeError, Cost};

/// One function of a source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionMetrics {
    /// Its name; `None` for an anonymous one that stands in no named function.
    pub name: Option<String>,
    /// Its first line, from 1.
    pub start_line: u32,
    /// Its last line.
    pub end_line: u32,
    /// Cognitive complexity (G. A. Campbell, SonarSource, 2017), anonymous functions inside included.
    pub cognitive: u32,
    /// Cyclomatic complexity (T. McCabe, 1976), anonymous functions inside included; Rust's `?` is not a branch.
    pub cyclomatic: u32,
    /// How many lines it spans.
    pub lines: u32,
    /// How deep control structures stand in each other at the deepest; `else if` stands beside its `if`.
    pub nesting: u32,
    /// How many parameters it takes, as they are written: Python's `self` counts, Rust's does not.
    pub parameters: u32,
}

/// What was measured in a source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The functions, by first line.
    pub functions: Vec<FunctionMetrics>,
    /// Whether the text is not quite of its language: what stands round an error may be missing or cut.
    pub has_syntax_errors: bool,
    /// How much work it was, in the units of [`Cost`].
    pub cost: Cost,
}

/// Measures the functions of a source text.
///
/// An anonymous function counts towards the named one that it stands in; a named function inside another is one
/// of its own. The same text always gives the same answer: limits count steps and bytes, never time.
pub fn functions(language: Language, source: &str) -> Result<Report, CodeError> {
    // The analyzer asserts what it believes of the grammars' trees, and its input is a stranger's text: a
    // broken belief must cost this file, not the review.
    catch_unwind(AssertUnwindSafe(|| measure(language, source))).unwrap_or(Err(CodeError::Analyzer))
}

fn measure(language: Language, source: &str) -> Result<Report, CodeError> {
    let (tree, cost) = parse::tree(language, source)?;
    let has_syntax_errors = tree.root_node().has_error();
    let nested = nesting::structures(language, &tree);
    if language == Language::Python && nested.most_branches_abreast > MOST_BRANCHES_ABREAST {
        return Err(CodeError::TooCostly { bytes: source.len() });
    }
    let ast = Ast::from_tree_sitter(language.grammar(), tree, source.as_bytes().to_vec(), None)
        .map_err(|_| CodeError::Analyzer)?;
    let options = MetricsOptions::default()
        .with_only(&[Metric::Cognitive, Metric::Cyclomatic, Metric::Nargs])
        .with_count_cyclomatic_try(false);
    let root = ast.metrics(options).map_err(|_| CodeError::Analyzer)?;
    let mut functions = collect(&root);
    for function in &mut functions {
        function.nesting = nesting::deepest(&nested.all, function.start_line, function.end_line);
    }
    Ok(Report { functions, has_syntax_errors, cost })
}

/// How many branches may stand side by side in Python. The analyzer looks from each at all of its siblings: 17,000 take 14
/// seconds, so many less than one. Of 36 public repositories no Python file has more than 316 branches in all.
const MOST_BRANCHES_ABREAST: u32 = 4_000;

/// Walks the analyzer's spaces with a stack of its own: their depth is the author's choice.
fn collect(root: &FuncSpace) -> Vec<FunctionMetrics> {
    let mut functions: Vec<FunctionMetrics> = Vec::new();
    let mut pending: Vec<(&FuncSpace, Option<usize>)> = vec![(root, None)];
    while let Some((space, enclosing)) = pending.pop() {
        let owner = match (space.kind, name_of(space), enclosing) {
            (SpaceKind::Function, None, Some(named)) => {
                functions[named].cognitive += narrow(space.metrics.cognitive.cognitive());
                // A space starts at one; only its branches count for the function round it.
                functions[named].cyclomatic +=
                    narrow(space.metrics.cyclomatic.cyclomatic()).saturating_sub(1);
                Some(named)
            }
            (SpaceKind::Function, name, _) => {
                let is_named = name.is_some();
                functions.push(metrics_of(space, name));
                is_named.then_some(functions.len() - 1)
            }
            // A class inside a function starts afresh, and so does every other space.
            _ => None,
        };
        pending.extend(space.spaces.iter().map(|inner| (inner, owner)));
    }
    functions.sort_by_key(|function| (function.start_line, function.end_line));
    functions
}

fn metrics_of(space: &FuncSpace, name: Option<String>) -> FunctionMetrics {
    let nargs = &space.metrics.nargs;
    // In some languages an anonymous function opens no space of its own, and its parameters must not count here.
    let parameters = if name.is_some() { nargs.function_args() } else { nargs.own_args() };
    let (start_line, end_line) = (narrow(space.start_line as u64), narrow(space.end_line as u64));
    FunctionMetrics {
        name,
        start_line,
        end_line,
        cognitive: narrow(space.metrics.cognitive.cognitive()),
        cyclomatic: narrow(space.metrics.cyclomatic.cyclomatic()),
        lines: end_line.saturating_sub(start_line) + 1,
        nesting: 0,
        parameters: narrow(parameters),
    }
}

/// The analyzer calls what has no name `<anonymous>`.
fn name_of(space: &FuncSpace) -> Option<String> {
    space.name.clone().filter(|name| !name.is_empty() && !name.starts_with('<'))
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::guard;
    use crate::parse::MAX_SOURCE_BYTES;

    fn named(language: Language, source: &str) -> Vec<(String, FunctionMetrics)> {
        let report = functions(language, source).expect("the source can be measured");
        report
            .functions
            .into_iter()
            .map(|function| (function.name.clone().unwrap_or_else(|| "-".into()), function))
            .collect()
    }

    #[test]
    fn one_function_of_every_language_is_measured() {
        let cases = [
            (Language::Bash, "f() {\n  if true; then\n    for x in a b; do echo $x; done\n  fi\n}\n", 0),
            (Language::C, "int f(int a) {\n  if (a) {\n    while (a) a--;\n  }\n  return a;\n}\n", 1),
            (Language::Cpp, "int f(int a) {\n  if (a) {\n    while (a) a--;\n  }\n  return a;\n}\n", 1),
            (
                Language::CSharp,
                "class C {\n  int F(int a) {\n    if (a > 0) { while (a > 1) a--; }\n    return a;\n  }\n}\n",
                1,
            ),
            (Language::Go, "package p\n\nfunc f(a int) {\n\tif a > 0 {\n\t\tfor a > 1 {\n\t\t}\n\t}\n}\n", 1),
            (
                Language::Java,
                "class C {\n  int f(int a) {\n    if (a > 0) { while (a > 1) a--; }\n    return a;\n  }\n}\n",
                1,
            ),
            (Language::JavaScript, "function f(a) {\n  if (a) {\n    while (a) a--;\n  }\n}\n", 1),
            (Language::Kotlin, "fun f(a: Int) {\n  if (a > 0) {\n    while (a > 1) { }\n  }\n}\n", 1),
            (Language::Php, "<?php\nfunction f($a) {\n  if ($a) {\n    while ($a) { $a--; }\n  }\n}\n", 1),
            (Language::Python, "def f(a):\n    if a:\n        while a:\n            a -= 1\n", 1),
            (Language::Ruby, "def f(a)\n  if a\n    while a\n      a = nil\n    end\n  end\nend\n", 1),
            (Language::Rust, "fn f(a: u8) {\n    if a > 0 {\n        while a > 1 {}\n    }\n}\n", 1),
            (Language::TypeScript, "function f(a: number) {\n  if (a) {\n    while (a) a--;\n  }\n}\n", 1),
            (Language::Tsx, "function f(a: number) {\n  if (a) {\n    while (a) a--;\n  }\n}\n", 1),
        ];
        assert_eq!(cases.len(), Language::ALL.len());
        for (language, source, parameters) in cases {
            let found = named(language, source);
            let (name, function) = found.first().unwrap_or_else(|| panic!("{}", language.name()));
            assert_eq!(name.to_lowercase(), "f", "{}", language.name());
            assert_eq!(
                (function.cognitive, function.cyclomatic, function.nesting, function.parameters),
                (3, 3, 2, parameters),
                "{}",
                language.name()
            );
        }
    }

    #[test]
    fn a_closure_counts_for_its_function_and_a_named_function_for_itself() {
        let source = "function outer() {\n  list.map((x) => { if (x) { y(); } });\n  function inner() { if (a) {} }\n}\n\
                      test('x', () => { if (z) {} });\n";
        let found = named(Language::JavaScript, source);
        let summary: Vec<_> =
            found.iter().map(|(name, function)| (name.as_str(), function.cyclomatic)).collect();
        assert_eq!(summary, [("outer", 2), ("inner", 2), ("-", 2)]);
    }

    #[test]
    fn a_text_that_is_not_of_its_language_says_so() {
        let broken = functions(Language::Rust, "fn f( { if x } fn g() {}").expect("it is measured in part");
        assert!(broken.has_syntax_errors);
        let whole = functions(Language::Rust, "fn f() {}\n").expect("it is measured");
        assert!(!whole.has_syntax_errors);
    }

    #[test]
    fn a_source_above_the_limit_is_refused() {
        let source = " ".repeat(MAX_SOURCE_BYTES + 1);
        assert_eq!(functions(Language::Go, &source), Err(CodeError::TooLarge { bytes: source.len() }));
    }

    /// Nests in several languages and measures on a small stack.
    fn check_depth(depth: usize, expected: fn(Result<Report, CodeError>)) {
        let sources = [
            (Language::Rust, format!("fn f() {{ {} {} }}", "if a {".repeat(depth), "}".repeat(depth))),
            (Language::JavaScript, format!("f({}{})", "() => {".repeat(depth), "}".repeat(depth))),
            (Language::Cpp, format!("int f() {{ return {}1{}; }}", "(".repeat(depth), ")".repeat(depth))),
            (Language::Python, format!("def f():\n    return {}1{}\n", "[".repeat(depth), "]".repeat(depth))),
            (Language::Bash, format!("f() {{ {} {} }}", "$(".repeat(depth), ")".repeat(depth))),
            (Language::Java, format!("class C {{ int x = {}1; }}", "a<".repeat(depth * 10))),
        ];
        let worker = std::thread::Builder::new().stack_size(256 * 1024).spawn(move || {
            for (language, source) in sources {
                expected(functions(language, &source));
            }
        });
        worker.expect("a thread can be started").join().expect("no overflow, no panic");
    }

    #[test]
    fn ten_thousand_levels_are_refused() {
        check_depth(10_000, |result| assert_eq!(result, Err(CodeError::Unparsable)));
    }

    #[test]
    fn levels_up_to_the_limit_fit_a_small_stack() {
        check_depth(guard::MAX_OPEN_BRACKETS / 3, |result| assert!(result.is_ok()));
    }

    #[test]
    fn a_parser_that_reads_on_and_on_is_stopped() {
        for (language, motif) in
            [(Language::Kotlin, "/*}"), (Language::Bash, "),"), (Language::Java, "$!/*}")]
        {
            let source = motif.repeat(30_000);
            let result = functions(language, &source);
            assert_eq!(result, Err(CodeError::TooCostly { bytes: source.len() }), "{}", language.name());
        }
    }

    #[test]
    fn branches_side_by_side_do_not_cost_the_square_of_their_number() {
        let source = |branches: usize| format!("def f(a):\n{}", "    if a:\n        g()\n".repeat(branches));
        let many = source(17_000);
        let result = functions(Language::Python, &many);
        assert_eq!(result, Err(CodeError::TooCostly { bytes: many.len() }));
        assert!(functions(Language::Python, &source(400)).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(source in "\\PC{0,200}", index in 0..Language::ALL.len()) {
            let report = functions(Language::ALL[index], &source).expect("short texts are measured");
            prop_assert!(report.functions.iter().all(|function| function.start_line <= function.end_line));
        }
    }
}
