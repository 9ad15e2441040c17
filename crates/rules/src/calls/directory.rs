//! Questions to directories and documents that are put together from text: LDAP and XPath.

use review::Severity;

use super::danger::{Act, Danger, Site};
use super::value::{Clean, Origin};
use crate::catalogue::{Example, Needs, Rule};

pub(super) static LDAP: Rule = Rule {
    id: "calls/ldap-injection",
    category: "security/injection",
    severity: Severity::High,
    summary: "an LDAP filter is put together from a request",
    reason: "A value with ( ) * | in it changes the filter: a login finds a user without the password, a search finds \
             everybody. Filter arguments, or the library's escaping, keep a value a value.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "auth/find.py",
        beside: &[],
        before: Some("from flask import request\n"),
        after: "from flask import request\n\ndef find(connection):\n    return connection.search_s('dc=example', 2, \
                '(uid=' + request.form['user'] + ')')\n",
    },
    good: Example {
        path: "auth/find.py",
        beside: &[],
        before: Some("from flask import request\n"),
        after: "from flask import request\n\ndef find(connection):\n    user = escape_filter_chars(request.form['user'])\n    \
                return connection.search_s('dc=example', 2, '(uid=' + user + ')')\n",
    },
};

pub(super) static XPATH: Rule = Rule {
    id: "calls/xpath-injection",
    category: "security/injection",
    severity: Severity::High,
    summary: "an XPath expression is put together from a request",
    reason: "A value with a quote in it ends the text of the expression and goes on as XPath: conditions are got round \
             and the whole document can be read. Variables of the expression keep a value a value.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/main/java/Users.java",
        beside: &[],
        before: Some("class Users {\n}\n"),
        after: "class Users {\n    String find(XPath xpath, HttpServletRequest request, Object doc) throws Exception {\n        \
                String name = request.getParameter(\"name\");\n        return xpath.evaluate(\"//user[name='\" + name + \"']\", doc);\n    }\n}\n",
    },
    good: Example {
        path: "src/main/java/Users.java",
        beside: &[],
        before: Some("class Users {\n}\n"),
        after: "class Users {\n    String find(XPath xpath, HttpServletRequest request, Object doc) throws Exception {\n        \
                return xpath.evaluate(\"//user[name=$name]\", doc);\n    }\n}\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    let Act::Call { path, name, arguments, .. } = &site.act else { return };
    for given in arguments.iter() {
        let Some(hole) = given.value.worst(Clean::SQL) else { continue };
        if hole.origin != Origin::Request || given.value.items.is_some() {
            continue;
        }
        let text = given.value.text_around_holes();
        let about_path = path.to_ascii_lowercase();
        let is_xpath = matches!(
            name.to_ascii_lowercase().as_str(),
            "evaluate" | "compile" | "xpath" | "selectnodes" | "selectsinglenode" | "find" | "query"
        ) && (about_path.contains("xp") || text.contains("//"))
            && (text.contains("[") || text.contains("//"));
        let is_ldap =
            name.to_ascii_lowercase().contains("search") && text.contains('(') && text.contains('=');
        let (rule, harm) = if is_xpath {
            (&XPATH, "A value with a quote in it goes on as XPath and gets round the condition.")
        } else if is_ldap {
            (&LDAP, "A value such as *)(uid=* changes what the filter asks for.")
        } else {
            continue;
        };
        dangers.push(site.danger_of(rule, Severity::High, hole, &given.value, harm));
        return;
    }
}
