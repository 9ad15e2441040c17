//! Statements: assignments, branches, loops, what leaves.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, Scope, fields, is_comment, named};
use crate::language::Language;
use crate::steps::{Argument, Call, Case, Expr, ExprKind, Step};

impl<'t> Lowering<'_, 't> {
    /// Every child of a node, as a step.
    pub(super) fn children(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let mut marks = Vec::new();
        let mut cursor = node.walk();
        let children: Vec<_> = node.named_children(&mut cursor).filter(|child| !is_comment(*child)).collect();
        let mut is_shown = false;
        for child in children {
            match child.kind() {
                // Behind PHP's `<?=` stands what is put into the page.
                "expression_statement" if is_shown => {
                    is_shown = false;
                    self.echo(child, out);
                }
                "php_tag" | "text_interpolation" => is_shown = self.text(child).ends_with("<?="),
                // Rust's attributes and TypeScript's decorators stand before what they mark.
                "attribute_item" | "decorator" => marks.push(self.mark(child)),
                _ => {
                    let scope = !marks.is_empty();
                    if scope {
                        self.scopes.push(Scope { name: String::new(), marks: std::mem::take(&mut marks) });
                    }
                    self.step(child, out);
                    if scope {
                        self.scopes.pop();
                    }
                }
            }
        }
    }

    /// A node as a step, whatever it is.
    pub(super) fn step(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        if !self.statement(node, out) {
            let expr = self.expression(node, out);
            out.push(Step::Do(expr));
        }
    }

    /// Some nodes of a field as steps of their own.
    pub(super) fn block(&mut self, node: Option<Node<'t>>) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(node) = node {
            self.step(node, &mut steps);
        }
        steps
    }

    /// A statement; tells whether the node is one.
    pub(super) fn statement(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> bool {
        self.deeper(true, |it| it.statement_inside(node, out))
    }

    fn statement_inside(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> bool {
        match node.kind() {
            "block" if self.language == Language::Ruby => return false,
            "block"
            | "statement_block"
            | "compound_statement"
            | "body_statement"
            | "then"
            | "else"
            | "statement_list"
            | "program"
            | "module"
            | "source_file"
            | "translation_unit"
            | "class_body"
            | "declaration_list"
            | "field_declaration_list"
            | "namespace_declaration"
            | "linkage_specification"
            | "export_statement"
            | "ambient_declaration"
            | "ERROR"
            | "preproc_if"
            | "preproc_ifdef"
            | "preproc_else"
            | "preproc_elif"
            | "labeled_statement"
            | "constructor_body"
            | "enum_body"
            | "enum_body_declarations"
            | "interface_body"
            | "text_interpolation"
            | "else_clause"
            | "ensure"
            | "finally_clause"
            | "begin_block"
            | "end_block"
            | "declare_statement"
            | "template_declaration"
            | "lexical_declaration"
            | "variable_declaration"
            | "const_declaration"
            | "var_declaration"
            | "var_spec_list"
            | "type_declaration"
            | "global_declaration"
            | "friend_declaration"
            | "foreign_mod_item"
            | "with_clause"
            | "unsafe_block"
            | "async_block"
            | "synchronized_statement"
            | "go_statement"
            | "defer_statement"
            | "static_init_block"
            | "class_static_block"
            | "static_initializer"
            | "property_declaration"
            | "init_statement"
            | "colon_block"
            | "attribute_declaration"
            | "statement"
            | "match_block"
            | "switch_body"
            | "switch_block"
            | "begin"
            | "namespace_definition_body"
            | "enum_declaration" => {
                self.children(node, out);
            }
            "decorated_definition" => self.decorated(node, out),
            "class_definition"
            | "class_declaration"
            | "abstract_class_declaration"
            | "class"
            | "module_definition"
            | "interface_declaration"
            | "record_declaration"
            | "trait_declaration"
            | "trait_item"
            | "impl_item"
            | "mod_item"
            | "class_specifier"
            | "struct_specifier"
            | "singleton_class"
            | "namespace_definition"
            | "internal_module"
            | "class_expression" => self.class(node, out),
            "function_definition"
            | "function_declaration"
            | "generator_function_declaration"
            | "method_definition"
            | "method_declaration"
            | "constructor_declaration"
            | "method"
            | "singleton_method"
            | "function_item"
            | "compact_constructor_declaration" => self.function(node, out),
            "import_statement"
            | "import_from_statement"
            | "import_declaration"
            | "use_declaration"
            | "namespace_use_declaration" => self.import(node),
            "php_tag"
            | "text"
            | "preproc_include"
            | "preproc_def"
            | "preproc_function_def"
            | "package_clause"
            | "package_declaration"
            | "type_definition"
            | "type_alias_declaration"
            | "type_item"
            | "enum_item"
            | "struct_item"
            | "enum_specifier"
            | "empty_statement"
            | "pass_statement"
            | "global_statement"
            | "heredoc_body"
            | "comment"
            | "php_end_tag"
            | "function_signature"
            | "function_signature_item"
            | "modifiers"
            | "decorator"
            | "attribute_item"
            | "inner_attribute_item"
            | "type_parameters"
            | "alias"
            | "undef"
            | "using_declaration"
            | "access_specifier"
            | "preproc_call"
            | "superclass"
            | "type_spec"
            | "macro_definition"
            | "nonlocal_statement"
            | "import_prefix"
            | "throws" => {}
            "expression_statement" | "expression_list_statement" => {
                for child in named(node) {
                    self.step(child, out);
                }
            }
            "assignment"
            | "assignment_expression"
            | "named_expression"
            | "operator_assignment"
            | "augmented_assignment"
            | "augmented_assignment_expression"
            | "compound_assignment_expr"
            | "short_var_declaration"
            | "assignment_statement"
            | "reference_assignment_expression"
            | "variable_declarator"
            | "let_declaration"
            | "const_item"
            | "static_item"
            | "field_definition"
            | "public_field_definition"
            | "const_spec"
            | "var_spec"
            | "let_condition"
            | "const_element"
            | "property_element"
            | "static_variable_declaration"
            | "receive_statement" => {
                self.assignment(node, out);
            }
            "local_variable_declaration" | "field_declaration" | "declaration" => self.declaration(node, out),
            "return_statement" | "return_expression" | "return" => {
                let value = self.only_value(node, out);
                out.push(Step::Return(value));
            }
            "throw_statement"
            | "raise_statement"
            | "break_statement"
            | "continue_statement"
            | "goto_statement"
            | "break_expression"
            | "continue_expression"
            | "next"
            | "redo"
            | "retry"
            | "exit_statement"
            | "throw_expression"
            | "fallthrough_statement" => {
                let value = self.only_value(node, out);
                out.push(Step::Leave(value));
            }
            "break" if self.language == Language::Ruby => out.push(Step::Leave(None)),
            "echo_statement" => self.echo(node, out),
            "if_statement" | "if_expression" | "elif_clause" | "else_if_clause" | "if" | "unless"
            | "elsif" | "if_modifier" | "unless_modifier" => self.branch(node, out),
            "for_statement"
            | "for_in_statement"
            | "enhanced_for_statement"
            | "foreach_statement"
            | "for_range_loop"
            | "for_expression"
            | "for"
            | "while_statement"
            | "while_expression"
            | "while"
            | "until"
            | "do_statement"
            | "loop_expression"
            | "while_modifier"
            | "until_modifier"
            | "c_style_for_statement" => self.repetition(node, out),
            "switch_statement"
            | "switch_expression"
            | "expression_switch_statement"
            | "type_switch_statement"
            | "select_statement"
            | "match_statement"
            | "match_expression"
            | "case"
            | "case_match" => {
                self.cases(node, out);
            }
            "try_statement" | "try_with_resources_statement" => self.attempt(node, out),
            "except_clause" | "catch_clause" | "rescue" | "except_group_clause" | "catch_declaration" => {
                let steps = self.last_block(node);
                out.push(Step::Arms(vec![steps]));
            }
            "with_statement" => {
                for child in named(node) {
                    self.step(child, out);
                }
            }
            "with_item" => match node.child_by_field_name("value") {
                Some(value) => self.step(value, out),
                None => self.children(node, out),
            },
            "as_pattern" => {
                let parts = named(node);
                if let (Some(value), Some(alias)) = (parts.first(), node.child_by_field_name("alias")) {
                    let value = self.expression(*value, out);
                    let target = self.target(alias, out);
                    out.push(Step::Set { target, value, adds: false });
                }
            }
            "resource_specification" | "resource" if self.language == Language::Java => {
                if node.kind() == "resource" {
                    self.assignment(node, out);
                } else {
                    self.children(node, out);
                }
            }
            "delete_statement" | "assert_statement" => {
                let value = self.only_value(node, out);
                out.extend(value.map(Step::Do));
            }
            _ => return false,
        }
        true
    }

    /// Puts something into the page, as a call.
    fn echo(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let values: Vec<_> = named(node).iter().map(|child| self.expression(*child, out)).collect();
        let callee = self.expr(node, ExprKind::Name("echo".to_owned()));
        let arguments = values.into_iter().map(|value| Argument { name: None, value }).collect();
        let call = Call { callee, arguments, creates: false };
        let call = self.expr(node, ExprKind::Call(Box::new(call)));
        out.push(Step::Do(call));
    }

    fn only_value(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Option<Expr> {
        let mut children = named(node);
        // Ruby's `return` and `next` have arguments as a call has.
        if let [only] = children.as_slice()
            && only.kind() == "argument_list"
        {
            children = named(*only);
        }
        let values: Vec<_> = children.iter().map(|child| self.expression(*child, out)).collect();
        match values.len() {
            0 => None,
            1 => values.into_iter().next(),
            _ => Some(self.expr(node, ExprKind::List(values))),
        }
    }

    fn decorated(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let marks = named(node)
            .iter()
            .filter(|child| child.kind() == "decorator")
            .map(|child| self.mark(*child))
            .collect();
        self.scopes.push(Scope { name: String::new(), marks });
        if let Some(definition) = node.child_by_field_name("definition") {
            self.step(definition, out);
        }
        self.scopes.pop();
    }

    fn class(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let name =
            self.field_text(node, "name").or_else(|| self.field_text(node, "type")).unwrap_or_default();
        let marks = self.own_marks(node);
        self.scopes.push(Scope { name: name.to_owned(), marks });
        // Without a body a type is only mentioned.
        if let Some(body) = node.child_by_field_name("body") {
            self.children(body, out);
        }
        self.scopes.pop();
    }

    fn branch(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        if let Some(before) = node.child_by_field_name("initializer") {
            self.step(before, out);
        }
        let condition = match node.child_by_field_name("condition") {
            Some(condition) => self.expression(condition, out),
            None => self.expr(node, ExprKind::Other(Vec::new())),
        };
        let body = ["consequence", "body"].iter().find_map(|field| node.child_by_field_name(field));
        let then = self.block(body);
        let otherwise = self.alternatives(&fields(node, "alternative"));
        let is_negated = matches!(node.kind(), "unless" | "unless_modifier");
        let (then, otherwise) = if is_negated { (otherwise, then) } else { (then, otherwise) };
        out.push(Step::If { condition, then, otherwise });
    }

    /// The rest of a chain of branches, which some languages nest and others list.
    fn alternatives(&mut self, rest: &[Node<'t>]) -> Vec<Step> {
        let Some((first, rest)) = rest.split_first() else { return Vec::new() };
        let mut steps = self.block(Some(*first));
        if let Some(Step::If { otherwise, .. }) = steps.last_mut()
            && otherwise.is_empty()
            && !rest.is_empty()
        {
            *otherwise = self.deeper(Vec::new(), |it| it.alternatives(rest));
        }
        steps
    }

    fn repetition(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        let range =
            named(node).into_iter().find(|child| matches!(child.kind(), "range_clause" | "for_clause"));
        let head = range.unwrap_or(node);
        if let Some(before) =
            head.child_by_field_name("initializer").or_else(|| head.child_by_field_name("init"))
        {
            self.step(before, out);
        }
        let target =
            ["left", "pattern", "declarator"].iter().find_map(|field| head.child_by_field_name(field));
        let values = head.child_by_field_name("right").or_else(|| head.child_by_field_name("value"));
        match node.kind() {
            "foreach_statement" => {
                let parts = named(node);
                self.each(node, parts.get(1).copied(), parts.first().copied(), out);
            }
            "enhanced_for_statement" => self.each(node, node.child_by_field_name("name"), values, out),
            _ if target.is_some() => self.each(head, target, values, out),
            _ => {
                if let Some(condition) = head.child_by_field_name("condition") {
                    let condition = self.expression(condition, out);
                    out.push(Step::Do(condition));
                }
            }
        }
        let body = self.block(node.child_by_field_name("body"));
        let otherwise = self.block(node.child_by_field_name("alternative"));
        out.push(Step::Arms(vec![body, otherwise]));
    }

    /// Gives each name of a loop an element of what it loops over.
    pub(super) fn each(
        &mut self,
        node: Node<'t>,
        target: Option<Node<'t>>,
        values: Option<Node<'t>>,
        out: &mut Vec<Step>,
    ) {
        let (Some(target), Some(values)) = (target, values) else { return };
        let values = self.expression(values, out);
        let target = match target.kind() {
            "pair" => {
                let names = named(target).iter().map(|name| self.expression(*name, out)).collect();
                self.expr(target, ExprKind::List(names))
            }
            _ => self.target(target, out),
        };
        let index = self.expr(node, ExprKind::Other(Vec::new()));
        let element = ExprKind::Index(Box::new(values), Box::new(index));
        let value = self.expr(node, element);
        out.push(Step::Set { target, value, adds: false });
    }

    fn cases(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        if let Some(before) = node.child_by_field_name("initializer") {
            self.step(before, out);
        }
        let subject =
            ["condition", "value", "subject"].iter().find_map(|field| node.child_by_field_name(field));
        let subject = match subject {
            Some(subject) => self.expression(subject, out),
            None => self.expr(node, ExprKind::Other(Vec::new())),
        };
        let body = node.child_by_field_name("body").unwrap_or(node);
        let mut cases = Vec::new();
        for case in named(body) {
            let (mut steps, mut labels) = (Vec::new(), Vec::new());
            match case.kind() {
                "match_arm" => {
                    if let Some(value) = case.child_by_field_name("value") {
                        self.step(value, &mut steps);
                    }
                }
                "switch_case"
                | "switch_default"
                | "case_statement"
                | "default_statement"
                | "expression_case"
                | "default_case"
                | "type_case"
                | "communication_case"
                | "case_clause"
                | "when"
                | "in_clause"
                | "switch_block_statement_group"
                | "switch_rule"
                | "else" => {
                    for child in named(case) {
                        let is_label = matches!(child.kind(), "switch_label" | "pattern" | "case_pattern")
                            || case
                                .child_by_field_name("value")
                                .is_some_and(|value| value.id() == child.id());
                        if is_label {
                            labels.extend(self.label(child, out));
                        } else {
                            self.step(child, &mut steps);
                        }
                    }
                }
                _ => continue,
            }
            cases.push(Case { labels, body: steps });
        }
        out.push(Step::Switch { subject, cases });
    }

    /// What a case asks for; nothing for `default`, which is a label as well.
    fn label(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Option<Expr> {
        match node.kind() {
            "switch_label" | "pattern" | "case_pattern" => {
                (!named(node).is_empty()).then(|| self.wrapped(node, out))
            }
            _ => Some(self.expression(node, out)),
        }
    }

    fn attempt(&mut self, node: Node<'t>, out: &mut Vec<Step>) {
        for child in named(node) {
            self.step(child, out);
        }
    }

    /// The block of a handler.
    fn last_block(&mut self, node: Node<'t>) -> Vec<Step> {
        let body = node.child_by_field_name("body").or_else(|| {
            named(node)
                .into_iter()
                .rfind(|child| matches!(child.kind(), "block" | "then" | "compound_statement"))
        });
        self.block(body)
    }
}
