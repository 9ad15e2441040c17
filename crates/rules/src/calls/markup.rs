//! Text that a browser reads as a page.

use code::{ExprKind, Language};
use review::Severity;

use super::danger::{Act, Danger, Site};
use super::value::{Clean, Origin, Part, Value};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static SCRIPTING: Rule = Rule {
    id: "calls/cross-site-scripting",
    category: "security/xss",
    severity: Severity::High,
    summary: "a value goes into a page without being escaped",
    reason: "A value with < in it becomes elements of the page, and a script in it runs as the page's own: it acts as \
             the one who looks at it. Text that is set as text, or escaped by the template, stays text.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/greet.js",
        beside: &[],
        before: Some("const box = document.getElementById('box');\n"),
        after: "const box = document.getElementById('box');\nfunction greet() {\n  const name = new \
                URLSearchParams(location.search).get('name');\n  box.innerHTML = '<b>Hello ' + name + '</b>';\n}\n",
    },
    good: Example {
        path: "web/greet.js",
        beside: &[],
        before: Some("const box = document.getElementById('box');\n"),
        after: "const box = document.getElementById('box');\nfunction greet() {\n  const name = new \
                URLSearchParams(location.search).get('name');\n  box.textContent = 'Hello ' + name;\n}\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    match &site.act {
        Act::Call { path, name, arguments, receiver_expr, .. } => {
            let Some(least) = writes_page(site, path, name, *receiver_expr) else { return };
            for given in arguments.iter() {
                if report(site, &given.value, least, dangers) {
                    return;
                }
            }
        }
        Act::Set { path, value, .. } => {
            let name = path.rsplit('.').next().unwrap_or(path);
            if is_script(site.language)
                && matches!(name, "innerHTML" | "outerHTML" | "srcdoc")
                && path.contains('.')
            {
                report(site, value, Origin::Parameter, dangers);
            }
        }
        Act::Entry { name, value } => {
            if is_script(site.language) && matches!(*name, "__html" | "innerHTML") {
                report(site, value, Origin::Parameter, dangers);
            }
        }
        Act::Return { value } => returned_page(site, value, dangers),
    }
}

fn is_script(language: Language) -> bool {
    matches!(language, Language::JavaScript | Language::TypeScript | Language::Tsx)
}

/// Reports a value that is put into a page; tells whether it did.
fn report(site: &Site<'_>, value: &Value, least: Origin, dangers: &mut Vec<Danger>) -> bool {
    let Some(hole) = value.worst(Clean::HTML) else { return false };
    if hole.origin < least || hole.origin == Origin::Local {
        return false;
    }
    // A whole text that is handed through may be a page that was made with care; elements round it show that here
    // is where it is made.
    if hole.origin != Origin::Request && !has_elements(value) {
        return false;
    }
    let severity = if hole.origin == Origin::Request { Severity::High } else { Severity::Medium };
    let harm =
        "A value such as <img src=x onerror=…> runs as a script of this page. Set it as text, or escape it.";
    dangers.push(site.danger_of(&SCRIPTING, severity, hole, value, harm));
    true
}

/// Whether a value has elements of a page in its own text.
fn has_elements(value: &Value) -> bool {
    value.parts.iter().any(|part| match part {
        Part::Text(text, _) => {
            text.match_indices('<').any(|(at, _)| {
                text[at + 1..].trim_start_matches('/').starts_with(|sign: char| sign.is_ascii_alphabetic())
            }) && (text.contains('>') || text.contains("=\""))
        }
        Part::Hole(_) => false,
    })
}

