//! Connections that do not look at who answers.

use code::{Expr, ExprKind, Language};
use review::Severity;

use super::danger::{Act, Danger, Site};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static DISABLED: Rule = Rule {
    id: "calls/tls-verification-disabled",
    category: "security/cryptography",
    severity: Severity::High,
    summary: "the check of a server's certificate is switched off",
    reason: "Without the check anybody on the way can answer in the server's name, read what is sent and change what \
             comes back; the encryption goes on and protects nothing. A private authority belongs in the list of trusted \
             ones.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "billing/client.py",
        beside: &[],
        before: Some("import requests\n"),
        after: "import requests\n\ndef invoices(base):\n    return requests.get(base + '/invoices', verify=False)\n",
    },
    good: Example {
        path: "billing/client.py",
        beside: &[],
        before: Some("import requests\n"),
        after: "import requests\n\ndef invoices(base, authority):\n    return requests.get(base + '/invoices', verify=authority)\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let disabled = match &site.act {
        Act::Call { path, name, arguments, .. } => by_call(site, path, name, arguments),
        Act::Set { path, expr, .. } => {
            let name = path.rsplit('.').next().unwrap_or(path);
            let path_text = path.trim_end_matches("[]");
            by_name(site.language, name, path_text, expr) || by_environment(site, path_text, expr)
        }
        Act::Entry { name, .. } => by_name(site.language, name, name, site.expr),
        Act::Return { .. } => false,
    };
    if disabled {
        let body = format!(
            "{} switches the check of the certificate off: anybody between here and the server can answer in its name, \
             read what is sent and change what comes back.",
            site.spoken()
        );
        dangers.push(site.danger(&DISABLED, Severity::High, body));
    }
}

fn is(expr: &Expr, values: &[&str]) -> bool {
    match &expr.kind {
        ExprKind::Constant(text) | ExprKind::Text(text) => values.contains(&text.as_str()),
        ExprKind::Name(name) | ExprKind::Member(_, name) => values.contains(&name.as_str()),
        ExprKind::Index(..)
        | ExprKind::Call(_)
        | ExprKind::Join(_)
        | ExprKind::List(_)
        | ExprKind::Record(_)
        | ExprKind::Either(_)
        | ExprKind::Operator(..)
        | ExprKind::Function(_)
        | ExprKind::Buffer(_)
        | ExprKind::Other(_) => false,
    }
}

const OFF: [&str; 6] = ["False", "false", "0", "FALSE", "off", "nil"];
const ON: [&str; 3] = ["True", "true", "1"];

/// A setting by its name, wherever it is set.
fn by_name(language: Language, name: &str, path: &str, value: &Expr) -> bool {
    match language {
        Language::Python => match name {
            "verify" => {
                path.contains("session") && is(value, &OFF) || path == "self.verify" && is(value, &OFF)
            }
            "check_hostname" => is(value, &OFF),
            "verify_mode" => is(value, &["CERT_NONE"]),
            "_create_default_https_context" => is(value, &["_create_unverified_context"]),
            _ => false,
        },
        Language::JavaScript | Language::TypeScript | Language::Tsx => match name {
            "rejectUnauthorized" | "strictSSL" => is(value, &OFF),
            _ => false,
        },
        Language::Go => name == "InsecureSkipVerify" && is(value, &ON),
        Language::Ruby => {
            matches!(name, "verify_mode" | "ssl_verify_mode") && is(value, &["VERIFY_NONE"])
                || name == "verify_ssl" && is(value, &["VERIFY_NONE", "false"])
        }
        Language::Php => {
            matches!(
                name,
                "verify_peer" | "verify_peer_name" | "CURLOPT_SSL_VERIFYPEER" | "CURLOPT_SSL_VERIFYHOST"
            ) && is(value, &OFF)
        }
        Language::Bash
        | Language::C
        | Language::Cpp
        | Language::CSharp
        | Language::Java
        | Language::Kotlin
        | Language::Rust => false,
    }
}

fn by_environment(site: &Site<'_>, path: &str, value: &Expr) -> bool {
    let _ = path;
    site.text().contains("node_tls_reject_unauthorized") && is(value, &OFF)
}

fn by_call(site: &Site<'_>, path: &str, name: &str, arguments: &[super::danger::Given<'_>]) -> bool {
    let named = |wanted: &str, values: &[&str]| {
        arguments.iter().any(|given| given.name == Some(wanted) && is(given.expr, values))
    };
    let at = |place: usize, values: &[&str]| arguments.get(place).is_some_and(|given| is(given.expr, values));
    match site.language {
        Language::Python => {
            // Libraries that talk to servers; many other functions have something to verify.
            let talks = ["requests", "session", "httpx", "client", "aiohttp", "http", "urllib3", "boto3"]
                .iter()
                .any(|word| path.to_ascii_lowercase().contains(word))
                || matches!(name, "get" | "post" | "put" | "delete" | "patch" | "head" | "request" | "AsyncClient" | "Client");
            named("verify", &["False"]) && talks
                || named("verify_ssl", &["False"])
                || named("cert_reqs", &["CERT_NONE"])
                || named("ssl", &["False"]) && path.contains("aiohttp")
                || matches!(path, "ssl._create_unverified_context")
                || named("validate_certs", &["False"]) && talks
        }
        Language::Ruby => {
            named("verify", &["false"]) && path.contains("HTTP")
                || named("verify_ssl", &["false", "VERIFY_NONE"])
                || named("verify_mode", &["VERIFY_NONE"])
                || named("ssl_verify_mode", &["VERIFY_NONE"])
        }
        Language::Php => {
            (name == "curl_setopt" && at(1, &["CURLOPT_SSL_VERIFYPEER", "CURLOPT_SSL_VERIFYHOST"]) && at(2, &OFF))
                || (name == "withoutVerifying")
        }
        Language::C | Language::Cpp => {
            (name == "curl_easy_setopt"
                && at(1, &["CURLOPT_SSL_VERIFYPEER", "CURLOPT_SSL_VERIFYHOST"])
                && arguments.get(2).is_some_and(|given| matches!(&given.expr.kind, ExprKind::Constant(text) if text.trim_end_matches(['L', 'l', 'u', 'U']) == "0")))
                || (matches!(name, "SSL_CTX_set_verify" | "SSL_set_verify") && at(1, &["SSL_VERIFY_NONE"]))
        }
        Language::Rust => {
            matches!(name, "danger_accept_invalid_certs" | "danger_accept_invalid_hostnames") && at(0, &["true"])
                || name == "set_verify" && arguments.first().is_some_and(|given| is(given.expr, &["NONE"]))
        }
        Language::Java | Language::Kotlin => {
            at(0, &["INSTANCE"]) && site.text().contains("noophostnameverifier")
                || name == "setHostnameVerifier" && (site.text().contains("allow_all") || accepts_all(arguments))
                || name == "setDefaultHostnameVerifier" && accepts_all(arguments)
                || name == "loadTrustMaterial" && (site.text().contains("trustall") || accepts_all(arguments))
        }
        Language::Go | Language::JavaScript | Language::TypeScript | Language::Tsx | Language::Bash | Language::CSharp => false,
    }
}

/// Whether an argument is a function that says yes to everything.
fn accepts_all(arguments: &[super::danger::Given<'_>]) -> bool {
    arguments.iter().any(|given| {
        let ExprKind::Function(function) = &given.expr.kind else { return false };
        match function.body.as_slice() {
            [code::Step::Do(value) | code::Step::Return(Some(value))] => is(value, &ON),
            [..] => false,
        }
    })
}
