//! The languages that can be parsed, and how a path tells which one a file is in.

use big_code_analysis::LANG;
use review::RepoPath;

/// A language whose functions can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Bash and POSIX shell.
    Bash,
    /// C.
    C,
    /// C++, and headers, which may be either.
    Cpp,
    /// C#.
    CSharp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, with JSX.
    JavaScript,
    /// Kotlin.
    Kotlin,
    /// PHP.
    Php,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

impl Language {
    /// All languages, by name.
    pub const ALL: [Self; 14] = [
        Self::Bash,
        Self::C,
        Self::Cpp,
        Self::CSharp,
        Self::Go,
        Self::Java,
        Self::JavaScript,
        Self::Kotlin,
        Self::Php,
        Self::Python,
        Self::Ruby,
        Self::Rust,
        Self::TypeScript,
        Self::Tsx,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "Bash",
            Self::C => "C",
            Self::Cpp => "C++",
            Self::CSharp => "C#",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::JavaScript => "JavaScript",
            Self::Kotlin => "Kotlin",
            Self::Php => "PHP",
            Self::Python => "Python",
            Self::Ruby => "Ruby",
            Self::Rust => "Rust",
            Self::TypeScript => "TypeScript",
            Self::Tsx => "TSX",
        }
    }

    /// The extensions of its files, in lower case.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Bash => &["sh", "bash"],
            Self::C => &["c"],
            Self::Cpp => &["cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "inl"],
            Self::CSharp => &["cs"],
            Self::Go => &["go"],
            Self::Java => &["java"],
            Self::JavaScript => &["js", "cjs", "mjs", "jsx"],
            Self::Kotlin => &["kt", "kts"],
            Self::Php => &["php"],
            Self::Python => &["py", "pyi"],
            Self::Ruby => &["rb", "rake", "gemspec"],
            Self::Rust => &["rs"],
            Self::TypeScript => &["ts", "cts", "mts"],
            Self::Tsx => &["tsx"],
        }
    }

    /// The parser's name for it.
    pub(crate) fn grammar(self) -> LANG {
        match self {
            Self::Bash => LANG::Bash,
            Self::C => LANG::C,
            Self::Cpp => LANG::Cpp,
            Self::CSharp => LANG::Csharp,
            Self::Go => LANG::Go,
            Self::Java => LANG::Java,
            Self::JavaScript => LANG::Javascript,
            Self::Kotlin => LANG::Kotlin,
            Self::Php => LANG::Php,
            Self::Python => LANG::Python,
            Self::Ruby => LANG::Ruby,
            Self::Rust => LANG::Rust,
            Self::TypeScript => LANG::Typescript,
            Self::Tsx => LANG::Tsx,
        }
    }
}

/// Tells the language of a file by its extension; `None` for a language that cannot be parsed here.
pub fn language_of(path: &RepoPath) -> Option<Language> {
    let extension = path.extension();
    Language::ALL.into_iter().find(|language| language.extensions().contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_language() {
        let cases = [
            ("src/main.rs", Some(Language::Rust)),
            ("a/b/View.TSX", Some(Language::Tsx)),
            ("lib/index.mjs", Some(Language::JavaScript)),
            ("include/x.h", Some(Language::Cpp)),
            ("README.md", None),
            ("Makefile", None),
            (".sh", None),
        ];
        for (path, language) in cases {
            assert_eq!(language_of(&RepoPath::from(path)), language, "{path}");
        }
    }

    #[test]
    fn no_extension_belongs_to_two_languages() {
        let all: Vec<_> = Language::ALL.into_iter().flat_map(Language::extensions).collect();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
    }
}
