//! The rules of classification: reads them from TOML, checks them and compiles them once.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::paths::PathSet;
use super::table::{ExportTable, LabelTable, LineTable, Scope, Table, Where};
use super::{Label, Reversibility, Risk};
use crate::RepoPath;

/// Memory that the automata of one set of patterns may use, in bytes. The default of 2 MiB is thrown away and
/// rebuilt over and over on mixed text.
const AUTOMATON_BYTES: usize = 16 << 20;

/// Labels that leave lenses out.
const BY_PATH_ALONE: [Label; 4] = [Label::Lockfile, Label::Tests, Label::Docs, Label::Binary];

/// The rules by which a change is classified, compiled.
///
/// They come with the program ([`ClassifyRules::embedded`]) and can be added to by the operator
/// ([`ClassifyRules::extend`]); nothing in a change can alter them.
#[derive(Debug, Clone)]
pub struct ClassifyRules {
    pub(super) table: Table,
    /// One set of globs a label, in the order of [`Label`].
    pub(super) paths: Vec<LabelPaths>,
    pub(super) lines: Vec<LineRule>,
    pub(super) added: PatternSet,
    pub(super) removed: PatternSet,
    pub(super) context: PatternSet,
    pub(super) down_paths: PathSet,
    pub(super) exports: Vec<Export>,
}

