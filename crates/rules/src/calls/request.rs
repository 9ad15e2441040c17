//! Requests that a stranger steers: other servers, other pages, other files by way of XML; and cookies.

use code::{ExprKind, Language};
use review::Severity;

use super::cleaner;
use super::danger::{Act, Danger, Site};
use super::value::{Clean, Hole, Origin, Part, Value};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static REDIRECT: Rule = Rule {
    id: "calls/open-redirect",
    category: "security/injection",
    severity: Severity::Medium,
    summary: "a request chooses the page that a visitor is sent to",
    reason: "A link to this site that leads elsewhere is what fraudulent mail is made of, and a redirect behind a login \
             hands tokens to a stranger. Send visitors to paths of this site, or to addresses of a list.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "app/controllers/sessions_controller.rb",
        beside: &[],
        before: Some("class SessionsController\nend\n"),
        after: "class SessionsController\n  def create\n    redirect_to params[:return_to]\n  end\nend\n",
    },
    good: Example {
        path: "app/controllers/sessions_controller.rb",
        beside: &[],
        before: Some("class SessionsController\nend\n"),
        after: "class SessionsController\n  def create\n    redirect_to root_path\n  end\nend\n",
    },
};

pub(super) static FORGERY: Rule = Rule {
    id: "calls/server-side-request",
    category: "security/injection",
    severity: Severity::High,
    summary: "a request chooses the server that this one calls",
    reason: "This server reaches what strangers do not: services inside the network, and the cloud's metadata with its \
             credentials. An address of a stranger is checked against a list of hosts before it is called.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/proxy.go",
        beside: &[],
        before: Some("package web\n"),
        after: "package web\n\nfunc proxy(w http.ResponseWriter, r *http.Request) {\n\tanswer, err := \
                http.Get(r.URL.Query().Get(\"url\"))\n\tuse(answer, err)\n}\n",
    },
    good: Example {
        path: "web/proxy.go",
        beside: &[],
        before: Some("package web\n"),
        after: "package web\n\nfunc proxy(w http.ResponseWriter, r *http.Request) {\n\tanswer, err := \
                http.Get(\"https://feeds.example.org/\" + url.QueryEscape(r.URL.Query().Get(\"name\")))\n\tuse(answer, err)\n}\n",
    },
};

pub(super) static ENTITIES: Rule = Rule {
    id: "calls/xml-external-entities",
    category: "security/information-leak",
    severity: Severity::Medium,
    summary: "XML may name files and addresses that the parser then reads",
    reason: "An entity of the document can stand for a local file or an address inside the network: the parser fetches \
             it and puts it into the text, where the sender reads it. Parsers can be told to leave entities alone.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "feeds/read.py",
        beside: &[],
        before: Some("from lxml import etree\n"),
        after: "from lxml import etree\n\ndef read(text):\n    return etree.fromstring(text, etree.XMLParser(resolve_entities=True, no_network=False))\n",
    },
    good: Example {
        path: "feeds/read.py",
        beside: &[],
        before: Some("from lxml import etree\n"),
        after: "from lxml import etree\n\ndef read(text):\n    return etree.fromstring(text, etree.XMLParser(resolve_entities=False))\n",
    },
};

pub(super) static COOKIE: Rule = Rule {
    id: "calls/insecure-cookie",
    category: "security/information-leak",
    severity: Severity::Low,
    summary: "a cookie is told to travel without encryption, or to be open to scripts",
    reason: "A cookie without Secure is sent in the clear on the first plain request, and one without HttpOnly can be \
             read by any script that gets into a page. For a session both are what keeps it the visitor's.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/main/java/Login.java",
        beside: &[],
        before: Some("class Login {\n}\n"),
        after: "class Login {\n    void remember(HttpServletResponse response, Cookie cookie) {\n        cookie.setSecure(false);\n        response.addCookie(cookie);\n    }\n}\n",
    },
    good: Example {
        path: "src/main/java/Login.java",
        beside: &[],
        before: Some("class Login {\n}\n"),
        after: "class Login {\n    void remember(HttpServletResponse response, Cookie cookie) {\n        cookie.setSecure(true);\n        response.addCookie(cookie);\n    }\n}\n",
    },
};

