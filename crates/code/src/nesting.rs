//! How deep control structures stand in each other.

use big_code_analysis::tree_sitter::{Node, Tree};

use crate::Language;

/// A control structure: where it starts, and how many stand round it in its function, itself included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Structure {
    line: u32,
    depth: u32,
}

/// The control structures of a tree.
#[derive(Debug)]
pub(crate) struct Structures {
    /// All of them, by line.
    pub(crate) all: Vec<Structure>,
    /// How many branches stand side by side at most.
    pub(crate) most_branches_abreast: u32,
}

/// The deepest structure that starts between two lines, of structures in the order of [`structures`].
pub(crate) fn deepest(structures: &[Structure], first_line: u32, last_line: u32) -> u32 {
    let from = structures.partition_point(|structure| structure.line < first_line);
    structures[from..]
        .iter()
        .take_while(|structure| structure.line <= last_line)
        .map(|structure| structure.depth)
        .max()
        .unwrap_or(0)
}

/// Lists the control structures of a tree, by line. Walks without recursion.
pub(crate) fn structures(language: Language, tree: &Tree) -> Structures {
    let mut found = Structures { all: Vec::new(), most_branches_abreast: 0 };
    let mut cursor = tree.walk();
    // What is known of each node on the way from the root to the cursor: the depth inside it, its role, and how many of
    // its children so far are branches.
    let mut path: Vec<(u32, Role, u32)> = Vec::new();
    loop {
        let node = cursor.node();
        let (depth_outside, parent, _) = path.last().copied().unwrap_or((0, Role::Other, 0));
        let role = role(language, node);
        if let (Role::If, Some((.., branches))) = (role, path.last_mut()) {
            *branches += 1;
            found.most_branches_abreast = found.most_branches_abreast.max(*branches);
        }
        let depth = match (role, parent) {
            (Role::If, Role::If | Role::Else) | (Role::Else | Role::Other, _) => depth_outside,
            (Role::If | Role::Structure, _) => {
                let line = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
                found.all.push(Structure { line, depth: depth_outside + 1 });
                depth_outside + 1
            }
            (Role::Function, _) => 0,
        };
        if cursor.goto_first_child() {
            path.push((depth, role, 0));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
            path.pop();
        }
    }
}

/// What a node is to the depth of control structures.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// A branch; directly inside another branch or an `else` it continues that one.
    If,
    /// What stands between a branch and the branch that continues it.
    Else,
    /// A loop, a choice among cases, or a `try`.
    Structure,
    /// A named function: the depth starts again.
    Function,
    /// Anything else.
    Other,
}

/// Tells the role by the names that the grammars use. Ruby's structures are named as its keywords are, which is
/// why only named nodes count.
fn role(language: Language, node: Node<'_>) -> Role {
    if !node.is_named() {
        return Role::Other;
    }
    match node.kind() {
        "if" | "if_expression" | "if_statement" | "unless" => Role::If,
        "else" | "else_clause" => Role::Else,
        "c_style_for_statement"
        | "case"
        | "case_match"
        | "do_statement"
        | "do_while_statement"
        | "enhanced_for_statement"
        | "expression_switch_statement"
        | "for"
        | "for_expression"
        | "for_in_statement"
        | "for_range_loop"
        | "for_statement"
        | "foreach_statement"
        | "loop_expression"
        | "match_expression"
        | "match_statement"
        | "select_statement"
        | "switch_expression"
        | "switch_statement"
        | "try_statement"
        | "type_switch_statement"
        | "until"
        | "when_expression"
        | "while"
        | "while_expression"
        | "while_statement" => Role::Structure,
        // In the C family this is one case inside the structure.
        "case_statement" if language == Language::Bash => Role::Structure,
        "constructor_declaration"
        | "function_declaration"
        | "function_definition"
        | "function_item"
        | "local_function_statement"
        | "method"
        | "method_declaration"
        | "method_definition"
        | "singleton_method" => Role::Function,
        _ => Role::Other,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Language, functions};

    fn nesting(language: Language, source: &str) -> Vec<u32> {
        let report = functions(language, source).expect("the source can be measured");
        report.functions.iter().map(|function| function.nesting).collect()
    }

    #[test]
    fn else_if_stands_beside_its_if() {
        let cases = [
            (Language::Rust, "fn f() { if a { b() } else if c { d() } else if e { g() } else { h() } }"),
            (
                Language::Java,
                "class C { void f() { if (a) b(); else if (c) d(); else if (e) g(); else h(); } }",
            ),
            (Language::Go, "package p\nfunc f() { if a { b() } else if c { d() } else if e { g() } }"),
            (
                Language::JavaScript,
                "function f() { if (a) b(); else if (c) d(); else if (e) g(); else h(); }",
            ),
            (Language::C, "void f() { if (a) b(); else if (c) d(); else if (e) g(); else h(); }"),
            (Language::CSharp, "class C { void F() { if (a) B(); else if (c) D(); else if (e) G(); } }"),
            (Language::Python, "def f():\n  if a:\n    b()\n  elif c:\n    d()\n  elif e:\n    g()\n"),
            (Language::Ruby, "def f\n  if a\n    b\n  elsif c\n    d\n  else\n    e\n  end\nend\n"),
            (Language::Kotlin, "fun f() { if (a) { b() } else if (c) { d() } else if (e) { g() } }"),
            (
                Language::Php,
                "<?php function f() { if ($a) { b(); } else if ($c) { d(); } elseif ($e) { g(); } }",
            ),
        ];
        for (language, source) in cases {
            assert_eq!(nesting(language, source), [1], "{}", language.name());
        }
    }

    #[test]
    fn a_case_is_part_of_its_switch() {
        let cases = [
            (Language::C, "void f() { switch (a) { case 1: if (b) {} } }"),
            (Language::Bash, "f() { case $a in x) if b; then c; fi;; esac; }"),
        ];
        for (language, source) in cases {
            assert_eq!(nesting(language, source), [2], "{}", language.name());
        }
    }

    #[test]
    fn a_closure_continues_the_depth_and_a_function_starts_again() {
        let source = "function f() {\n for (;;) { xs.map(() => {\n if (a) {} }); }\n}\n\
                      function g() {\n while (a) {}\n}\n";
        assert_eq!(nesting(Language::JavaScript, source), [2, 1]);
    }
}
