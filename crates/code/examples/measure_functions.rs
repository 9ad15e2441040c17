//! Measures every source file below a folder and prints how fast that went, by language.
//!
//! `cargo run --release -p code --example measure_functions -- [--list] FOLDER…`
//!
//! With `--list` it prints the functions themselves instead, one a line, separated by tabs: path, language, first line, last
//! line, name, cognitive complexity, cyclomatic complexity, parameters.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use code::{FunctionMetrics, Language, functions, language_of};
use review::RepoPath;

#[derive(Default)]
struct Row {
    files: usize,
    bytes: usize,
    lines: usize,
    functions: usize,
    with_syntax_errors: usize,
    failed: usize,
    time: Duration,
    slowest: (Duration, PathBuf),
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, folders): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|one| one == "--list");
    let print = if flags.is_empty() { Print::Table } else { Print::Functions };
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for folder in folders {
        visit(Path::new(&folder), print, &mut rows)?;
    }
    if print == Print::Functions {
        return Ok(());
    }
    println!("language    files      kB    lines  functions  errors  failed     MB/s  lines/s  slowest");
    for (language, row) in rows {
        let seconds = row.time.as_secs_f64();
        println!(
            "{language:10} {:6} {:7} {:8} {:10} {:7} {:7} {:8.1} {:8.0}  {:.0?} {}",
            row.files,
            row.bytes / 1000,
            row.lines,
            row.functions,
            row.with_syntax_errors,
            row.failed,
            row.bytes as f64 / 1e6 / seconds,
            row.lines as f64 / seconds,
            row.slowest.0,
            row.slowest.1.display()
        );
    }
    Ok(())
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Print {
    Table,
    Functions,
}

fn visit(path: &Path, print: Print, rows: &mut BTreeMap<&str, Row>) -> std::io::Result<()> {
    if path.is_symlink() {
        return Ok(());
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            visit(&entry?.path(), print, rows)?;
        }
        return Ok(());
    }
    let Some(language) = language_of(&RepoPath::from(&*path.to_string_lossy())) else { return Ok(()) };
    let Ok(source) = String::from_utf8(std::fs::read(path)?) else { return Ok(()) };
    let row = rows.entry(language.name()).or_default();
    let started = Instant::now();
    let measured = functions(language, &source);
    let took = started.elapsed();
    row.files += 1;
    row.bytes += source.len();
    row.lines += source.lines().count();
    row.time += took;
    if took > row.slowest.0 {
        row.slowest = (took, path.to_owned());
    }
    match measured {
        Ok(report) => {
            row.functions += report.functions.len();
            if print == Print::Functions {
                report.functions.iter().for_each(|function| print_function(path, language, function));
            }
            row.with_syntax_errors += usize::from(report.has_syntax_errors);
        }
        Err(_) => row.failed += 1,
    }
    Ok(())
}

fn print_function(path: &Path, language: Language, function: &FunctionMetrics) {
    println!(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        path.display(),
        language.name(),
        function.start_line,
        function.end_line,
        function.name.as_deref().unwrap_or("-").split_whitespace().collect::<String>(),
        function.cognitive,
        function.cyclomatic,
        function.parameters
    );
}
