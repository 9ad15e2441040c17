//! Turns a syntax tree into [steps](crate::Step).
//!
//! The grammars name their nodes much alike, so there is one walk for all languages, by the names of nodes; where a
//! name means different things, the language decides. What is unknown is looked into for what is known.

mod assignment;
mod block;
mod collection;
mod expression;
mod function;
mod import;
mod macros;
mod statement;
mod text;

use std::panic::{AssertUnwindSafe, catch_unwind};

use big_code_analysis::tree_sitter::Node;

use crate::language::Language;
use crate::parse::{self, CodeError};
use crate::steps::{Expr, ExprKind, Import, Program};

/// How deep nodes may stand in each other to be looked at. Sources at hand have 60 levels; a chain of `else if` or
/// of method calls can be longer.
const MAX_DEPTH: u32 = 200;

/// How many expressions may be copied, because a block is worth what its last line is worth.
const MAX_COPIES: usize = 20_000;

/// Tells what a source text does.
///
/// The same text always gives the same answer: limits count steps and bytes, never time.
pub fn steps(language: Language, source: &str) -> Result<Program, CodeError> {
    let (tree, cost) = parse::tree(language, source)?;
    let root = tree.root_node();
    // A walk over trees of a stranger's text: a belief that breaks must cost this file, not the review.
    catch_unwind(AssertUnwindSafe(|| {
        let mut lowering = Lowering {
            language,
            source,
            imports: Vec::new(),
            scopes: Vec::new(),
            heredocs: text::heredocs(language, root),
            heredocs_used: 0,
            depth: 0,
            copies_left: MAX_COPIES,
            is_cut: false,
        };
        let mut body = Vec::new();
        lowering.children(root, &mut body);
        Program {
            body,
            imports: lowering.imports,
            has_syntax_errors: root.has_error(),
            is_cut: lowering.is_cut,
            cost,
        }
    }))
    .map_err(|_| CodeError::Analyzer)
}

/// What is known on the way through a tree.
struct Lowering<'s, 't> {
    language: Language,
    source: &'s str,
    imports: Vec<Import>,
    scopes: Vec<Scope>,
    /// Ruby's here-documents stand behind the line that mentions them.
    heredocs: Vec<Node<'t>>,
    heredocs_used: usize,
    depth: u32,
    copies_left: usize,
    is_cut: bool,
}

/// A class or a module that the walk is in.
struct Scope {
    name: String,
    marks: Vec<String>,
}

impl<'s, 't> Lowering<'s, 't> {
    fn text(&self, node: Node<'t>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    fn field_text(&self, node: Node<'t>, field: &str) -> Option<&'s str> {
        node.child_by_field_name(field).map(|child| self.text(child))
    }

    fn expr(&self, node: Node<'t>, kind: ExprKind) -> Expr {
        Expr { kind, lines: lines(node), bytes: (narrow(node.start_byte()), narrow(node.end_byte())) }
    }

    /// Looks into a node unless it stands too deep.
    fn deeper<T>(&mut self, otherwise: T, look: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= MAX_DEPTH {
            self.is_cut = true;
            return otherwise;
        }
        self.depth += 1;
        let seen = look(self);
        self.depth -= 1;
        seen
    }
}

fn lines(node: Node<'_>) -> (u32, u32) {
    (narrow(node.start_position().row + 1), narrow(node.end_position().row + 1))
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The named children of a node, without comments.
fn named<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !is_comment(*child)).collect()
}

fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "comment" | "line_comment" | "block_comment" | "html_comment")
}

/// The children of a field.
fn fields<'t>(node: Node<'t>, field: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(field, &mut cursor).filter(|child| child.is_named()).collect()
}

#[cfg(test)]
mod tests;
