//! Measures every source file below a folder and prints how fast that went, by language.
//!
//! `cargo run --release -p code --example measure_functions -- FOLDER`

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use code::{functions, language_of};
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
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for folder in std::env::args().skip(1) {
        visit(Path::new(&folder), &mut rows)?;
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

fn visit(path: &Path, rows: &mut BTreeMap<&str, Row>) -> std::io::Result<()> {
    if path.is_symlink() {
        return Ok(());
    }
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            visit(&entry?.path(), rows)?;
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
            row.with_syntax_errors += usize::from(report.has_syntax_errors);
        }
        Err(_) => row.failed += 1,
    }
    Ok(())
}
