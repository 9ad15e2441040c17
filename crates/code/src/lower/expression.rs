//! Expressions: names, calls, strings that are built, collections.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, fields, named};
use crate::language::Language;
use crate::steps::{Argument, Call, Expr, ExprKind, Step};
use crate::types::is_number_type;

impl<'t> Lowering<'_, 't> {
    /// Tells what an expression is. What it does on the way (assignments inside it) goes to `out`.
    pub(super) fn expression(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let otherwise = self.expr(node, ExprKind::Other(Vec::new()));
        self.deeper(otherwise, |it| it.expression_inside(node, out))
    }

    fn expression_inside(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let kind = node.kind();
        match kind {
            "identifier"
            | "field_identifier"
            | "property_identifier"
            | "private_property_identifier"
            | "shorthand_property_identifier"
            | "type_identifier"
            | "namespace_identifier"
            | "package_identifier"
            | "primitive_type"
            | "constant"
            | "instance_variable"
            | "class_variable"
            | "global_variable"
            | "variable_name"
            | "name"
            | "qualified_name"
            | "relative_scope"
            | "self"
            | "this"
            | "super"
            | "crate"
            | "generic_type"
            | "scoped_type_identifier"
            | "qualified_type"
            | "named_type" => self.name(node),
            "heredoc_beginning" => match self.heredocs.get(self.heredocs_used).copied() {
                Some(body) => {
                    self.heredocs_used += 1;
                    self.string(body, out)
                }
                None => self.expr(node, ExprKind::Text(String::new())),
            },
            "string"
            | "string_literal"
            | "raw_string_literal"
            | "interpreted_string_literal"
            | "template_string"
            | "chained_string"
            | "concatenated_string"
            | "encapsed_string"
            | "heredoc"
            | "nowdoc" => self.string(node, out),
            "subshell" | "shell_command_expression" => {
                let command = self.string(node, out);
                self.named_call(node, "`", vec![command])
            }
            "integer"
            | "float"
            | "number"
            | "number_literal"
            | "int_literal"
            | "float_literal"
            | "integer_literal"
            | "decimal_integer_literal"
            | "hex_integer_literal"
            | "decimal_floating_point_literal"
            | "boolean_literal"
            | "boolean"
            | "true"
            | "false"
            | "none"
            | "nil"
            | "null"
            | "null_literal"
            | "undefined"
            | "char_literal"
            | "character_literal"
            | "rune_literal"
            | "regex"
            | "simple_symbol"
            | "hash_key_symbol"
            | "sizeof_expression"
            | "unit_expression"
            | "class_literal"
            | "imaginary_literal"
            | "octal_integer_literal"
            | "binary_integer_literal"
            | "user_defined_literal"
            | "string_array"
            | "symbol_array" => self.expr(node, ExprKind::Constant(self.text(node).to_owned())),
            // What changes a value's type, ownership or moment, but not the value.
            "parenthesized_expression"
            | "await_expression"
            | "await"
            | "try_expression"
            | "reference_expression"
            | "pointer_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "type_assertion_expression"
            | "spread_element"
            | "list_splat"
            | "dictionary_splat"
            | "splat_argument"
            | "hash_splat_argument"
            | "block_argument"
            | "variadic_unpacking"
            | "error_suppression_expression"
            | "literal_element"
            | "argument"
            | "parenthesized_statements"
            | "jsx_expression"
            | "dereference_expression"
            | "clone_expression"
            | "subscript_argument_list"
            | "condition_clause"
            | "type_assertion"
            | "const_block"
            | "by_ref"
            | "expression_statement"
            | "variadic_argument"
            | "yield"
            | "expression" => self.wrapped(node, out),
            "cast_expression" | "type_cast_expression" | "type_conversion_expression" => self.cast(node, out),
            "unary_expression"
            | "unary"
            | "unary_operator"
            | "not_operator"
            | "update_expression"
            | "unary_op_expression" => self.unary(node, out),
            "binary_operator" | "binary_expression" | "binary" | "boolean_operator" => self.binary(node, out),
            "comparison_operator" | "instanceof_expression" | "range_expression" | "range" => {
                let operator = fields(node, "operators");
                let operator =
                    operator.first().map_or_else(|| self.operator(node), |one| self.text(*one).into());
                let operands = self.all(&named(node), out);
                self.expr(node, ExprKind::Operator(operator, operands))
            }
            "conditional_expression" | "ternary_expression" | "conditional" => self.conditional(node, out),
            "attribute"
            | "member_expression"
            | "field_access"
            | "selector_expression"
            | "field_expression"
            | "member_access_expression"
            | "nullsafe_member_access_expression"
            | "scope_resolution"
            | "scoped_identifier"
            | "qualified_identifier"
            | "class_constant_access_expression"
            | "scoped_property_access_expression"
            | "method_reference" => self.member(node, out),
            "subscript"
            | "subscript_expression"
            | "array_access"
            | "index_expression"
            | "slice_expression"
            | "element_reference" => self.index(node, out),
            "call"
            | "call_expression"
            | "method_invocation"
            | "object_creation_expression"
            | "new_expression"
            | "function_call_expression"
            | "member_call_expression"
            | "nullsafe_member_call_expression"
            | "scoped_call_expression"
            | "explicit_constructor_invocation"
            | "macro_invocation" => self.call(node, out),
            "print_intrinsic"
            | "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression" => {
                let name = kind.split('_').next().unwrap_or(kind);
                let arguments = self.all(&named(node), out);
                self.named_call(node, name, arguments)
            }
            "generic_function" | "template_function" | "template_method" => {
                match node.child_by_field_name("function").or_else(|| node.child_by_field_name("name")) {
                    Some(function) => self.expression(function, out),
                    None => self.name(node),
                }
            }
            "list"
            | "tuple"
            | "set"
            | "array"
            | "array_expression"
            | "expression_list"
            | "array_initializer"
            | "initializer_list"
            | "tuple_expression"
            | "sequence_expression"
            | "right_assignment_list"
            | "left_assignment_list"
            | "pattern_list"
            | "tuple_pattern"
            | "list_pattern"
            | "array_pattern"
            | "comma_expression"
            | "list_literal" => {
                let items = self.all(&named(node), out);
                self.list(node, items)
            }
            "array_creation_expression" => self.array_creation(node, out),
            "list_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "dictionary_comprehension" => self.comprehension(node, out),
            "dictionary"
            | "object"
            | "hash"
            | "literal_value"
            | "field_initializer_list"
            | "object_pattern" => self.record(node, out),
            "composite_literal" | "struct_expression" | "compound_literal_expression" => {
                match node.child_by_field_name("body").or_else(|| node.child_by_field_name("value")) {
                    Some(body) => self.expression(body, out),
                    None => self.wrapped(node, out),
                }
            }
            "jsx_attribute" => {
                let children = named(node);
                let (Some(name), value) = (children.first(), children.get(1)) else {
                    return self.expr(node, ExprKind::Other(Vec::new()));
                };
                let name = self.text(*name).to_owned();
                let value = match value {
                    Some(value) => self.expression(*value, out),
                    None => self.expr(node, ExprKind::Constant("true".to_owned())),
                };
                self.expr(node, ExprKind::Record(vec![(name, value)]))
            }
            "lambda"
            | "arrow_function"
            | "function_expression"
            | "function"
            | "generator_function"
            | "lambda_expression"
            | "func_literal"
            | "anonymous_function"
            | "anonymous_function_creation_expression"
            | "closure_expression"
            | "block_argument_lambda"
            | "do_block" => self.closure(node, out),
            "block" if self.language == Language::Ruby => self.closure(node, out),
            // Blocks that are worth what their last line is worth.
            "block" | "if_expression" | "match_expression" | "unsafe_block" | "async_block" | "if"
            | "unless" | "case" | "begin" | "if_modifier" | "unless_modifier" | "case_match"
            | "loop_expression" | "switch_expression"
                if self.is_worth_its_last_step() =>
            {
                self.block_value(node, out)
            }
            "assignment"
            | "assignment_expression"
            | "named_expression"
            | "operator_assignment"
            | "augmented_assignment"
            | "augmented_assignment_expression"
            | "compound_assignment_expr"
            | "reference_assignment_expression" => {
                let before = out.len();
                self.statement(node, out);
                match out[before..].last() {
                    Some(Step::Set { target, .. }) => target.clone(),
                    Some(
                        Step::Do(_)
                        | Step::Return(_)
                        | Step::Leave(_)
                        | Step::If { .. }
                        | Step::Arms(_)
                        | Step::Switch { .. }
                        | Step::Define(_),
                    )
                    | None => self.expr(node, ExprKind::Other(Vec::new())),
                }
            }
            _ => {
                if self.statement(node, out) {
                    return self.expr(node, ExprKind::Other(Vec::new()));
                }
                let parts = self.all(&named(node), out);
                self.expr(node, ExprKind::Other(parts))
            }
        }
    }

    fn is_worth_its_last_step(&self) -> bool {
        matches!(self.language, Language::Ruby | Language::Rust)
    }

    pub(super) fn all(&mut self, nodes: &[Node<'t>], out: &mut Vec<Step>) -> Vec<Expr> {
        nodes.iter().map(|node| self.expression(*node, out)).collect()
    }

    pub(super) fn name(&self, node: Node<'t>) -> Expr {
        let name = self.text(node).trim_start_matches('\\').replace('\\', ".");
        // Type arguments say nothing about where a value is from.
        let end = name.find('<').unwrap_or(name.len());
        self.expr(node, ExprKind::Name(name[..end].to_owned()))
    }

    pub(super) fn wrapped(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let mut inner = named(node);
        // A type stands behind or before the value.
        if matches!(node.kind(), "as_expression" | "satisfies_expression") {
            inner.truncate(1);
        } else if node.kind() == "type_assertion" {
            inner.drain(..inner.len().saturating_sub(1));
        }
        if let Some(value) =
            ["operand", "value", "argument"].iter().find_map(|name| node.child_by_field_name(name))
        {
            inner = vec![value];
        }
        // A named argument of PHP has its name as a field.
        if let Some(name) = node.child_by_field_name("name") {
            inner.retain(|child| child.id() != name.id());
        }
        match inner.as_slice() {
            [only] => self.expression(*only, out),
            [] => self.expr(node, ExprKind::Other(Vec::new())),
            [..] => {
                let parts = self.all(&inner, out);
                self.expr(node, ExprKind::Other(parts))
            }
        }
    }

    /// A cast to a number gives a number.
    fn cast(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let value = node.child_by_field_name("value").or_else(|| node.child_by_field_name("operand"));
        let value = match value.or_else(|| named(node).last().copied()) {
            Some(value) => self.expression(value, out),
            None => return self.expr(node, ExprKind::Other(Vec::new())),
        };
        match self.field_text(node, "type").map(is_number_type) {
            Some(true) => self.expr(node, ExprKind::Operator("cast".to_owned(), vec![value])),
            Some(false) | None => value,
        }
    }

    fn unary(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let operator = self.operator(node);
        let operands = self.all(&named(node), out);
        match (operator.as_str(), operands) {
            // Taking an address and following it leave the value what it is.
            ("&" | "*" | "<-", mut operands) if operands.len() == 1 => operands.remove(0),
            (_, operands) => self.expr(node, ExprKind::Operator(operator, operands)),
        }
    }

    /// The operator of a node: the first child that is no expression.
    fn operator(&self, node: Node<'t>) -> String {
        if let Some(operator) = self.field_text(node, "operator") {
            return operator.to_owned();
        }
        let mut cursor = node.walk();
        let sign = node.children(&mut cursor).find(|child| !child.is_named());
        sign.map(|sign| self.text(sign).to_owned()).unwrap_or_default()
    }

    /// Walks down the left side without recursion: a sum may be as long as its author likes.
    fn binary(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let operator = self.operator(node);
        let mut operands = Vec::new();
        let mut next = node;
        loop {
            let left = next.child_by_field_name("left").or_else(|| named(next).first().copied());
            let right = next.child_by_field_name("right").or_else(|| named(next).last().copied());
            let (Some(left), Some(right)) = (left, right) else { break };
            operands.push(right);
            if left.kind() == next.kind() && self.operator(left) == operator {
                next = left;
            } else {
                operands.push(left);
                break;
            }
        }
        operands.reverse();
        let operands = self.all(&operands, out);
        let is_php = self.language == Language::Php;
        let kind = match operator.as_str() {
            "+" if !is_php => ExprKind::Join(operands),
            "." if is_php => ExprKind::Join(operands),
            "||" | "??" | "or" | "?:" => ExprKind::Either(operands),
            _ => ExprKind::Operator(operator, operands),
        };
        self.expr(node, kind)
    }

    fn conditional(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let parts = named(node);
        let condition = node.child_by_field_name("condition");
        let condition = condition.or_else(|| {
            // Python puts the condition between the values.
            parts.get(1).copied().filter(|_| parts.len() == 3)
        });
        let Some(condition) = condition else { return self.wrapped(node, out) };
        let values: Vec<_> = parts.iter().copied().filter(|part| part.id() != condition.id()).collect();
        let tested = self.expression(condition, out);
        let values = self.all(&values, out);
        match values.as_slice() {
            // `a ?: b` is worth what it tests.
            [_] => {
                let either = values.into_iter().chain([tested]).collect();
                self.expr(node, ExprKind::Either(either))
            }
            [..] => {
                let tested = Expr {
                    kind: ExprKind::Operator("?".to_owned(), vec![tested]),
                    ..self.expr(condition, ExprKind::Other(Vec::new()))
                };
                let either = values.into_iter().chain([tested]).collect();
                self.expr(node, ExprKind::Either(either))
            }
        }
    }

    fn member(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let children = named(node);
        let object = ["object", "operand", "value", "argument", "path", "scope"]
            .iter()
            .find_map(|field| node.child_by_field_name(field))
            .or_else(|| children.first().copied());
        let name = ["attribute", "property", "field", "name"]
            .iter()
            .find_map(|field| node.child_by_field_name(field))
            .or_else(|| children.last().copied());
        let (Some(object), Some(name)) = (object, name) else { return self.name(node) };
        if object.id() == name.id() {
            return self.name(name);
        }
        let object = self.expression(object, out);
        match name.kind() {
            // `a::b::c` hangs to the right in C++.
            "qualified_identifier" => {
                let inner = self.expression(name, out);
                let parts = inner.path().unwrap_or_default();
                self.expr(node, ExprKind::Member(Box::new(object), parts))
            }
            "template_function" | "template_method" | "template_type" => {
                let inner = self.field_text(name, "name").unwrap_or_default();
                self.expr(node, ExprKind::Member(Box::new(object), inner.to_owned()))
            }
            _ => self.expr(node, ExprKind::Member(Box::new(object), self.text(name).to_owned())),
        }
    }

    fn index(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let children = named(node);
        let Some(object) = children.first() else { return self.expr(node, ExprKind::Other(Vec::new())) };
        let object = self.expression(*object, out);
        // A slice is a piece of the whole, and worth the same.
        if node.kind() == "slice_expression" {
            return object;
        }
        let index = match children.get(1) {
            Some(slice) if slice.kind() == "slice" || slice.kind() == "range_expression" => return object,
            Some(index) => self.expression(*index, out),
            None => self.expr(node, ExprKind::Other(Vec::new())),
        };
        self.expr(node, ExprKind::Index(Box::new(object), Box::new(index)))
    }

    pub(super) fn named_call(&self, node: Node<'t>, name: &str, arguments: Vec<Expr>) -> Expr {
        let callee = self.expr(node, ExprKind::Name(name.to_owned()));
        let arguments = arguments.into_iter().map(|value| Argument { name: None, value }).collect();
        self.expr(node, ExprKind::Call(Box::new(Call { callee, arguments, creates: false })))
    }

    fn call(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let creates = matches!(node.kind(), "object_creation_expression" | "new_expression");
        if node.kind() == "macro_invocation" {
            return self.macro_call(node, out);
        }
        let callee =
            match node.child_by_field_name("function").or_else(|| node.child_by_field_name("constructor")) {
                Some(function) => self.expression(function, out),
                None => self.method(node, out),
            };
        let mut arguments = Vec::new();
        let list = node.child_by_field_name("arguments").or_else(|| {
            named(node).into_iter().find(|child| matches!(child.kind(), "arguments" | "argument_list"))
        });
        match list {
            Some(only) if only.kind() == "generator_expression" => {
                arguments.push(Argument { name: None, value: self.expression(only, out) });
            }
            // The tag of a template gets its pieces one by one, and may do what it likes with them.
            Some(template) if template.kind() == "template_string" => {
                let whole = self.string(template, out);
                let pieces = if let ExprKind::Join(pieces) = whole.kind { pieces } else { vec![whole] };
                let value = self.list(template, pieces);
                arguments.push(Argument { name: None, value });
            }
            Some(list) => {
                for argument in named(list) {
                    let argument = self.argument(argument, out);
                    arguments.push(argument);
                }
            }
            None => {}
        }
        // Ruby's block and Java's anonymous class come behind the arguments.
        for field in [node.child_by_field_name("block"), class_body(node)].into_iter().flatten() {
            if field.kind() == "class_body" {
                self.children(field, out);
            } else {
                arguments.push(Argument { name: None, value: self.expression(field, out) });
            }
        }
        self.expr(node, ExprKind::Call(Box::new(Call { callee, arguments, creates })))
    }

    /// What is called where receiver and method are fields of the call.
    fn method(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let receiver =
            ["object", "receiver", "scope"].iter().find_map(|field| node.child_by_field_name(field));
        let name = ["name", "method", "type"].iter().find_map(|field| node.child_by_field_name(field));
        let name = name.or_else(|| named(node).into_iter().find(|child| child.kind() != "arguments"));
        match (receiver, name) {
            (Some(receiver), Some(name)) => {
                let object = self.expression(receiver, out);
                let bytes = (object.bytes.0, super::narrow(name.end_byte()));
                let lines = (object.lines.0, super::lines(name).1);
                Expr { kind: ExprKind::Member(Box::new(object), self.text(name).to_owned()), lines, bytes }
            }
            (None, Some(name)) => self.expression(name, out),
            (Some(receiver), None) => self.expression(receiver, out),
            (None, None) => self.expr(node, ExprKind::Other(Vec::new())),
        }
    }

    pub(super) fn argument(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Argument {
        match node.kind() {
            "keyword_argument" => {
                let value = match node.child_by_field_name("value") {
                    Some(value) => self.expression(value, out),
                    None => self.expr(node, ExprKind::Other(Vec::new())),
                };
                Argument { name: self.field_text(node, "name").map(str::to_owned), value }
            }
            "pair" => {
                let key = node.child_by_field_name("key").map(|key| self.key(key));
                let value = match node.child_by_field_name("value") {
                    Some(value) => self.expression(value, out),
                    // `verify:` alone is short for `verify: verify`.
                    None => self.expr(node, ExprKind::Name(key.clone().unwrap_or_default())),
                };
                Argument { name: key, value }
            }
            "argument" => {
                let name = self.field_text(node, "name").map(str::to_owned);
                Argument { name, value: self.wrapped(node, out) }
            }
            // Ruby hands a block through under this sign.
            "block_argument" => Argument { name: Some("&".to_owned()), value: self.wrapped(node, out) },
            _ => Argument { name: None, value: self.expression(node, out) },
        }
    }
}

fn class_body(node: Node<'_>) -> Option<Node<'_>> {
    (node.kind() == "object_creation_expression")
        .then(|| named(node).into_iter().find(|child| child.kind() == "class_body"))
        .flatten()
}
