//! Lists, records and what is made of them one by one.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, named};
use crate::steps::{Expr, ExprKind, Step};

impl<'t> Lowering<'_, 't> {
    pub(super) fn list(&self, node: Node<'t>, items: Vec<Expr>) -> Expr {
        self.expr(node, ExprKind::List(items))
    }

    pub(super) fn array_creation(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        // Java: `new T[n]` has a size and no values, `new T[] {…}` the other way round.
        if let Some(values) = node.child_by_field_name("value") {
            return self.expression(values, out);
        }
        if let Some(size) = node.child_by_field_name("dimensions") {
            let size = self.wrapped(size, out);
            return self.expr(node, ExprKind::Buffer(Box::new(size)));
        }
        let elements = named(node);
        if elements.iter().any(|element| named(*element).len() == 2) {
            return self.record(node, out);
        }
        let items = elements.iter().map(|element| self.wrapped(*element, out)).collect();
        self.list(node, items)
    }

    pub(super) fn comprehension(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        for clause in named(node) {
            if clause.kind() == "for_in_clause" {
                self.each(
                    clause,
                    clause.child_by_field_name("left"),
                    clause.child_by_field_name("right"),
                    out,
                );
            }
        }
        let Some(body) = node.child_by_field_name("body") else { return self.list(node, Vec::new()) };
        let body = self.expression(body, out);
        self.list(node, vec![body])
    }

    /// Values by name. Keys that are computed count as names that nobody knows.
    pub(super) fn record(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let mut entries = Vec::new();
        let mut items = Vec::new();
        for child in named(node) {
            match child.kind() {
                "pair"
                | "keyed_element"
                | "field_initializer"
                | "array_element_initializer"
                | "pair_pattern"
                | "initializer_pair" => {
                    let parts = named(child);
                    let key = child.child_by_field_name("key").or_else(|| child.child_by_field_name("field"));
                    let (Some(value), Some(key)) = (parts.last(), key.or_else(|| parts.first().copied()))
                    else {
                        continue;
                    };
                    let value_expr = self.expression(*value, out);
                    let key = if key.id() == value.id() { String::new() } else { self.key(key) };
                    entries.push((key, value_expr));
                }
                "shorthand_property_identifier"
                | "shorthand_property_identifier_pattern"
                | "shorthand_field_initializer" => {
                    let value =
                        Expr { kind: ExprKind::Name(self.text(child).to_owned()), ..self.name(child) };
                    entries.push((self.text(child).to_owned(), value));
                }
                "method_definition" => {
                    self.statement(child, out);
                }
                // Go's lists look like records until one sees their elements.
                "literal_element" => items.push(self.wrapped(child, out)),
                _ => {
                    let value = self.expression(child, out);
                    entries.push((String::new(), value));
                }
            }
        }
        if entries.is_empty() && !items.is_empty() {
            return self.list(node, items);
        }
        entries.extend(items.into_iter().map(|item| (String::new(), item)));
        self.expr(node, ExprKind::Record(entries))
    }

    /// A key as a name: `"verify"`, `:verify`, `verify:` and `verify` are one.
    pub(super) fn key(&self, node: Node<'t>) -> String {
        let text = self.text(node).trim();
        text.trim_start_matches(':').trim_matches(['"', '\'', '`']).to_owned()
    }
}