/// Why rules of classification cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    /// Not TOML, or not of the expected shape.
    #[error("could not read the rules of classification")]
    Toml(#[source] Box<toml::de::Error>),
    /// A glob that cannot be compiled.
    #[error("could not compile the glob {glob:?} of {of}")]
    Glob {
        /// The glob.
        glob: String,
        /// The label or table that it stands under.
        of: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A glob with so many alternatives that writing them out would fill the memory.
    #[error("the glob {glob:?} of {of} has too many alternatives")]
    Alternatives {
        /// The glob.
        glob: String,
        /// The label or table that it stands under.
        of: String,
    },
    /// A pattern that cannot be compiled.
    #[error("could not compile the pattern {pattern:?} of {of}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The label or table that it stands under.
        of: String,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// Each pattern is fine, all together are too large.
    #[error("could not compile all patterns into one set")]
    TooLarge(#[source] Box<regex::Error>),
    /// A line is to give a label that leaves lenses out. Whoever writes the line would choose who looks at it.
    #[error("a line cannot make a file {label}, only its path can", label = .0.name())]
    ByLine(Label),
    /// A rule that says nothing, or that could never match.
    #[error("a rule of {of} has no {lacks}")]
    Incomplete {
        /// The label or table that it stands under.
        of: String,
        /// What it lacks.
        lacks: &'static str,
    },
}

impl ClassifyRules {
    /// The text of the rules that come with the program.
    pub const EMBEDDED: &str = include_str!("../../../../config/classify.toml");

    /// The rules that come with the program.
    pub fn embedded() -> Self {
        let table = parse_table(Self::EMBEDDED);
        let rules = table.and_then(|table| Self::compile(table, Check::Later));
        rules.expect("the tests of this module check the embedded rules")
    }

    /// Reads and compiles rules.
    ///
    /// # Errors
    /// Names the key, the glob or the pattern that is wrong.
    pub fn parse(text: &str) -> Result<Self, ClassifyError> {
        Self::compile(parse_table(text)?, Check::Now)
    }

    /// These rules with the operator's added. Rules are only ever added, and the risk that a label stands for only
    /// ever rises.
    ///
    /// # Errors
    /// Names the key, the glob or the pattern that is wrong.
    pub fn extend(self, text: &str) -> Result<Self, ClassifyError> {
        let more = parse_table(text)?;
        let mut table = self.table;
        table.code.extensions.extend(more.code.extensions);
        table.code.names.extend(more.code.names);
        table.code.interpreters.extend(more.code.interpreters);
        table.down.globs.extend(more.down.globs);
        table.down.starts.extend(more.down.starts);
        table.down.ends.extend(more.down.ends);
        table.export.extend(more.export);
        for label in more.label {
            match table.label.iter_mut().find(|known| known.name == label.name) {
                Some(known) => {
                    known.risk = known.risk.max(label.risk);
                    known.path.extend(label.path);
                    known.line.extend(label.line);
                }
                None => table.label.push(label),
            }
        }
        Self::compile(table, Check::Now)
    }

    fn compile(mut table: Table, check: Check) -> Result<Self, ClassifyError> {
        table.label.sort_by_key(|label| label.name);
        let mut paths = Vec::new();
        let mut lines = Vec::new();
        for label in &table.label {
            let of = format!("label {}", label.name.name());
            paths.push(compile_paths(label, &of)?);
            if BY_PATH_ALONE.contains(&label.name) && !label.line.is_empty() {
                return Err(ClassifyError::ByLine(label.name));
            }
            for line in &label.line {
                lines.push(compile_line(label, line, &of)?);
            }
        }
        let mut marked: Vec<Marked> = Vec::new();
        for (label, line) in
            table.label.iter().flat_map(|label| label.line.iter().map(move |line| (label, line)))
        {
            let (of, mark) = (format!("label {}", label.name.name()), Mark::Rule(marked.len()));
            marked.push(Marked { pattern: line.pattern.clone(), on: line.on, mark, of });
        }
        for (patterns, mark) in [(&table.down.starts, Mark::DownStarts), (&table.down.ends, Mark::DownEnds)] {
            for pattern in patterns {
                marked.push(Marked {
                    pattern: pattern.clone(),
                    on: Where::Shown,
                    mark,
                    of: "down".to_owned(),
                });
            }
        }
        let exports: Vec<Export> = table.export.iter().map(Export::new).collect();
        let rules = Self {
            added: PatternSet::new(&marked, &[Where::Added, Where::Changed, Where::Shown]),
            removed: PatternSet::new(&marked, &[Where::Removed, Where::Changed, Where::Shown]),
            context: PatternSet::new(&marked, &[Where::Shown]),
            down_paths: PathSet::folded(&table.down.globs, "down")?,
            table,
            paths,
            lines,
            exports,
        };
        if check == Check::Now {
            rules.check(&marked)?;
        }
        Ok(rules)
    }

    /// Compiles every pattern, to say which one is wrong.
    fn check(&self, marked: &[Marked]) -> Result<(), ClassifyError> {
        for set in [&self.added, &self.removed, &self.context] {
            let Err(error) = set.compile() else { continue };
            // The error of a set does not say which of its patterns is wrong.
            for marked in marked {
                compile_pattern(&marked.pattern, &marked.of)?;
            }
            return Err(ClassifyError::TooLarge(Box::new(error)));
        }
        self.table.export.iter().try_for_each(check_export)
    }

    /// What the table says of a label.
    pub(super) fn label(&self, label: Label) -> Option<&LabelTable> {
        self.table.label.iter().find(|known| known.name == label)
    }

    /// Whether a path, by its extension or name, is source text.
    pub(super) fn is_code_path(&self, path: &RepoPath) -> bool {
        let code = &self.table.code;
        code.extensions.contains(path.extension().as_str())
            || code.names.contains(&path.file_name().to_ascii_lowercase())
    }

    /// Whether a first line names an interpreter: `#!/usr/bin/env -S python3.12 -u`.
    pub(super) fn is_code_shebang(&self, line: &str) -> bool {
        let Some(command) = line.strip_prefix("#!") else { return false };
        command
            .split_whitespace()
            .map(|word| word.rsplit('/').next().unwrap_or(word))
            .map(|word| word.trim_end_matches(|end: char| end.is_ascii_digit() || end == '.'))
            .any(|word| self.table.code.interpreters.contains(word))
    }
}

/// The globs of one label, compiled.
#[derive(Debug, Clone)]
pub(super) struct LabelPaths {
    pub(super) label: Label,
    pub(super) set: PathSet,
    /// For each glob of the set: its rule among the label's, and its text.
    pub(super) globs: Vec<(usize, String)>,
    /// For each rule: the paths that it leaves out.
    pub(super) except: Vec<PathSet>,
}

/// A rule about lines, without its pattern, which is in the sets.
#[derive(Debug, Clone)]
pub(super) struct LineRule {
    pub(super) label: Label,
    pub(super) reason: String,
    pub(super) scope: Scope,
    /// Only in these files, if there are any.
    pub(super) files: PathSet,
    /// But not in these.
    pub(super) except: PathSet,
    pub(super) first_lines: Option<u32>,
    pub(super) risk: Risk,
    pub(super) reversibility: Reversibility,
}

impl LineRule {
    /// Whether the rule looks at a file, by its paths (old and new). One path that it leaves out is not enough to
    /// leave the file out.
    pub(super) fn applies_to(&self, paths: &[&str]) -> bool {
        let applies =
            |path: &&str| (self.files.is_empty() || self.files.is_match(path)) && !self.except.is_match(path);
        paths.iter().any(applies)
    }
}

/// What a matching pattern means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The rule about lines of that index.
    Rule(usize),
    /// From here a migration undoes what it did.
    DownStarts,
    /// From here it no longer does.
    DownEnds,
}

/// A pattern, where it is tried and what it means.
struct Marked {
    pattern: String,
    on: Where,
    mark: Mark,
    /// The label or table that it stands under.
    of: String,
}

/// Patterns that are tried together, in one pass; compiled when the first line is looked at.
#[derive(Debug, Clone)]
pub(super) struct PatternSet {
    patterns: Vec<String>,
    marks: Vec<Mark>,
    set: OnceLock<RegexSet>,
}

impl PatternSet {
    fn new(marked: &[Marked], on: &[Where]) -> Self {
        let wanted = || marked.iter().filter(|marked| on.contains(&marked.on));
        Self {
            patterns: wanted().map(|marked| marked.pattern.clone()).collect(),
            marks: wanted().map(|marked| marked.mark).collect(),
            set: OnceLock::new(),
        }
    }

    fn compile(&self) -> Result<RegexSet, regex::Error> {
        RegexSetBuilder::new(&self.patterns)
            .unicode(false)
            .size_limit(AUTOMATON_BYTES)
            .dfa_size_limit(AUTOMATON_BYTES)
            .build()
    }

    /// Calls `seen` with what each matching pattern means.
    pub(super) fn matches(&self, text: &str, mut seen: impl FnMut(Mark)) {
        let set = self.set.get_or_init(|| self.compile().expect("rules are checked when they are read"));
        let text = text.as_bytes();
        if set.is_match(text) {
            set.matches(text).into_iter().for_each(|index| seen(self.marks[index]));
        }
    }
}

/// How a language writes what others can use; compiled when the first file of it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) extensions: BTreeSet<String>,
    pattern: String,
    compiled: OnceLock<Regex>,
}