/// From what origin on a call that writes to a page is dangerous.
fn writes_page(site: &Site<'_>, path: &str, name: &str, receiver: Option<&code::Expr>) -> Option<Origin> {
    let by = |it: bool, least: Origin| it.then_some(least);
    match site.language {
        Language::JavaScript | Language::TypeScript | Language::Tsx => by(
            matches!(path, "document.write" | "document.writeln")
                || matches!(name, "insertAdjacentHTML" | "createContextualFragment"),
            Origin::Parameter,
        )
        .or_else(|| {
            // jQuery's object is called so by custom.
            let is_jquery = receiver.is_some_and(|object| {
                object.path().is_some_and(|path| path.starts_with('$') || path.starts_with("jQuery"))
            });
            by(
                is_jquery
                    && matches!(name, "html" | "append" | "prepend" | "after" | "before" | "replaceWith"),
                Origin::Parameter,
            )
        })
        .or_else(|| {
            by(
                matches!(
                    path,
                    "res.send"
                        | "res.write"
                        | "res.end"
                        | "response.send"
                        | "response.write"
                        | "response.end"
                ),
                Origin::Request,
            )
        }),
        Language::Python => {
            by(matches!(name, "mark_safe" | "Markup" | "SafeText" | "SafeString"), Origin::Parameter)
                .or_else(|| {
                    by(
                        matches!(
                            name,
                            "HttpResponse"
                                | "make_response"
                                | "HTMLResponse"
                                | "HttpResponseBadRequest"
                                | "HttpResponseNotFound"
                        ),
                        Origin::Request,
                    )
                })
                .or_else(|| {
                    by(
                        matches!(path, "self.response.write" | "self.response.out.write" | "self.write"),
                        Origin::Request,
                    )
                })
        }
        Language::Java | Language::Kotlin => {
            let is_writer = receiver.is_some_and(|object| {
                object.path().is_some_and(|path| {
                    path.contains("getWriter")
                        || path.contains("getOutputStream")
                        || path == "out"
                        || path == "writer"
                })
            });
            by(
                is_writer && matches!(name, "print" | "println" | "write" | "printf" | "format" | "append"),
                Origin::Request,
            )
        }
        Language::Go => {
            by(path == "template.HTML" || path == "template.JS", Origin::Parameter).or_else(|| {
                let to_response =
                    matches!(
                        path,
                        "fmt.Fprintf" | "fmt.Fprint" | "fmt.Fprintln" | "io.WriteString" | "w.Write"
                    ) && site.scene.parameters.iter().any(|(_, kind)| kind.contains("ResponseWriter"));
                by(
                    to_response
                        && !site.function_text().contains("application/json")
                        && !site.function_text().contains("text/plain"),
                    Origin::Request,
                )
            })
        }
        Language::Ruby => {
            let is_view = matches!(name, "html_safe" | "raw");
            by(is_view, Origin::Request)
        }
        Language::Php => by(matches!(path, "echo" | "print" | "printf"), Origin::Request),
        Language::Rust => by(matches!(path, "Html" | "axum.response.Html" | "PreEscaped"), Origin::Request),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp => None,
    }
}

/// A page that a view, a tag or a filter builds by hand and gives back.
fn returned_page(site: &Site<'_>, value: &Value, dangers: &mut Vec<Danger>) {
    if site.language != Language::Python || !has_elements(value) || value.items.is_some() {
        return;
    }
    // A template's values can be fetched from its context, and a view's from its request.
    let serves = site.scene.parameters.iter().any(|(name, _)| matches!(name.as_str(), "request" | "context"))
        || site.scene.marks.iter().any(|mark| {
            [".route(", ".get(", ".post(", "simple_tag", "register.filter", "inclusion_tag"]
                .iter()
                .any(|known| mark.contains(known))
        });
    let hole = value.worst(Clean::HTML);
    let Some(hole) = hole.filter(|hole| hole.origin >= Origin::Unknown && hole.origin != Origin::Local)
    else {
        return;
    };
    if !serves || matches!(site.expr.kind, ExprKind::Name(_)) && hole.origin < Origin::Request {
        return;
    }
    let severity = if hole.origin == Origin::Request { Severity::High } else { Severity::Medium };
    let harm = "A value with < or a quote in it becomes elements of the page. Escape each value, or let the template do \
                it.";
    dangers.push(site.danger_of(&SCRIPTING, severity, hole, value, harm));
}
