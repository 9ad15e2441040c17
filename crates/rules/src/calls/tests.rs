//! What the rules say about small programs of every language, and about what a change does to them.

mod programs;

use proptest::prelude::*;
use review::{FileChange, Lens, Severity};

use crate::tests::changed;
use crate::{Examined, FileReport, FileView, RuleOptions, review_file};

fn report(path: &str, before: Option<&str>, after: &str) -> FileReport {
    let file = changed(path, before, after);
    review_file(&FileView::new(&file, before, Some(after)), &RuleOptions::default())
}

/// The rules of this family that report a new file, with the lines.
fn found(path: &str, source: &str) -> Vec<(String, u32)> {
    ours(&report(path, None, source))
}

fn ours(report: &FileReport) -> Vec<(String, u32)> {
    let findings = report.findings.iter().filter_map(|finding| {
        let rule = finding.rule.as_deref()?.strip_prefix("calls/")?;
        Some((rule.to_owned(), finding.lines?.0))
    });
    findings.collect()
}

fn check_all(cases: &[(&str, &str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(path, source, expected)| {
            let rules: std::collections::BTreeSet<_> =
                found(path, source).into_iter().map(|(rule, _)| rule).collect();
            let rules = rules.into_iter().collect::<Vec<_>>().join(" ");
            (rules != *expected)
                .then(|| format!("{path}: expected {expected:?}, found {rules:?} in\n{source}\n"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_and_their_helpers_are_not_looked_at() {
    let source = "import os\ndef f(n):\n    os.system('ls ' + n)\n";
    for path in ["tests/a.py", "test_a.py", "a_test.py", "pkg/testdata/a.py", "conftest.py"] {
        assert_eq!(found(path, source), [], "{path}");
    }
    check_all(&[
        ("a.py", "import os\ndef test_f(n):\n    os.system('ls ' + n)\n", ""),
        ("a.py", "import os\nclass TestA:\n    def f(self, n):\n        os.system('ls ' + n)\n", ""),
        (
            "a.rs",
            "#[cfg(test)]\nmod tests {\n    fn f(n: &str) { std::fs::read(n); sqlx::query(&format!(\"SELECT a FROM t WHERE n = '{n}'\")); }\n}\n",
            "",
        ),
        ("a.js", "describe('x', () => { it('y', (n) => { eval(location.hash); }); });\n", ""),
    ]);
}

#[test]
fn only_what_the_change_makes_dangerous_is_reported() {
    let safe = "import os\ndef f(n):\n    a = 1\n    os.system('ls ' + n)\n    return a\n";
    let other = safe.replace("a = 1", "a = 2");
    assert_eq!(ours(&report("a.py", Some(safe), &other)), []);
    let moved = "import os\n\n\ndef f(n):\n    a = 1\n    os.system('ls '  +  n)\n    return a\n";
    assert_eq!(ours(&report("a.py", Some(safe), moved)), [], "a danger that was there before");
    let second = safe.replace("    return a\n", "    os.system('rm ' + n)\n    return a\n");
    assert_eq!(ours(&report("a.py", Some(safe), &second)), [("command-injection".to_owned(), 5)]);
}

#[test]
fn a_new_step_on_the_way_is_where_an_old_call_is_reported() {
    let before = "def f(c, n):\n    q = 'SELECT a FROM t'\n    c.execute(q)\n";
    let after = "def f(c, n):\n    q = \"SELECT a FROM t WHERE n = '%s'\" % n\n    c.execute(q)\n";
    assert_eq!(ours(&report("a.py", Some(before), after)), [("sql-injection".to_owned(), 2)]);
}

#[test]
fn a_check_that_is_removed_makes_what_follows_dangerous() {
    let before = "from flask import request\ndef f():\n    n = request.args['n']\n    if n not in NAMES:\n        return None\n    return open('/d/' + n)\n";
    let after =
        "from flask import request\ndef f():\n    n = request.args['n']\n    return open('/d/' + n)\n";
    assert_eq!(ours(&report("a.py", Some(before), after)), [("path-traversal".to_owned(), 4)]);
}

#[test]
fn making_one_value_of_a_statement_harmless_does_not_make_the_others_new() {
    let before = "<?php\n$id = $_GET['id'];\n$from = $_SERVER['HTTP_X_FORWARDED_FOR'];\nmysqli_query($c, \"INSERT INTO t \
                  (a, b) VALUES ($id, '$from')\");\n";
    let after = before.replace("$_GET['id']", "intval($_GET['id'])");
    assert_eq!(ours(&report("a.php", Some(before), &after)), []);
    // Of one statement only the worst value is told, and that was there before.
    let clean = before.replace("$_SERVER['HTTP_X_FORWARDED_FOR']", "intval(5)");
    assert_eq!(
        ours(&report("a.php", Some(&after), before)),
        [("sql-injection".to_owned(), 2)],
        "it was harmless"
    );
    assert_eq!(ours(&report("a.php", Some(&clean), before)), []);
}

#[test]
fn what_a_check_lets_through_is_harmless_on_either_side_of_it() {
    check_all(&[
        (
            "a.php",
            "<?php\nif (!preg_match('/^[0-9]+$/', $_GET['n'])) { echo 'no'; } else { $n = $_GET['n']; \
             mysqli_query($c, \"SELECT a FROM t WHERE n = '$n'\"); }\n",
            "",
        ),
        (
            "a.py",
            "from flask import request\ndef f(c):\n    n = request.args['n']\n    if n not in NAMES:\n        log('no')\n    \
             else:\n        c.execute(\"SELECT a FROM t WHERE n = '\" + n + \"'\")\n",
            "",
        ),
        (
            "a.php",
            "<?php\nif (preg_match('/^[0-9]+$/', $_GET['n'])) { echo 'yes'; } else { $n = $_GET['n']; \
             mysqli_query($c, \"SELECT a FROM t WHERE n = '$n'\"); }\n",
            "sql-injection",
        ),
    ]);
}

#[test]
fn what_the_program_wrote_stays_its_own_when_it_is_written_out() {
    let source = |given: &str| {
        format!("<?php\n$p = json_encode({given});\nmysqli_query($c, \"INSERT INTO t (p) VALUES ('$p')\");\n")
    };
    check_all(&[
        ("a.php", &source("['view', 'edit']"), ""),
        ("a.php", &source("$_GET['p']"), "sql-injection"),
    ]);
}

#[test]
fn an_escaped_value_that_is_gone_leaves_nothing_unescaped() {
    let before = "<?php\nfunction f($g) {\n    $f = 'CN=' . $this->ldap->escape($g);\n    return $this->ldap->search($f);\n}\n";
    let gone = "<?php\nfunction f($dn) {\n    return $this->ldap->read($dn, '(objectClass=*)');\n}\n";
    assert_eq!(ours(&report("a.php", Some(before), gone)), []);
    let bare = before.replace("$this->ldap->escape($g)", "$g");
    assert_eq!(ours(&report("a.php", Some(before), &bare)), [("escaping-removed".to_owned(), 3)]);
}

#[test]
fn a_diff_alone_is_read_hunk_by_hunk_and_says_so() {
    let hunk = |body: &str| review::Hunk::new(40, 40, String::new(), body.to_owned(), false);
    let file = |path: &str, body: &str| FileChange {
        path: path.into(),
        old_path: None,
        operation: review::change::Operation::Modified,
        modes: (None, None),
        content: review::change::Content::Text(vec![hunk(body)]),
    };
    let cases = [
        (
            "a.py",
            "     def f(self, n):\n-        pass\n+        self.c.execute(\"SELECT a FROM t WHERE n = '%s'\" % n)\n",
            41,
        ),
        (
            "A.java",
            " void f(Statement s, String n) {\n+    s.execute(\"DELETE FROM t WHERE n = '\" + n + \"'\");\n }\n",
            41,
        ),
        ("a.php", "     $n = $_GET['n'];\n+    echo '<b>' . $n;\n", 41),
        ("a.js", "   const n = req.query.n;\n+  db.query('SELECT a FROM t WHERE n = ' + n);\n });\n", 41),
    ];
    for (path, body, line) in cases {
        let file = file(path, body);
        let report = review_file(&FileView::new(&file, None, None), &RuleOptions::default());
        let lines: Vec<_> = ours(&report).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [line], "{path}");
        let bodies: String = report.findings.iter().map(|finding| finding.body.as_str()).collect();
        assert!(bodies.contains(&format!("in line {line}.")) && !bodies.contains("line 1)"), "{bodies}");
        assert_eq!(report.notes, ["only the diff is at hand: calls are followed inside each hunk"], "{path}");
    }
}

#[test]
fn a_finding_tells_the_source_the_way_and_the_place() {
    let source = "from flask import request\ndef f(c):\n    name = request.args['name']\n    query = \"SELECT a FROM t WHERE n = '%s'\" % name\n    c.execute(query)\n";
    let report = report("a.py", None, source);
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((finding.lines, finding.severity), (Some((5, 5)), Severity::High));
    assert_eq!(finding.quote, "    c.execute(query)");
    assert_eq!(
        finding.body,
        "request.args['name'] comes from a request (line 3), goes through line 4 and reaches c.execute() in line 5. A \
         value with a quote in it ends the text and goes on as SQL. Bind it as a parameter instead of quoting it by hand."
    );
}

#[test]
fn values_are_followed_through_helpers_of_the_same_file() {
    check_all(&[
        (
            "a.py",
            "from flask import request\ndef wanted():\n    return request.args['n']\ndef f(c):\n    c.execute(\"SELECT a FROM t WHERE n = '\" + wanted() + \"'\")\n",
            "sql-injection",
        ),
        (
            "A.java",
            "class A { String g(String s) { return \"x\"; } void f(Statement s, String n) throws Exception { s.execute(\"DELETE FROM t WHERE n='\" + g(n) + \"'\"); } }\n",
            "",
        ),
        (
            "a.js",
            "const q = (n) => n.trim();\nfunction f(db, n) { db.query(\"SELECT a FROM t WHERE n = '\" + q(n) + \"'\"); }\n",
            "sql-injection",
        ),
    ]);
}

#[test]
fn a_file_that_takes_too_long_to_follow_has_failed() {
    // Each entry copies the map.
    let entries: String = (0..1_500).map(|index| format!("m.put(\"k{index}\", n);\n")).collect();
    let report = report("A.java", None, &format!("class A {{ void f(Map m, String n) {{\n{entries}}} }}\n"));
    let Some(Examined::Failed(reason)) = report.examined(review::Lens::Security) else {
        panic!("{:?}", report.examined);
    };
    assert!(reason.starts_with("calls could not be followed to the end"), "{reason}");
}

#[test]
fn many_dangers_of_one_kind_are_counted_not_listed() {
    let lines: String = (0..20).map(|index| format!("    os.system('ls {index} ' + n)\n")).collect();
    let report = report("a.py", None, &format!("import os\ndef f(n):\n{lines}"));
    assert_eq!(ours(&report).len(), 8);
    assert_eq!(report.notes, ["12 more places of this file are what calls/command-injection finds"]);
}

proptest! {
    #[test]
    fn arbitrary_pieces_of_programs_never_panic(
        pieces in prop::collection::vec(prop_oneof![
            Just("if "), Just("("), Just(")"), Just("{"), Just("}"), Just("def f(n):\n  "), Just("function f(n) {"),
            Just("\n"), Just("\n  "), Just(" = "), Just(" += "), Just("\"SELECT a FROM t WHERE n = '%s' {}\""), Just("n"),
            Just(" % "), Just(".format("), Just("c.execute("), Just("os.system("), Just("request.args['n']"), Just("eval("),
            Just("for x in "), Just("switch (n) { case 1: "), Just("return "), Just("`ls ${n}`"), Just("el.innerHTML"),
            Just("$_GET['n']"), Just("<?php "), Just("map.get(0)"), Just("list.add(n)"), Just(", "), Just("malloc(a * b)"),
            Just("escape(n)"), Just("while n "), Just("x++"), Just("\"%"), Just("%(\""),
        ], 0..60),
        removed in prop::collection::vec(0_usize..60, 0..5),
        extension in prop_oneof![
            Just("py"), Just("js"), Just("ts"), Just("tsx"), Just("java"), Just("go"), Just("rb"), Just("php"), Just("c"),
            Just("cpp"), Just("rs"),
        ],
    ) {
        let after = pieces.concat();
        let before: String =
            pieces.iter().enumerate().filter(|(index, _)| !removed.contains(index)).map(|(_, piece)| *piece).collect();
        let report = report(&format!("a.{extension}"), Some(&before), &after);
        let lines = after.lines().count() as u32;
        prop_assert!(ours(&report).iter().all(|(_, line)| (1..=lines.max(1)).contains(line)));
    }
}

#[test]
fn padding_a_file_does_not_switch_the_rules_off() {
    let padding = "// padding that says nothing at all about anything\n".repeat(13_000);
    let before = format!("{padding}function f(req) {{\n}}\n");
    let after = format!("{padding}function f(req) {{\n  eval(req.query.x);\n}}\n");
    assert!(before.len() > code::MAX_SOURCE_BYTES);
    let start = 13_000;
    let hunk = review::Hunk::new(
        start,
        start,
        String::new(),
        " // padding that says nothing at all about anything\n function f(req) {\n+  eval(req.query.x);\n }\n".to_owned(),
        false,
    );
    let file =
        FileChange { content: review::change::Content::Text(vec![hunk]), ..changed("a.js", Some(""), "") };
    let options = RuleOptions::default();
    let report = review_file(&FileView::new(&file, Some(&before), Some(&after)), &options);
    assert_eq!(ours(&report), [("code-injection".to_owned(), start + 2)]);
    assert_eq!(report.notes, ["it is too large to be read as a whole: calls are followed inside each hunk"]);
    assert_eq!(report.examined(Lens::Security), Some(&Examined::All));
}

#[test]
fn a_change_that_is_itself_too_large_to_be_parsed_is_a_gap() {
    let padding = "// padding that says nothing at all about anything\n".repeat(13_000);
    let report = report("a.js", None, &format!("{padding}eval(location.hash);\n"));
    let Some(Examined::Failed(reason)) = report.examined(Lens::Security) else { panic!("{report:?}") };
    assert!(reason.starts_with("calls could not be followed to the end: source of "), "{reason}");
}

#[test]
fn a_program_that_nobody_reads_is_not_covered_and_a_text_is_not_spoken_of() {
    let reasons = |path: &str, source: &str| -> Vec<String> {
        let report = report(path, None, source);
        let security = report.not_covered.into_iter().filter(|(lens, _)| *lens == Lens::Security);
        security.map(|(_, reason)| reason).collect()
    };
    assert_eq!(reasons("a.cs", "class A {}\n"), ["the rules follow no calls in C#"]);
    assert_eq!(reasons("run.sh", "eval \"$1\"\n"), ["the rules follow no calls in Bash"]);
    assert_eq!(reasons("a.html", "<script>\n"), ["the rules follow no calls in scripts of pages"]);
    for path in ["README.md", "a.html", "a.json", "a.py", "tests/run.sh"] {
        assert_eq!(reasons(path, "{}\n"), [""; 0], "{path}");
    }
}

#[test]
fn the_code_cells_of_a_notebook_are_python() {
    let notebook = |language: &str, kind: &str| {
        format!(
            "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"{kind}\",\n   \"outputs\": [{{\"data\": {{\n\"image/png\": \"{}\"\n}}}}],\n   \
             \"source\": [\n    \"import os\\n\",\n    \"%timeit f()\\n\",\n    \"def run(name):\\n\",\n    \"    os.system('ls ' + name)\"\n   ]\n  }}\n ],\n \
             \"metadata\": {{\"language_info\": {{\"name\": \"{language}\"}}}}\n}}\n",
            "A".repeat(1_200_000)
        )
    };
    assert_eq!(found("a.ipynb", &notebook("python", "code")), [("command-injection".to_owned(), 12)]);
    assert_eq!(found("a.ipynb", &notebook("python", "markdown")), []);
    let of_julia = report("a.ipynb", None, &notebook("julia", "code"));
    assert!(of_julia.not_covered.iter().any(|(_, reason)| reason.ends_with("than Python: julia")));
    let broken = report("a.ipynb", None, "{\"cells\": [\n");
    assert!(matches!(broken.examined(Lens::Security), Some(Examined::Failed(_))), "{broken:?}");
}

#[test]
fn a_danger_whose_line_leaves_another_file_is_low_and_says_where_it_was() {
    let source = "import os\ndef run(name):\n    os.system('ls ' + name)\n";
    let (old, new) = (changed("old.py", Some(source), "import os\n"), changed("new.py", None, source));
    let said = |files: &[FileChange]| {
        let facts = crate::ChangeFacts::of(files);
        let view = FileView { change: &facts, ..FileView::new(&files[0], None, Some(source)) };
        let report = review_file(&view, &RuleOptions::default());
        let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
        (finding.severity, finding.body.starts_with("The same line leaves `old.py`, so that it seems"))
    };
    assert_eq!(said(&[new.clone(), old]), (Severity::Low, true));
    let (severity, is_moved) = said(&[new]);
    assert!(severity > Severity::Low && !is_moved);
}

#[test]
fn a_line_full_of_dangers_is_told_once_and_one_more_among_them_is_new() {
    let line = |count: usize| format!("function f() {{ {} }}\n", "eval(location.hash);".repeat(count));
    assert_eq!(ours(&report("a.js", None, &line(2_000))).len(), 1);
    assert_eq!(ours(&report("a.js", Some(&line(30)), &line(30))), []);
    assert_eq!(ours(&report("a.js", Some(&line(30)), &line(31))).len(), 1);
}
