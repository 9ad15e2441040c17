//! Rust's macros, from their tokens.

use big_code_analysis::tree_sitter::Node;

use super::{Lowering, named};
use crate::steps::{Argument, Call, Expr, ExprKind, Step};

impl<'t> Lowering<'_, 't> {
    /// Rust's macros take tokens: they are cut at the commas, and each piece is what its tokens look like.
    pub(super) fn macro_call(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let name = format!("{}!", self.field_text(node, "macro").unwrap_or_default());
        let tokens = named(node).into_iter().find(|child| child.kind() == "token_tree");
        let mut arguments = Vec::new();
        let mut piece = Vec::new();
        let mut cursor = node.walk();
        let children: Vec<_> = match tokens {
            Some(tokens) => tokens.children(&mut cursor).collect(),
            None => Vec::new(),
        };
        for child in children.iter().skip(1).take(children.len().saturating_sub(2)) {
            if !child.is_named() && self.text(*child) == "," {
                arguments.extend(self.tokens(&piece, out));
                piece.clear();
            } else {
                piece.push(*child);
            }
        }
        arguments.extend(self.tokens(&piece, out));
        let callee = self.expr(node, ExprKind::Name(name));
        self.expr(node, ExprKind::Call(Box::new(Call { callee, arguments, creates: false })))
    }

    /// An argument of a macro from its tokens: a string, a path of names, or something made of them.
    fn tokens(&mut self, piece: &[Node<'t>], out: &mut Vec<Step>) -> Option<Argument> {
        let (name, piece) = match piece {
            [name, sign, rest @ ..] if self.text(*sign) == "=" && !rest.is_empty() => {
                (Some(self.text(*name).to_owned()), rest)
            }
            [..] => (None, piece),
        };
        let (first, last) = (piece.first()?, piece.last()?);
        let mut path: Option<Expr> = None;
        let mut others = Vec::new();
        for token in piece.iter().filter(|token| token.is_named()) {
            match (token.kind(), path.take()) {
                ("token_tree", Some(callee)) => {
                    let arguments = self
                        .all(&named(*token), out)
                        .into_iter()
                        .map(|value| Argument { name: None, value })
                        .collect();
                    let call = Call { callee, arguments, creates: false };
                    path = Some(self.expr(*token, ExprKind::Call(Box::new(call))));
                }
                ("identifier", Some(object)) => {
                    let member = ExprKind::Member(Box::new(object), self.text(*token).to_owned());
                    path = Some(self.expr(*token, member));
                }
                (_, known) => {
                    others.extend(known);
                    path = Some(self.expression(*token, out));
                }
            }
        }
        others.extend(path);
        let value = match (others.len(), others.pop()) {
            (1, Some(only)) => only,
            (_, last_one) => {
                others.extend(last_one);
                let lines = (super::lines(*first).0, super::lines(*last).1);
                let bytes = (super::narrow(first.start_byte()), super::narrow(last.end_byte()));
                Expr { kind: ExprKind::Other(others), lines, bytes }
            }
        };
        Some(Argument { name, value })
    }
}
