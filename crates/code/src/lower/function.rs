//! Functions, their parameters and what marks them.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, Scope, fields, lines, named};
use crate::language::Language;
use crate::steps::{Expr, ExprKind, Function, Parameter, Step};

/// The longest decorator or type that is kept, in bytes.
const MAX_MARK_BYTES: usize = 160;

impl<'t> Lowering<'_, 't> {
    pub(super) fn function(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let declarator = self.function_declarator(node);
        let name = match declarator {
            Some(declarator) => declarator.child_by_field_name("declarator").map(|name| self.text(name)),
            None => self.field_text(node, "name").or_else(|| {
                self.field_text(node, "declarator").map(|name| name.trim_matches(['(', ')', ' ']))
            }),
        };
        let name = name.map(|name| cut(name.rsplit("::").next().unwrap_or(name)).to_owned());
        let list = declarator.unwrap_or(node).child_by_field_name("parameters");
        let mut parameters = self.parameters(list);
        if let Some(receiver) = node.child_by_field_name("receiver") {
            // Go's receiver is what other languages call `self`.
            parameters.retain(|parameter| {
                !named(receiver).iter().any(|it| self.text(*it).starts_with(&format!("{} ", parameter.name)))
            });
        }
        let marks = self.own_marks(node);
        let function = self.define(node, name, parameters, marks);
        out.push(Step::Define(function));
    }

    /// C and C++ bury the parameters in the declarator.
    fn function_declarator(&self, node: Node<'t>) -> Option<Node<'t>> {
        let mut next = node.child_by_field_name("declarator")?;
        while next.kind() != "function_declarator" {
            next = next.child_by_field_name("declarator").or_else(|| {
                (next.kind() == "reference_declarator").then(|| named(next).first().copied()).flatten()
            })?;
        }
        Some(next)
    }

    pub(super) fn closure(&mut self, node: Node<'t>, _out: &mut [Step]) -> Expr {
        let list = ["parameters", "parameter"].iter().find_map(|field| node.child_by_field_name(field));
        let list = list.or_else(|| {
            let declarator = node.child_by_field_name("declarator")?;
            declarator.child_by_field_name("parameters")
        });
        let parameters = self.parameters(list);
        let function = self.define(node, None, parameters, Vec::new());
        self.expr(node, ExprKind::Function(Box::new(function)))
    }

    fn define(
        &mut self,
        node: Node<'t>,
        name: Option<String>,
        parameters: Vec<Parameter>,
        mut marks: Vec<String>,
    ) -> Function {
        marks.extend(self.scopes.iter().flat_map(|scope| scope.marks.iter().cloned()));
        let owner = self.scopes.iter().rfind(|scope| !scope.name.is_empty()).map(|scope| scope.name.clone());
        // What stands inside is not marked by what marks this.
        let scope = Scope { name: owner.clone().unwrap_or_default(), marks: Vec::new() };
        let scopes = std::mem::replace(&mut self.scopes, vec![scope]);
        let mut body = Vec::new();
        let mut returns_last = matches!(self.language, Language::Ruby | Language::Rust);
        if let Some(block) = node.child_by_field_name("body") {
            let is_block = matches!(
                block.kind(),
                "block"
                    | "statement_block"
                    | "compound_statement"
                    | "body_statement"
                    | "constructor_body"
                    | "block_body"
            );
            if is_block && !(block.kind() == "block" && self.language == Language::Ruby) {
                self.children(block, &mut body);
            } else {
                let value = self.expression(block, &mut body);
                body.push(Step::Do(value));
                returns_last = true;
            }
        } else if let Some(block) = named(node).into_iter().find(|child| child.kind() == "try_statement") {
            // A function of C++ may be one `try`.
            self.step(block, &mut body);
        }
        self.scopes = scopes;
        Function {
            name,
            owner,
            parameters,
            marks,
            lines: lines(node),
            bytes: (super::narrow(node.start_byte()), super::narrow(node.end_byte())),
            body,
            returns_last,
        }
    }

    /// A decorator, an annotation or an attribute, as it is written.
    pub(super) fn mark(&self, node: Node<'t>) -> String {
        let text = self.text(node).trim();
        let text = text.trim_start_matches(['@', '#', '[']).trim_end_matches(']');
        cut(text).to_owned()
    }

    /// The annotations that a node has inside itself.
    pub(super) fn own_marks(&self, node: Node<'t>) -> Vec<String> {
        named(node)
            .iter()
            .filter(|child| matches!(child.kind(), "modifiers" | "attribute_list" | "decorator"))
            .flat_map(|child| if child.kind() == "decorator" { vec![*child] } else { named(*child) })
            .map(|mark| self.mark(mark))
            .collect()
    }

    fn parameters(&self, list: Option<Node<'t>>) -> Vec<Parameter> {
        let Some(list) = list else { return Vec::new() };
        if matches!(list.kind(), "identifier" | "variable_name") {
            return vec![self.parameter(list, list, None, Vec::new())];
        }
        let mut parameters = Vec::new();
        for child in named(list) {
            let type_node = child.child_by_field_name("type");
            // The type of C's parameters is spread over siblings; what matters is whether it is a number.
            let type_name =
                type_node.map(|node| cut(self.text(node).trim_start_matches([':', ' '])).to_owned());
            let marks = self.own_marks(child);
            for (name, at) in self.pattern_names(child) {
                parameters
                    .push(Parameter { name, ..self.parameter(at, child, type_name.clone(), marks.clone()) });
            }
        }
        parameters
    }

    fn parameter(
        &self,
        name: Node<'t>,
        whole: Node<'t>,
        type_name: Option<String>,
        marks: Vec<String>,
    ) -> Parameter {
        Parameter { name: self.text(name).to_owned(), type_name, marks, line: lines(whole).0 }
    }

    /// The names that a parameter or a pattern introduces: no types, defaults or keys.
    pub(super) fn pattern_names(&self, node: Node<'t>) -> Vec<(String, Node<'t>)> {
        let mut found = Vec::new();
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            match node.kind() {
                "identifier"
                | "variable_name"
                | "shorthand_property_identifier_pattern"
                | "field_identifier"
                | "shorthand_field_identifier"
                | "instance_variable" => {
                    found.push((self.text(node).to_owned(), node));
                }
                "self_parameter" | "self" | "this" => {}
                _ => {
                    let skipped: Vec<_> =
                        ["type", "value", "default_value", "key", "size", "decorator", "right", "field"]
                            .iter()
                            .flat_map(|field| fields(node, field))
                            .map(|child| child.id())
                            .collect();
                    // A key of a pattern stands for its name where nothing else does; a pair's name is its value.
                    let mut children = named(node);
                    match node.kind() {
                        "pair_pattern" => children.drain(..children.len().saturating_sub(1)).for_each(drop),
                        "field_pattern" if children.len() == 1 => {}
                        _ => children.retain(|child| !skipped.contains(&child.id())),
                    }
                    children.retain(|child| {
                        !matches!(
                            child.kind(),
                            "modifiers" | "attribute_list" | "type_identifier" | "generic_type"
                        )
                    });
                    pending.extend(children.into_iter().rev());
                }
            }
            if found.len() > 50 {
                break;
            }
        }
        found
    }
}

/// A text up to a length that a finding can hold.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MARK_BYTES.min(text.len()))]
}
