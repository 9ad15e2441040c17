//! What a file is to those who follow calls: a source of a language that they read, a notebook, a program in another
//! language, or none.

use code::{Language, language_of};
use review::{FileChange, LineKind};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A source of a language whose calls are followed.
    Source(Language),
    /// A notebook of Jupyter's.
    Notebook,
    /// A program whose calls nobody follows here; what it is.
    Unread(&'static str),
    /// No program.
    NoProgram,
}

/// Programs that nobody parses here, by their extensions.
const UNREAD: [(&str, &[&str]); 20] = [
    ("Astro components", &["astro"]),
    ("Clojure", &["clj", "cljs", "cljc"]),
    ("Dart", &["dart"]),
    ("Elixir", &["ex", "exs"]),
    ("Groovy", &["groovy", "gradle"]),
    ("Haskell", &["hs"]),
    ("Lua", &["lua"]),
    ("Objective-C", &["m", "mm"]),
    ("Perl", &["pl", "pm"]),
    ("PowerShell", &["ps1", "psm1"]),
    ("R", &["r"]),
    ("Scala", &["scala", "sc"]),
    ("Solidity", &["sol"]),
    ("Svelte components", &["svelte"]),
    ("Swift", &["swift"]),
    ("Visual Basic", &["vb", "vbs", "bas"]),
    ("Vue components", &["vue"]),
    ("pages of ASP.NET", &["cshtml", "razor", "aspx"]),
    ("pages of JSP", &["jsp", "jspx"]),
    ("shells other than Bash", &["zsh", "fish", "ksh", "bat", "cmd"]),
];

impl Form {
    /// The form of a changed file.
    pub(super) fn of(file: &FileChange) -> Self {
        if let Some(language) = language_of(&file.path) {
            return match language {
                Language::C
                | Language::Cpp
                | Language::Go
                | Language::Java
                | Language::JavaScript
                | Language::Php
                | Language::Python
                | Language::Ruby
                | Language::Rust
                | Language::TypeScript
                | Language::Tsx => Self::Source(language),
                Language::Bash | Language::CSharp | Language::Kotlin => Self::Unread(language.name()),
            };
        }
        match file.path.extension().as_str() {
            "ipynb" => Self::Notebook,
            // Most pages are text.
            "html" | "htm" | "xhtml" if shows_script(file) => Self::Unread("scripts of pages"),
            extension => UNREAD
                .into_iter()
                .find(|(_, extensions)| extensions.contains(&extension))
                .map_or(Self::NoProgram, |(what, _)| Self::Unread(what)),
        }
    }
}

/// Whether the hunks of a page show a script.
fn shows_script(file: &FileChange) -> bool {
    let mut lines = file.hunks().iter().flat_map(review::Hunk::lines);
    lines.any(|line| line.kind != LineKind::Removed && line.text.to_ascii_lowercase().contains("<script"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::changed;

    #[test]
    fn a_program_is_told_from_a_text() {
        let table = [
            ("a.py", "", Form::Source(Language::Python)),
            ("a.ipynb", "", Form::Notebook),
            ("a.cs", "", Form::Unread("C#")),
            ("run.sh", "", Form::Unread("Bash")),
            ("App.vue", "", Form::Unread("Vue components")),
            ("a.html", "<p>\n<SCRIPT>\n", Form::Unread("scripts of pages")),
            ("a.html", "<p>\n", Form::NoProgram),
            ("README.md", "<script>\n", Form::NoProgram),
            ("data.json", "{}\n", Form::NoProgram),
        ];
        for (path, text, form) in table {
            assert_eq!(Form::of(&changed(path, None, text)), form, "{path}");
        }
    }
}
