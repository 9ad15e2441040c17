//! Blocks that are worth what their last step is worth.

use big_code_analysis::tree_sitter::Node;

use super::Lowering;
use crate::steps::{Expr, ExprKind, Step};

impl<'t> Lowering<'_, 't> {
    /// What a block is worth: copies of its last steps. The block itself goes to `out`.
    pub(super) fn block_value(&mut self, node: Node<'t>, out: &mut Vec<Step>) -> Expr {
        let mut steps = Vec::new();
        if !self.statement(node, &mut steps) {
            self.children(node, &mut steps);
        }
        let mut values = Vec::new();
        self.last_values(&steps, &mut values);
        out.append(&mut steps);
        self.expr(node, ExprKind::Either(values))
    }

    fn last_values(&mut self, steps: &[Step], values: &mut Vec<Expr>) {
        match steps.last() {
            Some(Step::Do(value)) => {
                let size = size(value, self.copies_left);
                self.copies_left = self.copies_left.saturating_sub(size);
                if self.copies_left > 0 {
                    values.push(value.clone());
                } else {
                    self.is_cut = true;
                }
            }
            Some(Step::If { then, otherwise, .. }) => {
                self.last_values(then, values);
                self.last_values(otherwise, values);
            }
            Some(Step::Arms(arms)) => {
                for arm in arms {
                    self.last_values(arm, values);
                }
            }
            Some(Step::Switch { cases, .. }) => {
                for case in cases {
                    self.last_values(&case.body, values);
                }
            }
            Some(Step::Set { .. } | Step::Return(_) | Step::Leave(_) | Step::Define(_)) | None => {}
        }
    }
}

/// How many expressions an expression is made of, as far as it matters.
fn size(expr: &Expr, limit: usize) -> usize {
    let mut count = 0;
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        count += 1;
        if count > limit {
            break;
        }
        match &expr.kind {
            ExprKind::Text(_) | ExprKind::Constant(_) | ExprKind::Name(_) => {}
            ExprKind::Member(one, _) | ExprKind::Buffer(one) => pending.push(one),
            ExprKind::Index(one, two) => pending.extend([&**one, &**two]),
            ExprKind::Call(call) => {
                pending.push(&call.callee);
                pending.extend(call.arguments.iter().map(|argument| &argument.value));
            }
            ExprKind::Join(parts)
            | ExprKind::List(parts)
            | ExprKind::Either(parts)
            | ExprKind::Operator(_, parts)
            | ExprKind::Other(parts) => pending.extend(parts),
            ExprKind::Record(entries) => pending.extend(entries.iter().map(|(_, value)| value)),
            // Its steps are not counted one by one; no closure is a last value twice.
            ExprKind::Function(_) => count += 50,
        }
    }
    count
}
