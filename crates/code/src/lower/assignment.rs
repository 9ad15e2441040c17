//! Assignments and declarations: which place is given which value.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, fields, named};
use crate::language::Language;
use crate::steps::{Expr, ExprKind, Step};

impl<'t> Lowering<'_, 't> {
    pub(super) fn assignment(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let targets = ["left", "name", "pattern", "property"]
            .iter()
            .map(|field| fields(node, field))
            .find(|found| !found.is_empty())
            .or_else(|| named(node).first().map(|first| vec![*first]))
            .unwrap_or_default();
        let value = ["right", "value"].iter().find_map(|field| node.child_by_field_name(field));
        let value = value.or_else(|| match node.kind() {
            "const_element" | "property_element" | "static_variable_declaration" => named(node)
                .last()
                .copied()
                .filter(|last| targets.iter().all(|target| target.id() != last.id())),
            _ => None,
        });
        let operator = self.field_text(node, "operator").unwrap_or("=");
        let adds = matches!(operator, "+=" | ".=" | "<<=" | "||=" | "&&=" | "??=" | "|=");
        let Some(value) = value else {
            // A `let` may be given its value later; an array has a size already.
            return;
        };
        // Go's list of one value is that value.
        let single = if value.kind() == "expression_list" { named(value) } else { Vec::new() };
        let value = if let [only] = single.as_slice() { *only } else { value };
        let value = self.expression(value, out);
        let targets: Vec<_> = targets.iter().map(|target| self.target(*target, out)).collect();
        if let Some(alternative) = node.child_by_field_name("alternative") {
            let steps = self.block(Some(alternative));
            out.push(Step::Arms(vec![steps]));
        }
        match (targets.len(), targets.into_iter().next()) {
            (1, Some(target)) => self.set(target, value, adds, out),
            // Go's `var a, b = …`.
            (_, Some(_)) => {
                let targets: Vec<_> =
                    fields(node, "name").iter().map(|name| self.target(*name, out)).collect();
                let target = self.expr(node, ExprKind::List(targets));
                self.set(target, value, adds, out);
            }
            (_, None) => out.push(Step::Do(value)),
        }
    }

    /// Sets one place, or several at once where there are as many values.
    fn set(&self, target: Expr, value: Expr, adds: bool, out: &mut Vec<Step>) {
        match (target.kind, value.kind) {
            (ExprKind::List(mut targets), ExprKind::List(mut values))
                if targets.len() == 1 && values.len() == 1 =>
            {
                let (target, value) = (targets.remove(0), values.remove(0));
                out.push(Step::Set { target, value, adds });
            }
            (ExprKind::List(targets), ExprKind::List(values)) if targets.len() == values.len() => {
                for (target, value) in targets.into_iter().zip(values) {
                    out.push(Step::Set { target, value, adds });
                }
            }
            (ExprKind::List(targets), mut kind) => {
                // One call gives several results, and each target may be the one that matters.
                if let ExprKind::List(values) = &mut kind
                    && values.len() == 1
                {
                    let only = values.remove(0);
                    let target = Expr { kind: ExprKind::List(targets), ..target };
                    out.push(Step::Set { target, value: only, adds });
                    return;
                }
                let value = Expr { kind, ..value };
                let target = Expr { kind: ExprKind::List(targets), ..target };
                out.push(Step::Set { target, value, adds });
            }
            (target_kind, value_kind) => {
                let target = Expr { kind: target_kind, ..target };
                let value = Expr { kind: value_kind, ..value };
                out.push(Step::Set { target, value, adds });
            }
        }
    }

    /// A place, without types, defaults and patterns.
    pub(super) fn target(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        match node.kind() {
            "as_pattern_target"
            | "mutable_specifier"
            | "tuple_struct_pattern"
            | "ref_pattern"
            | "mut_pattern"
            | "reference_pattern"
            | "captured_pattern"
            | "by_ref"
            | "array_declarator"
            | "pointer_declarator"
            | "reference_declarator"
            | "parenthesized_declarator"
            | "rest_pattern"
            | "assignment_pattern"
            | "struct_pattern"
            | "field_pattern"
            | "object_assignment_pattern"
            | "splat_parameter"
            | "rest_assignment"
            | "list_splat_pattern" => {
                let names = self.pattern_names(node);
                match names.as_slice() {
                    [only] => self.expr(node, ExprKind::Name(only.0.clone())),
                    [..] => {
                        let names = names
                            .iter()
                            .map(|(name, at)| self.expr(*at, ExprKind::Name(name.clone())))
                            .collect();
                        self.expr(node, ExprKind::List(names))
                    }
                }
            }
            "expression_list" if named(node).len() == 1 => self.target(named(node)[0], out),
            _ => {
                let target = self.expression(node, out);
                match target.kind {
                    // Ruby's setters look like calls.
                    ExprKind::Call(call) if self.language == Language::Ruby && call.arguments.is_empty() => {
                        call.callee
                    }
                    kind => Expr { kind, ..target },
                }
            }
        }
    }

    /// A declaration with a type, of one or several names.
    pub(super) fn declaration(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        for declarator in fields(node, "declarator") {
            match declarator.kind() {
                "variable_declarator" => self.assignment(declarator, out),
                "init_declarator" => {
                    let (Some(name), Some(value)) = (
                        declarator.child_by_field_name("declarator"),
                        declarator.child_by_field_name("value"),
                    ) else {
                        continue;
                    };
                    let buffer = self.buffer(name, out);
                    let value = self.expression(value, out);
                    let target = self.target(name, out);
                    // The contents of an array say less than its size.
                    let value = buffer.unwrap_or(value);
                    out.push(Step::Set { target, value, adds: false });
                }
                "array_declarator" => {
                    if let Some(value) = self.buffer(declarator, out) {
                        let target = self.target(declarator, out);
                        out.push(Step::Set { target, value, adds: false });
                    }
                }
                // `std::string name(value)` reads like a function of an unnamed parameter.
                "function_declarator" if self.language == Language::Cpp => {
                    let (Some(name), Some(list)) = (
                        declarator.child_by_field_name("declarator"),
                        declarator.child_by_field_name("parameters"),
                    ) else {
                        continue;
                    };
                    let values: Vec<_> = named(list)
                        .iter()
                        .map(|value| {
                            let name = self.text(*value).trim_start_matches(['*', '&']).to_owned();
                            self.expr(*value, ExprKind::Name(name))
                        })
                        .collect();
                    let value = self.expr(list, ExprKind::Other(values));
                    let target = self.target(name, out);
                    out.push(Step::Set { target, value, adds: false });
                }
                _ => {}
            }
        }
        // A type may be declared on the way, with methods inside.
        if let Some(declared) = node.child_by_field_name("type")
            && matches!(declared.kind(), "class_specifier" | "struct_specifier")
        {
            self.step(declared, out);
        }
    }

    /// The array that a declarator declares, if it has a size.
    fn buffer(&mut self, declarator: Node<'t>, out: &mut Vec<Step>) -> Option<Expr> {
        let size =
            (declarator.kind() == "array_declarator").then(|| declarator.child_by_field_name("size"))??;
        let size = self.expression(size, out);
        Some(self.expr(declarator, ExprKind::Buffer(Box::new(size))))
    }
}
