//! What a file takes from elsewhere.

use big_code_analysis::tree_sitter::Node;

use super::Lowering;
use crate::language::Language;
use crate::steps::Import;

impl<'t> Lowering<'_, 't> {
    pub(super) fn import(&mut self, node: Node<'t>) {
        // What an import names is read from its text: the trees differ more than the texts do.
        let text = self.text(node);
        let found = imports(self.language, text);
        self.imports.extend(found);
    }
}

/// Reads what an import brings in.
fn imports(language: Language, text: &str) -> Vec<Import> {
    let text = text.trim().trim_end_matches(';');
    let mut found = Vec::new();
    let mut add = |local: &str, path: String| {
        let (local, path) = (local.trim(), path.trim().to_owned());
        if !local.is_empty() && !path.is_empty() && local != "*" {
            found.push(Import { local: local.to_owned(), path });
        }
    };
    let renamed = |item: &str| -> (String, String) {
        let mut words = item.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let local = words.nth(1).map_or_else(|| name.clone(), str::to_owned);
        (name, local)
    };
    match language {
        Language::Python => {
            let joined = text.replace(['(', ')', '\\', '\n'], " ");
            if let Some((module, names)) =
                joined.strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
            {
                for item in names.split(',') {
                    let (name, local) = renamed(item);
                    add(&local, format!("{}.{name}", module.trim()));
                }
            } else if let Some(modules) = joined.strip_prefix("import ") {
                for item in modules.split(',') {
                    let (name, local) = renamed(item);
                    if local != name {
                        add(&local, name);
                    }
                }
            }
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let Some((clause, module)) = text.trim_start_matches("import").rsplit_once("from") else {
                return found;
            };
            let module = module.trim().trim_matches(['"', '\'', '`']).trim_start_matches("node:");
            let (outside, braces) = clause.split_once('{').unwrap_or((clause, ""));
            for item in braces.trim_end_matches([' ', '}', '\n']).split(',') {
                let (name, local) = renamed(item);
                add(&local, format!("{module}.{name}"));
            }
            for item in outside.split(',') {
                let local = item.trim().trim_start_matches('*').trim().trim_start_matches("as ");
                add(local, module.to_owned());
            }
        }
        Language::Java | Language::Kotlin => {
            if let Some(path) = text.strip_prefix("import static ") {
                add(path.rsplit('.').next().unwrap_or_default(), path.to_owned());
            }
        }
        Language::Go => {
            for line in text.lines() {
                let line = line.trim().trim_start_matches("import").trim().trim_start_matches('(').trim();
                if let Some((alias, path)) = line.split_once('"') {
                    let path = path.trim_end_matches(['"', ')', ' ']);
                    let package = path.rsplit('/').next().unwrap_or_default();
                    let alias = alias.trim();
                    if !alias.is_empty() && alias != "_" && alias != "." && alias != package {
                        add(alias, package.to_owned());
                    }
                }
            }
        }
        Language::Php => {
            for item in text.trim_start_matches("use").split(',') {
                let (name, local) = renamed(&item.replace('\\', "."));
                add(local.rsplit('.').next().unwrap_or_default(), name);
            }
        }
        Language::Rust => {
            let text = text.trim_start_matches("pub ").trim_start_matches("use ");
            let (prefix, items) = text.split_once('{').unwrap_or(("", text));
            for item in items.trim_end_matches([' ', '}', '\n']).split(',') {
                let (name, local) = renamed(&item.replace("::", "."));
                let prefix = prefix.replace("::", ".");
                let path = format!("{}{name}", prefix.trim());
                let local = local.rsplit('.').next().unwrap_or_default().to_owned();
                if path != local {
                    add(&local, path);
                }
            }
        }
        Language::Bash | Language::C | Language::Cpp | Language::CSharp | Language::Ruby => {}
    }
    found
}
