//! Secrets that are known by what stands round them.

use review::Severity::{High, Medium};

use super::super::format::{Check, Format, Shape, assigned, token, within};

pub(super) const FORMATS: &[Format] = &[
    Format {
        shape: Shape::Block,
        ..token(
            "secrets/private-key",
            "private key",
            review::Severity::Critical,
            &["private key-----", "private key block-----"],
            "",
        )
    },
    token(
        "secrets/jwt",
        "JSON Web Token",
        Medium,
        &["eyj"],
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",
    )
    .check(Check::Jwt)
    .reach(4096),
    within(
        "secrets/url-password",
        "password in a connection string",
        High,
        &["://"],
        r#"://[^\s:/@"'<>]{0,128}:(?P<secret>[^\s:@/"'<>]{3,256})@[A-Za-z0-9\[]"#,
    )
    .entropy(2.0)
    .check(Check::Password),
    assigned(
        "secrets/password-assignment",
        "password",
        Medium,
        &["password", "passwd", "passphrase", "pwd"],
        r#"[^\s"'`,;]{8,128}"#,
    )
    .entropy(2.5)
    .check(Check::Password),
    assigned(
        "secrets/key-assignment",
        "key or token",
        Medium,
        &[
            "secret",
            "token",
            "api_key",
            "apikey",
            "api-key",
            "access_key",
            "accesskey",
            "auth_key",
            "private_key",
            "credential",
        ],
        r"[A-Za-z0-9_.+/=~-]{16,256}",
    )
    .entropy(3.3)
    .check(Check::Random),
];
