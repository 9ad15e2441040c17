//! What a source text does, in the same few words for every language: calls, assignments, strings that are built.
//!
//! This is less than the syntax tree: what looks for dangerous calls needs to know what a value is made of and where it
//! goes, and neither types nor declarations beyond that.

use crate::parse::Cost;

/// A source text as steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What the file itself does, its functions among it.
    pub body: Vec<Step>,
    /// The names that it takes from elsewhere.
    pub imports: Vec<Import>,
    /// Whether parts of it are not quite of its language, so that steps may be missing.
    pub has_syntax_errors: bool,
    /// Whether parts of it nest deeper than is looked at.
    pub is_cut: bool,
    /// How much work it was to parse.
    pub cost: Cost,
}

/// A name that stands for something of another module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The name in this file.
    pub local: String,
    /// What it stands for, with dots between the parts.
    pub path: String,
}

/// A function, a method or a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name; none for a closure.
    pub name: Option<String>,
    /// The class or module that it stands in.
    pub owner: Option<String>,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Decorators, annotations and attributes of it and of what it stands in, as they are written.
    pub marks: Vec<String>,
    /// First and last line, from 1.
    pub lines: (u32, u32),
    /// Its first byte and the one behind it.
    pub bytes: (u32, u32),
    /// What it does.
    pub body: Vec<Step>,
    /// Whether what its last step is worth is what it returns.
    pub returns_last: bool,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name. A pattern has one parameter for each name in it.
    pub name: String,
    /// Its type, as it is written.
    pub type_name: Option<String>,
    /// Its annotations, as they are written.
    pub marks: Vec<String>,
    /// Its line, from 1.
    pub line: u32,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Gives a value to a place.
    Set {
        /// The place.
        target: Expr,
        /// The value.
        value: Expr,
        /// Whether what was there stays, as with `+=`.
        adds: bool,
    },
    /// Evaluates something.
    Do(Expr),
    /// Gives a value back to the caller.
    Return(Option<Expr>),
    /// Leaves in another way: throws, breaks, goes on with the next turn, ends the program.
    Leave(Option<Expr>),
    /// Does one thing or the other.
    If {
        /// What decides.
        condition: Expr,
        /// What is done if it holds.
        then: Vec<Self>,
        /// What is done if not.
        otherwise: Vec<Self>,
    },
    /// Does one of these, or several, or none: handlers, the body of a loop.
    Arms(Vec<Vec<Self>>),
    /// Does what stands behind the label that a value equals.
    Switch {
        /// The value.
        subject: Expr,
        /// The cases, in order.
        cases: Vec<Case>,
    },
    /// Defines a function.
    Define(Function),
}

/// A case of a choice by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What the value has to be; none for the case that takes what is left, or that is no plain value.
    pub labels: Vec<Expr>,
    /// What is done.
    pub body: Vec<Step>,
}

/// An expression, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// First and last line, from 1.
    pub lines: (u32, u32),
    /// First byte of it and the one behind it.
    pub bytes: (u32, u32),
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// Text that stands in the source, without its quotes.
    Text(String),
    /// A number, a truth value, a symbol, a pattern or nothing, as it is written.
    Constant(String),
    /// A name.
    Name(String),
    /// Something of an object, a module or a type.
    Member(Box<Expr>, String),
    /// An element.
    Index(Box<Expr>, Box<Expr>),
    /// A call.
    Call(Box<Call>),
    /// Text, or a sum, made of these in order.
    Join(Vec<Expr>),
    /// A list, a tuple or an array.
    List(Vec<Expr>),
    /// Values by name; an empty name for what is spread into it.
    Record(Vec<(String, Expr)>),
    /// One of these.
    Either(Vec<Expr>),
    /// An operator that gives neither text nor one of its operands, as it is written.
    Operator(String, Vec<Expr>),
    /// A closure.
    Function(Box<Function>),
    /// An array of so many elements.
    Buffer(Box<Expr>),
    /// Anything else, made of these.
    Other(Vec<Expr>),
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is called. Backquotes call `` ` ``, and what a language writes as a statement (`echo`) goes by its name.
    pub callee: Expr,
    /// With what.
    pub arguments: Vec<Argument>,
    /// Whether it makes an object of a class.
    pub creates: bool,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its value.
    pub value: Expr,
}

impl Expr {
    /// The call that it is, if it is one.
    pub fn as_call(&self) -> Option<&Call> {
        if let ExprKind::Call(call) = &self.kind { Some(call) } else { None }
    }

    /// The closure that it is, if it is one.
    pub fn as_function(&self) -> Option<&Function> {
        if let ExprKind::Function(function) = &self.kind { Some(function) } else { None }
    }

    /// The text that it is, if it is one that is written out.
    pub fn as_text(&self) -> Option<&str> {
        if let ExprKind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The constant that it is, as it is written, if it is one.
    pub fn as_constant(&self) -> Option<&str> {
        if let ExprKind::Constant(text) = &self.kind { Some(text) } else { None }
    }

    /// The name that it is, or that it takes of something.
    pub fn last_name(&self) -> Option<&str> {
        if let ExprKind::Name(name) | ExprKind::Member(_, name) = &self.kind { Some(name) } else { None }
    }

    /// The dotted path that a chain of names, members and calls spells, such as `self.pool.get().query`; `None` if
    /// something else is in it.
    pub fn path(&self) -> Option<String> {
        let mut parts = Vec::new();
        let mut expr = self;
        let mut suffix = "";
        loop {
            match &expr.kind {
                ExprKind::Name(name) => {
                    parts.push(format!("{name}{suffix}"));
                    break;
                }
                ExprKind::Member(object, name) => {
                    parts.push(format!("{name}{suffix}"));
                    suffix = "";
                    expr = object;
                }
                ExprKind::Index(object, _) => {
                    suffix = if suffix.is_empty() { "[]" } else { suffix };
                    expr = object;
                }
                ExprKind::Call(call) => {
                    suffix = "()";
                    expr = &call.callee;
                }
                ExprKind::Text(_)
                | ExprKind::Constant(_)
                | ExprKind::Join(_)
                | ExprKind::List(_)
                | ExprKind::Record(_)
                | ExprKind::Either(_)
                | ExprKind::Operator(..)
                | ExprKind::Function(_)
                | ExprKind::Buffer(_)
                | ExprKind::Other(_) => return None,
            }
        }
        parts.reverse();
        Some(parts.join("."))
    }
}