pub(super) static TRUST: Rule = Rule {
    id: "calls/trusted-session-value",
    category: "security/authorization",
    severity: Severity::Low,
    summary: "what a request says is kept in the session under a name of its own",
    reason: "The rest of the program takes what stands in the session for checked. A name that the request chooses can \
             overwrite any of it, such as who is logged in.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/main/java/Settings.java",
        beside: &[],
        before: Some("class Settings {\n}\n"),
        after: "class Settings {\n    void keep(HttpServletRequest request) {\n        \
                request.getSession().setAttribute(request.getParameter(\"name\"), \"on\");\n    }\n}\n",
    },
    good: Example {
        path: "src/main/java/Settings.java",
        beside: &[],
        before: Some("class Settings {\n}\n"),
        after: "class Settings {\n    void keep(HttpServletRequest request) {\n        \
                request.getSession().setAttribute(\"compact\", \"on\");\n    }\n}\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    match &site.act {
        Act::Call { path, name, arguments, .. } => {
            for (place, given) in arguments.iter().enumerate() {
                if given.name.is_some_and(|name| !matches!(name, "url" | "location" | "to")) {
                    continue;
                }
                if redirects(site.language, path, name)
                    && steered(
                        site,
                        &REDIRECT,
                        Severity::Medium,
                        &given.value,
                        "A link to this site can lead to any other. Allow paths of this site only.",
                        dangers,
                    )
                {
                    return;
                }
                // The address comes first, or behind a context or a method.
                let is_address = place == usize::from(matches!(*name, "request" | "NewRequest"))
                    || place == 2 && *name == "NewRequestWithContext"
                    || given.name == Some("url");
                if is_address
                    && requests(site.language, path, name)
                    && steered(
                        site,
                        &FORGERY,
                        Severity::High,
                        &given.value,
                        "It can name servers that only this one reaches. Check the host against a list.",
                        dangers,
                    )
                {
                    return;
                }
            }
            entities(site, path, name, dangers);
            cookie(site, path, name, dangers);
            session(site, path, name, dangers);
        }
        Act::Set { path, value, .. } => {
            let is_location = matches!(
                *path,
                "location.href" | "window.location" | "window.location.href" | "document.location"
            );
            if is_location
                && matches!(site.language, Language::JavaScript | Language::TypeScript | Language::Tsx)
            {
                // In the browser, a script in the address runs as well.
                steered(
                    site,
                    &REDIRECT,
                    Severity::Medium,
                    value,
                    "An address that begins with javascript: runs as a script, and any other leads away.",
                    dangers,
                );
            }
        }
        Act::Entry { .. } | Act::Return { .. } => {}
    }
}

/// Reports a value whose beginning a request decides; tells whether it did.
fn steered(
    site: &Site<'_>,
    rule: &'static Rule,
    severity: Severity,
    value: &Value,
    harm: &str,
    dangers: &mut Vec<Danger>,
) -> bool {
    let Some(hole) = value.worst(Clean::URL) else { return false };
    // Whoever sends the visitor here is whom the visitor goes back to.
    if hole.name.contains("eferer") || hole.name.contains("eferrer") {
        return false;
    }
    if hole.origin != Origin::Request || !decides_host(&before(value, hole)) {
        return false;
    }
    dangers.push(site.danger_of(rule, severity, hole, value, harm));
    true
}

/// What stands before a hole, with a word for each other hole.
fn before(value: &Value, hole: &Hole) -> String {
    value
        .parts
        .iter()
        .map_while(|part| match part {
            Part::Text(text, _) => Some(&**text),
            Part::Hole(other) => (!std::ptr::eq(other, hole)).then_some("it/"),
        })
        .collect()
}

/// Whether what follows a text in an address still decides the host.
fn decides_host(prefix: &str) -> bool {
    match prefix.split_once("://") {
        Some((_, host)) => !host.contains(['/', '?', '#']),
        // A path of this site, unless it is the beginning of `//host`.
        // PHP writes the header by hand.
        None => {
            let is_location = prefix.trim().eq_ignore_ascii_case("location:");
            prefix.trim().is_empty() || prefix == "/" || is_location
        }
    }
}

fn redirects(language: Language, path: &str, name: &str) -> bool {
    match language {
        Language::Python => {
            matches!(name, "redirect" | "HttpResponseRedirect" | "RedirectResponse" | "HTTPFound")
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            matches!(
                path,
                "res.redirect"
                    | "response.redirect"
                    | "ctx.redirect"
                    | "reply.redirect"
                    | "NextResponse.redirect"
                    | "location.assign"
                    | "location.replace"
                    | "window.location.assign"
                    | "window.location.replace"
                    | "window.open"
            )
        }
        Language::Java | Language::Kotlin => name == "sendRedirect",
        Language::Go => matches!(path, "http.Redirect" | "c.Redirect" | "ctx.Redirect"),
        Language::Ruby => name == "redirect_to" || name == "redirect",
        Language::Php => matches!(name, "redirect" | "wp_redirect" | "header"),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp | Language::Rust => false,
    }
}

