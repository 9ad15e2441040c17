//! Text that stands in the source, with and without holes.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, named};
use crate::language::Language;
use crate::steps::{Expr, ExprKind, Step};

/// The bodies of Ruby's here-documents, in the order of the lines that mention them.
pub(super) fn heredocs<'t>(language: Language, root: Node<'t>) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    if language != Language::Ruby {
        return found;
    }
    let mut cursor = root.walk();
    loop {
        if cursor.node().kind() == "heredoc_body" {
            found.push(cursor.node());
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
        }
    }
}

impl<'t> Lowering<'_, 't> {
    /// A string of any language: text where nothing is filled in, else a join.
    pub(super) fn string(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let mut parts = Vec::new();
        self.pieces(node, &mut parts, out);
        let kind = match parts.as_slice() {
            [] => ExprKind::Text(String::new()),
            [Expr { kind: ExprKind::Text(text), .. }] => ExprKind::Text(text.clone()),
            [..] => ExprKind::Join(parts),
        };
        self.expr(node, kind)
    }

    /// The pieces of a string, text that follows text made one.
    fn pieces(&mut self, node: Node<'t>, parts: &mut Vec<Expr>, out: &mut Vec<Step>) {
        for child in named(node) {
            match child.kind() {
                "string_start" | "string_end" | "heredoc_start" | "heredoc_end" | "type_conversion" => {}
                "interpolation" | "template_substitution" => {
                    for hole in named(child) {
                        match hole.kind() {
                            "format_specifier" => self.apply_format(hole, parts),
                            "type_conversion" => {}
                            _ => parts.push(self.expression(hole, out)),
                        }
                    }
                }
                // Strings that stand side by side are one.
                "string"
                | "string_literal"
                | "heredoc_body"
                | "concatenated_string"
                | "raw_string_literal" => {
                    self.pieces(child, parts, out);
                }
                "string_content"
                | "string_fragment"
                | "multiline_string_fragment"
                | "heredoc_content"
                | "nowdoc_string"
                | "nowdoc_body"
                | "raw_string_content"
                | "interpreted_string_literal_content"
                | "raw_string_literal_content"
                | "escape_sequence"
                | "character" => self.add_text(child, parts),
                _ => parts.push(self.expression(child, out)),
            }
        }
    }

    /// A format such as `:d` makes a number of what stands before it.
    fn apply_format(&self, node: Node<'t>, parts: &mut Vec<Expr>) {
        if self.text(node).ends_with(['d', 'f', 'e', 'g', 'x', 'X', '%'])
            && let Some(hole) = parts.pop()
        {
            let (lines, bytes) = (hole.lines, hole.bytes);
            parts.push(Expr { kind: ExprKind::Operator("format".into(), vec![hole]), lines, bytes });
        }
    }

    fn add_text(&self, node: Node<'t>, parts: &mut Vec<Expr>) {
        let text = unescaped(self.text(node));
        if let Some(Expr { kind: ExprKind::Text(before), lines, bytes }) = parts.last_mut() {
            before.push_str(&text);
            *lines = (lines.0, super::lines(node).1);
            bytes.1 = super::narrow(node.end_byte());
            return;
        }
        parts.push(self.expr(node, ExprKind::Text(text)));
    }
}

/// Undoes the escapes that all languages share; others stay as they are written.
fn unescaped(text: &str) -> String {
    if !text.contains(['\\', '{']) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' { characters.peek().copied() } else { None };
        let meant = match escaped {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(quote @ ('"' | '\'' | '`' | '\\' | '$' | '/')) => quote,
            Some(_) | None => {
                plain.push(character);
                continue;
            }
        };
        characters.next();
        plain.push(meant);
    }
    plain
}
