//! Text that is run as a program, or as a template.

use code::Language;
use review::Severity;

use super::danger::{Act, Danger, Site};
use super::value::{Clean, Origin};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static CODE: Rule = Rule {
    id: "calls/code-injection",
    category: "security/injection",
    severity: Severity::Critical,
    summary: "text that a caller or a stranger chooses is run as code",
    reason: "What is evaluated can do all that the program can: whoever chooses the text reads its secrets and its \
             files, and runs what they like. A table of known operations, or a parser of the values, does the job.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/calc.js",
        beside: &[],
        before: Some("module.exports = (app) => {};\n"),
        after: "module.exports = (app) => {\n  app.get('/calc', (req, res) => res.json(eval(req.query.term)));\n};\n",
    },
    good: Example {
        path: "web/calc.js",
        beside: &[],
        before: Some("module.exports = (app) => {};\n"),
        after: "module.exports = (app) => {\n  app.get('/calc', (req, res) => res.json(terms[req.query.term]()));\n};\n",
    },
};

pub(super) static TEMPLATE: Rule = Rule {
    id: "calls/template-injection",
    category: "security/injection",
    severity: Severity::High,
    summary: "a template's own text is chosen by a stranger",
    reason: "A template language can reach the objects of the program: text of a stranger in the template itself, not \
             in its values, has been a way to run code in every popular engine.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/hello.py",
        beside: &[],
        before: Some("from flask import request, render_template_string\n"),
        after: "from flask import request, render_template_string\n\ndef hello():\n    name = request.args.get('name')\n    \
                return render_template_string('<p>Hello ' + name + '</p>')\n",
    },
    good: Example {
        path: "web/hello.py",
        beside: &[],
        before: Some("from flask import request, render_template_string\n"),
        after: "from flask import request, render_template_string\n\ndef hello():\n    name = request.args.get('name')\n    \
                return render_template_string('<p>Hello {{ name }}</p>', name=name)\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    // MongoDB runs what stands under this name.
    if let Act::Entry { name: "$where", value } = &site.act
        && let Some(hole) = value.worst(Clean::EVERYTHING)
        && hole.origin >= Origin::Parameter
        && value.has_text()
    {
        let severity = if hole.origin == Origin::Request { Severity::Critical } else { Severity::Medium };
        let harm = "The database runs it as a program. Compare by fields and operators instead.";
        dangers.push(site.danger_of(&CODE, severity, hole, value, harm));
    }
    let Act::Call { path, name, receiver, arguments, creates, .. } = &site.act else { return };
    // Ruby makes a class, or calls a method, of any name.
    if site.language == Language::Ruby
        && let Some(chosen) = match *name {
            "constantize" | "safe_constantize" => *receiver,
            "const_get" | "send" | "public_send" | "__send__" => arguments.first().map(|given| &given.value),
            _ => None,
        }
        && let Some(hole) = chosen.worst(Clean::EVERYTHING)
        && hole.origin == Origin::Request
    {
        let harm = "It names the class or the method that is used. Choose among known ones by its name.";
        dangers.push(site.danger_of(&CODE, Severity::High, hole, chosen, harm));
    }
    let Some(given) = arguments.first().filter(|given| given.name.is_none()) else { return };
    if runs_code(site.language, path, name, *creates) {
        // The last argument is the body of `new Function(a, b, body)`.
        let given = if *creates { arguments.last().unwrap_or(given) } else { given };
        if let Some(hole) = given.value.worst(Clean::EVERYTHING) {
            let severity = match hole.origin {
                Origin::Request => Severity::Critical,
                // Ruby writes methods that way.
                Origin::Parameter if site.language == Language::Ruby && *name != "eval" => return,
                Origin::Parameter => Severity::Medium,
                Origin::Local => Severity::Low,
                Origin::Unknown | Origin::Constant => return,
            };
            let harm = "Whatever stands in it runs with the rights of this program. Parse the value, or choose among \
                        known operations by its name.";
            dangers.push(site.danger_of(&CODE, severity, hole, &given.value, harm));
        }
        return;
    }
    if is_template(path, name, *creates)
        && let Some(hole) = given.value.worst(Clean::EVERYTHING)
    {
        let severity = match hole.origin {
            Origin::Request => Severity::High,
            Origin::Parameter | Origin::Local | Origin::Unknown | Origin::Constant => return,
        };
        let harm =
            "Signs of the template language in it are carried out. Give the value to the template by name.";
        dangers.push(site.danger_of(&TEMPLATE, severity, hole, &given.value, harm));
    }
}

fn runs_code(language: Language, path: &str, name: &str, creates: bool) -> bool {
    match language {
        Language::Python => matches!(path, "eval" | "exec" | "execfile" | "builtins.eval" | "builtins.exec"),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            matches!(
                path,
                "eval"
                    | "window.eval"
                    | "globalThis.eval"
                    | "vm.runInNewContext"
                    | "vm.runInThisContext"
                    | "vm.runInContext"
                    | "vm.compileFunction"
            ) || path == "Function"
                || creates && name == "Function"
                || creates && path == "vm.Script"
        }
        Language::Ruby => matches!(name, "eval" | "instance_eval" | "class_eval" | "module_eval"),
        Language::Php => matches!(path, "eval" | "assert" | "create_function"),
        Language::Java | Language::Kotlin => name == "eval" && path.to_ascii_lowercase().contains("engine"),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp | Language::Go | Language::Rust => {
            false
        }
    }
}

fn is_template(path: &str, name: &str, creates: bool) -> bool {
    matches!(name, "render_template_string" | "from_string")
        || matches!(
            path,
            "jinja2.Template"
                | "Template"
                | "mako.template.Template"
                | "ERB.new"
                | "Handlebars.compile"
                | "ejs.render"
                | "pug.render"
                | "pug.compile"
                | "_.template"
                | "nunjucks.renderString"
                | "Velocity.evaluate"
                | "Mustache.render"
        )
        || creates && matches!(name, "Template" | "SpelExpressionParser")
        || name == "parseExpression"
}