impl Export {
    fn new(export: &ExportTable) -> Self {
        let (extensions, pattern) = (export.extensions.clone(), export.pattern.clone());
        Self { extensions, pattern, compiled: OnceLock::new() }
    }

    pub(super) fn pattern(&self) -> &Regex {
        self.compiled
            .get_or_init(|| compile_pattern(&self.pattern, "").expect("rules are checked when they are read"))
    }
}

/// Whether patterns are compiled when they are read. The embedded ones are checked by the tests instead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Now,
    Later,
}

fn parse_table(text: &str) -> Result<Table, ClassifyError> {
    toml::from_str(text).map_err(|error| ClassifyError::Toml(Box::new(error)))
}

fn compile_paths(label: &LabelTable, of: &str) -> Result<LabelPaths, ClassifyError> {
    let mut set = PathSet::default();
    let mut globs = Vec::new();
    let mut except = Vec::new();
    for (index, rule) in label.path.iter().enumerate() {
        require(!rule.reason.trim().is_empty(), of, "reason")?;
        require(!rule.globs.is_empty(), of, "globs")?;
        for glob in &rule.globs {
            globs.extend(set.add(glob, rule.case, of)?.into_iter().map(|glob| (index, glob)));
        }
        except.push(PathSet::folded(&rule.except, of)?);
    }
    Ok(LabelPaths { label: label.name, set, globs, except })
}

fn compile_line(label: &LabelTable, line: &LineTable, of: &str) -> Result<LineRule, ClassifyError> {
    require(!line.reason.trim().is_empty(), of, "reason")?;
    require(!line.pattern.is_empty(), of, "pattern")?;
    Ok(LineRule {
        label: label.name,
        reason: line.reason.clone(),
        scope: line.scope,
        files: PathSet::folded(&line.globs, of)?,
        except: PathSet::folded(&line.except, of)?,
        first_lines: line.first_lines,
        risk: line.risk.unwrap_or(label.risk),
        reversibility: line.reversibility,
    })
}

fn check_export(export: &ExportTable) -> Result<(), ClassifyError> {
    let of = format!("export {}", export.language);
    let pattern = compile_pattern(&export.pattern, &of)?;
    require(!export.extensions.is_empty(), &of, "extensions")?;
    require(pattern.capture_names().flatten().any(|name| name == "name"), &of, "group called name")
}

fn require(holds: bool, of: &str, lacks: &'static str) -> Result<(), ClassifyError> {
    match holds {
        true => Ok(()),
        false => Err(ClassifyError::Incomplete { of: of.to_owned(), lacks }),
    }
}

fn compile_pattern(pattern: &str, of: &str) -> Result<Regex, ClassifyError> {
    RegexBuilder::new(pattern).unicode(false).build().map_err(|error| ClassifyError::Pattern {
        pattern: pattern.to_owned(),
        of: of.to_owned(),
        source: Box::new(error),
    })
}
