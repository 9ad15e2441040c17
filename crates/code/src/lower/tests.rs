//! What sources of every language are lowered to, in a short form.

use proptest::prelude::*;

use super::steps;
use crate::language::Language;
use crate::steps::{Expr, ExprKind, Function, Step};

/// Steps as one line of text.
fn show_all(steps: &[Step]) -> String {
    steps.iter().map(show_step).collect::<Vec<_>>().join("; ")
}

fn show_step(step: &Step) -> String {
    match step {
        Step::Set { target, value, adds } => {
            format!("{} {} {}", show(target), if *adds { "+=" } else { "=" }, show(value))
        }
        Step::Do(expr) => show(expr),
        Step::Return(value) => format!("return {}", value.as_ref().map(show).unwrap_or_default()),
        Step::Leave(value) => format!("leave {}", value.as_ref().map(show).unwrap_or_default()),
        Step::If { condition, then, otherwise } => {
            format!("if {} {{{}}} else {{{}}}", show(condition), show_all(then), show_all(otherwise))
        }
        Step::Arms(arms) => {
            format!(
                "arms {}",
                arms.iter().map(|arm| format!("{{{}}}", show_all(arm))).collect::<Vec<_>>().join(" ")
            )
        }
        Step::Switch { subject, cases } => {
            let cases: Vec<_> = cases
                .iter()
                .map(|case| format!("{}: {{{}}}", show_list(&case.labels), show_all(&case.body)))
                .collect();
            format!("switch {} {}", show(subject), cases.join(" "))
        }
        Step::Define(function) => show_function(function),
    }
}

fn show_function(function: &Function) -> String {
    let parameters: Vec<_> = function
        .parameters
        .iter()
        .map(|one| {
            let marks: String = one.marks.iter().map(|mark| format!("@{mark} ")).collect();
            let kind = one.type_name.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
            format!("{marks}{}{kind}", one.name)
        })
        .collect();
    let marks: String = function.marks.iter().map(|mark| format!("@{mark} ")).collect();
    let owner = function.owner.as_ref().map(|owner| format!("{owner}.")).unwrap_or_default();
    let name = function.name.as_deref().unwrap_or("fn");
    format!("{marks}{owner}{name}({}) {{{}}}", parameters.join(", "), show_all(&function.body))
}

fn show_list(exprs: &[Expr]) -> String {
    exprs.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Constant(text) => format!("#{text}"),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Member(object, name) => format!("{}.{name}", show(object)),
        ExprKind::Index(object, index) => format!("{}[{}]", show(object), show(index)),
        ExprKind::Call(call) => {
            let arguments: Vec<_> = call
                .arguments
                .iter()
                .map(|one| {
                    let name = one.name.as_ref().map(|name| format!("{name}=")).unwrap_or_default();
                    format!("{name}{}", show(&one.value))
                })
                .collect();
            let new = if call.creates { "new " } else { "" };
            format!("{new}{}({})", show(&call.callee), arguments.join(", "))
        }
        ExprKind::Join(parts) => format!("<{}>", show_list(parts)),
        ExprKind::List(parts) => format!("[{}]", show_list(parts)),
        ExprKind::Record(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{name}: {}", show(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        ExprKind::Either(parts) => format!("({})", parts.iter().map(show).collect::<Vec<_>>().join(" | ")),
        ExprKind::Operator(operator, parts) => format!("({operator} {})", show_list(parts)),
        ExprKind::Function(function) => show_function(function),
        ExprKind::Buffer(size) => format!("buffer({})", show(size)),
        ExprKind::Other(parts) => format!("?({})", show_list(parts)),
    }
}

fn lowered(language: Language, source: &str) -> String {
    let program = steps(language, source).expect("the source can be read");
    show_all(&program.body)
}