fn requests(language: Language, path: &str, name: &str) -> bool {
    let first = path.split('.').next().unwrap_or_default();
    let verb = matches!(name, "get" | "post" | "put" | "delete" | "head" | "patch" | "request" | "options");
    match language {
        Language::Python => {
            verb && matches!(first, "requests" | "httpx" | "aiohttp" | "session" | "urllib3")
                || matches!(name, "urlopen" | "urlretrieve")
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            matches!(
                path,
                "fetch"
                    | "axios"
                    | "got"
                    | "request"
                    | "needle"
                    | "superagent.get"
                    | "node-fetch"
                    | "undici.request"
            ) || verb && matches!(first, "axios" | "got" | "http" | "https" | "needle" | "request")
        }
        Language::Java | Language::Kotlin => {
            matches!(name, "openConnection" | "openStream") || verb && path.contains("restTemplate")
        }
        Language::Go => matches!(
            path,
            "http.Get"
                | "http.Post"
                | "http.Head"
                | "http.PostForm"
                | "http.NewRequest"
                | "http.NewRequestWithContext"
        ),
        Language::Ruby => {
            verb && matches!(first, "HTTParty" | "Faraday" | "RestClient" | "Excon" | "Typhoeus")
                || path == "URI.open"
                || path.starts_with("Net.HTTP.get")
        }
        Language::Php => matches!(path, "curl_init" | "fsockopen") || name == "curl_setopt",
        Language::Rust => matches!(path, "reqwest.get" | "reqwest.blocking.get"),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp => false,
    }
}

fn entities(site: &Site<'_>, path: &str, name: &str, dangers: &mut Vec<Danger>) {
    let Act::Call { arguments, .. } = &site.act else { return };
    let on = |wanted: &str| {
        arguments.iter().any(|given| {
            given.name == Some(wanted)
                && matches!(&given.expr.kind, ExprKind::Constant(text) if text == "True")
        })
    };
    let enabled = match site.language {
        Language::Python => name == "XMLParser" && on("resolve_entities"),
        Language::Php => {
            path.ends_with("libxml_disable_entity_loader") && site.text().contains("false")
                || site.text().contains("libxml_noent")
                    && matches!(name, "loadXML" | "load" | "simplexml_load_string" | "simplexml_load_file")
        }
        Language::Ruby => site.text().contains("parseoptions::noent") && name == "XML",
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            matches!(name, "parseXml" | "parseXmlString") && {
                let text: String = site.text().chars().filter(|sign| !sign.is_whitespace()).collect();
                text.contains("noent:true")
            }
        }
        Language::Java | Language::Kotlin => {
            matches!(cleaner::last(path), "newInstance" | "newFactory" | "newDefaultFactory")
                && ["DocumentBuilderFactory", "SAXParserFactory", "XMLInputFactory"]
                    .iter()
                    .any(|factory| path.contains(factory))
                && !["setFeature", "setProperty", "setAttribute", "setExpandEntityReferences", "XMLConstants"]
                    .iter()
                    .any(|guard| site.source.contains(guard))
                && site.function_text().contains(".parse(")
                && site.function_text().contains("equest")
        }
        Language::C | Language::Cpp => site.text().contains("xml_parse_noent"),
        Language::Bash | Language::CSharp | Language::Go | Language::Rust => false,
    };
    if enabled {
        let body = format!(
            "{} reads XML with its entities carried out: a document can name a file of this machine or an address inside \
             the network, and find it in its text.",
            site.spoken()
        );
        dangers.push(site.danger(&ENTITIES, Severity::Medium, body));
    }
}

fn cookie(site: &Site<'_>, path: &str, name: &str, dangers: &mut Vec<Danger>) {
    let Act::Call { arguments, .. } = &site.act else { return };
    let is_off = matches!(arguments.first().map(|given| &given.expr.kind), Some(ExprKind::Constant(text)) if text == "false");
    let about_cookie = path.to_ascii_lowercase().contains("cookie")
        || site.function_text().contains("new Cookie")
        || site.function_text().contains(".Cookie(");
    if matches!(site.language, Language::Java | Language::Kotlin)
        && matches!(name, "setSecure" | "setHttpOnly")
        && is_off
        && about_cookie
    {
        let body = format!(
            "{} lets the cookie travel without encryption, or lets scripts read it: whoever listens, or gets a script into a page, has it.",
            site.spoken()
        );
        dangers.push(site.danger(&COOKIE, Severity::Low, body));
    }
}

fn session(site: &Site<'_>, path: &str, name: &str, dangers: &mut Vec<Danger>) {
    let Act::Call { arguments, .. } = &site.act else { return };
    if !matches!(site.language, Language::Java | Language::Kotlin)
        || !matches!(name, "setAttribute" | "putValue")
        || !path.to_ascii_lowercase().contains("session")
    {
        return;
    }
    for given in arguments.iter() {
        if let Some(hole) = given.value.worst(Clean::EVERYTHING)
            && hole.origin == Origin::Request
        {
            let harm = "What stands in the session is taken for checked by the rest of the program.";
            dangers.push(site.danger_of(&TRUST, Severity::Low, hole, &given.value, harm));
            return;
        }
    }
}