#[test]
fn text_that_is_built_shows_its_holes_in_every_language() {
    let cases = [
        (Language::Python, "q = f\"a {b!r} {c:d}\" 'z' + d", r#"q = <<"a ", b, " ", (format c), "z">, d>"#),
        (Language::Python, "q = 'a %s' % (b, c)", r#"q = (% "a %s", [b, c])"#),
        (Language::JavaScript, "const q = `a ${b.c}` + d;", r#"q = <<"a ", b.c>, d>"#),
        (Language::TypeScript, "const q = `a ${b as string}`;", r#"q = <"a ", b>"#),
        (Language::Java, "class C { String q = \"a\" + b + \"c\"; }", r#"q = <"a", b, "c">"#),
        (Language::Go, "package p\nvar q = \"a\" + `b` + c\n", r#"q = <"a", "b", c>"#),
        (Language::Ruby, "q = \"a #{b} c\"", r#"q = <"a ", b, " c">"#),
        (Language::Ruby, "q = run(<<~SQL, x)\n  a #{b}\nSQL\n", r#"q = run(<"\n  a ", b, "\n">, x)"#),
        (Language::Php, "<?php $q = \"a $b {$c->d}\" . e;", r#"$q = <<"a ", $b, " ", $c.d>, e>"#),
        (Language::Cpp, "auto q = \"a\" \"b\" + c;", r#"q = <"ab", c>"#),
        (
            Language::Rust,
            "fn f() { let q = format!(\"a {} {c}\", &b.d); }",
            r#"f() {q = format!("a {} {c}", b.d)}"#,
        ),
    ];
    for (language, source, expected) in cases {
        assert_eq!(lowered(language, source), expected, "{}", language.name());
    }
}

#[test]
fn calls_have_their_path_and_their_arguments_with_names() {
    let cases = [
        (Language::Python, "a.b().c(d, shell=True)", "a.b().c(d, shell=#True)"),
        (Language::JavaScript, "new a.B(c, ...d)", "new a.B(c, d)"),
        (Language::JavaScript, "sql`a ${b}`", r#"sql(["a ", b])"#),
        (Language::JavaScript, "x = {a: 1, b, 'c': d}", "x = {a: #1, b: b, c: d}"),
        (Language::Java, "class C { void f() { new D<E>(a).g(b); } }", "C.f() {new D(a).g(b)}"),
        (Language::Go, "package p\nfunc f() { g(&T{A: true}) }\n", "f() {g({A: #true})}"),
        (Language::Ruby, "a.b c, d: e do |x| g x end", "a.b(c, d=e, fn(x) {g(x)})"),
        (Language::Ruby, "`a #{b}`", r#"`(<"a ", b>)"#),
        (Language::Php, "<?php A::b($c); $d->e(f: $g); echo $h;", "A.b($c); $d.e(f=$g); echo($h)"),
        (Language::C, "void f(void) { g((char *) a->b, &c); }", "f() {g(a.b, c)}"),
        (Language::Cpp, "void f() { std::a::b<int>(c); }", "f() {std.a.b(c)}"),
        (Language::Rust, "fn f() { A::b(c)?.d(&e); }", "f() {A.b(c).d(e)}"),
    ];
    for (language, source, expected) in cases {
        assert_eq!(lowered(language, source), expected, "{}", language.name());
    }
}

#[test]
fn functions_have_their_parameters_types_and_marks() {
    let cases = [
        (
            Language::Python,
            "@app.route('/x')\nclass A:\n  @b\n  def f(self, c: int, *d, e='x', **g):\n    return c",
            "@app.route('/x') @b A.f(self, c: int, d, e, g) {return c}",
        ),
        (Language::JavaScript, "const f = ({a, b: c}, d = 1) => d", "f = fn(a, c, d) {d}"),
        (
            Language::TypeScript,
            "class A { @Get() f(@Query('q') q: string) { return q } }",
            "@Get() A.f(@Query('q') q: string) {return q}",
        ),
        (
            Language::Java,
            "class A { @Test void f(@X String a, int... b) {} }",
            "@Test A.f(@X a: String, b) {}",
        ),
        (
            Language::Go,
            "package p\nfunc (t *T) f(a, b string) { return }\n",
            "f(a: string, b: string) {return }",
        ),
        (Language::Ruby, "def f(a, b: 1, *c)\n a\nend", "f(a, b, c) {a}"),
        (Language::Php, "<?php function f(int $a) { return $a; }", "f($a: int) {return $a}"),
        (Language::C, "int f(struct s *a, char b[4]) { return 0; }", "f(a: struct s, b: char) {return #0}"),
        (
            Language::Rust,
            "#[cfg(test)] mod t { fn f(Path(a): Path<String>) {} }",
            "@cfg(test) t.f(a: Path<String>) {}",
        ),
    ];
    for (language, source, expected) in cases {
        assert_eq!(lowered(language, source), expected, "{}", language.name());
    }
}

#[test]
fn branches_loops_and_cases_keep_their_order() {
    let cases = [
        (
            Language::Python,
            "if a:\n  b()\nelif c:\n  d()\nelse:\n  e()",
            "if a {b()} else {if c {d()} else {e()}}",
        ),
        (Language::Python, "for a, b in c:\n  d(a)", "[a, b] = c[?()]; arms {d(a)} {}"),
        (Language::Python, "with open(a) as b:\n  c(b)", "b = open(a); c(b)"),
        (
            Language::JavaScript,
            "switch (a) { case 1: b(); break; default: c() }",
            "switch a #1: {b(); leave } : {c()}",
        ),
        (
            Language::Go,
            "package p\nfunc f() { if a := b(); a { return } }\n",
            "f() {a = b(); if a {return } else {}}",
        ),
        (Language::Ruby, "return a unless b", "if b {} else {return a}"),
        (Language::Rust, "fn f() { let a = if b { c } else { d }; }", "f() {if b {c} else {d}; a = (c | d)}"),
        (
            Language::C,
            "void f(void) { char a[8]; while (b) c(a); }",
            "f() {a = buffer(#8); b; arms {c(a)} {}}",
        ),
    ];
    for (language, source, expected) in cases {
        assert_eq!(lowered(language, source), expected, "{}", language.name());
    }
}

#[test]
fn imports_tell_what_a_name_stands_for() {
    let cases = [
        (Language::Python, "from os import system as s, path", "s=os.system path=os.path"),
        (Language::Python, "import subprocess as sp, os", "sp=subprocess"),
        (Language::JavaScript, "import a, {b as c} from 'd'", "c=d.b a=d"),
        (Language::Go, "package p\nimport (\n\th \"net/http\"\n\t\"os\"\n)\n", "h=http"),
        (Language::Php, "<?php use A\\B as C;", "C=A.B"),
        (
            Language::Rust,
            "use std::process::{Command, Stdio as S};",
            "Command=std.process.Command S=std.process.Stdio",
        ),
    ];
    for (language, source, expected) in cases {
        let program = steps(language, source).expect("the source can be read");
        let imports: Vec<_> =
            program.imports.iter().map(|one| format!("{}={}", one.local, one.path)).collect();
        assert_eq!(imports.join(" "), expected, "{}", language.name());
    }
}

#[test]
fn what_nests_too_deep_is_cut_and_said_to_be() {
    let source = format!("x = {}1{}", "f(".repeat(300), ")".repeat(300));
    assert!(steps(Language::Python, &source).expect("the source can be read").is_cut);
    assert!(!steps(Language::Python, "x = f(g(1))").expect("the source can be read").is_cut);
}

#[test]
fn a_long_sum_needs_no_deep_stack() {
    let source = format!("x = a{}", " + a".repeat(1_500));
    let worker = std::thread::Builder::new().stack_size(512 * 1024).spawn(move || {
        assert!(!steps(Language::Python, &source).expect("the source can be read").is_cut);
    });
    worker.expect("a thread can be started").join().expect("no overflow, no panic");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(source in "\\PC{0,200}", index in 0..Language::ALL.len()) {
        prop_assert!(steps(Language::ALL[index], &source).is_ok());
    }

    #[test]
    fn arbitrary_pieces_of_programs_never_panic(pieces in prop::collection::vec(prop_oneof![
        Just("if "), Just("("), Just(")"), Just("{"), Just("}"), Just("def f("), Just("function f("), Just("class A "),
        Just("\n  "), Just("\n"), Just(":"), Just(" = "), Just("\"a #{b} ${c} {d}\""), Just("a.b"), Just("["), Just("]"),
        Just(","), Just(" => "), Just("switch "), Just("case 1:"), Just("for "), Just(" in "), Just("<?php "), Just("$x"),
        Just("<<~A\n"), Just("A\n"), Just("`"), Just("return "), Just("lambda "), Just("@d "), Just("struct S "), Just("*"),
    ], 0..40), index in 0..Language::ALL.len()) {
        prop_assert!(steps(Language::ALL[index], &pieces.concat()).is_ok());
    }
}
