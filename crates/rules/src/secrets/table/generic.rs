//! Secrets of no one issuer, known by their armour or by what stands round them.

use review::Severity::{Critical, High, Medium};

use super::super::format::{Check, Format, Shape, assigned, token, within};

pub(super) const FORMATS: &[Format] = &[
    Format {
        shape: Shape::Block,
        ..token("secrets/private-key", "private key", Critical, &["private key-----", "private key block-----"], "", "")
    },
    token("secrets/jwt", "JSON Web Token", Medium, &["eyj"], r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.(?:[A-Za-z0-9_-]{16,})?", "{jwt}")
        .check(Check::Jwt)
        .reach(4096),
    // As `client-key-data` of a kubeconfig and in Kubernetes secrets; the start is that of `-----BEGIN `.
    token(
        "secrets/encoded-private-key",
        "private key",
        Critical,
        &["ls0tls1crudjti"],
        "LS0tLS1CRUdJTi[A-Za-z0-9+/]{64,}={0,2}",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t{s200}",
    )
    .check(Check::EncodedKey)
    .reach(8192),
    within(
        "secrets/registry-auth",
        "registry credentials",
        Critical,
        &["\"auth\""],
        r#""auth"[ \t]{0,4}:[ \t]{0,4}"(?P<secret>[A-Za-z0-9+/]{8,400}={0,2})""#,
        "\"auth\": \"{credentials}\"",
    )
    .check(Check::EncodedCredentials),
    within(
        "secrets/netrc-password",
        "password of a netrc file",
        High,
        &["machine "],
        r#"machine[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}login[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}password[ \t]{1,4}(?P<secret>[^\s"'`)]{4,128})"#,
        "machine git.internal login deploy password {b16}",
    )
    .check(Check::Password),
    within(
        "secrets/url-password",
        "password in a connection string",
        High,
        &["://"],
        r#"://[^\s:/@"'<>]{0,128}:(?P<secret>[^\s:@/"'<>]{3,256})@[A-Za-z0-9\[]"#,
        "postgres://app:{b16}@db.internal/app",
    )
    .entropy(2.0)
    .check(Check::Password),
    within(
        "secrets/authorization-header",
        "credential in an Authorization header",
        High,
        &["authorization"],
        r#"(?i:authorization)["'\\]{0,3}[ \t]{0,4}[:=,(][ \t]{0,4}[\\"'`]{0,3}(?:[A-Za-z-]{3,20}[ \t]{1,4})?(?P<secret>[A-Za-z0-9_.~+/=-]{16,2048})"#,
        "curl -H \"Authorization: Bearer {b40}\"",
    )
    .entropy(3.0)
    .check(Check::Random)
    .reach(2048),
    within(
        "secrets/command-line-password",
        "user and password on a command line",
        High,
        &["-u ", "-u\"", "-u'", "--user ", "--user="],
        r#"(?:-u|--user)[ \t=]{0,3}["']{0,2}[A-Za-z0-9_.@+{}-]{0,64}["']{0,2}:["']{0,2}(?P<secret>[^\s"'`:]{6,128})"#,
        "curl -u deploy:{b16} https://api.internal/",
    )
    .entropy(2.5)
    .check(Check::Random),
    assigned(
        "secrets/password-assignment",
        "password",
        Medium,
        &["password", "passwd", "passphrase", "pwd"],
        r#"[^\s"'`,;]{8,128}"#,
        "password = \"{b14}\"",
    )
    .entropy(2.5)
    .check(Check::Password),
    assigned(
        "secrets/key-assignment",
        "key or token",
        Medium,
        &[
            "secret", "token", "api_key", "apikey", "api-key", "access_key", "accesskey", "auth_key", "private_key",
            "credential", "signing_key", "encryption_key",
        ],
        r"[A-Za-z0-9_.+/=~-]{16,256}",
        "api_key: \"{b32}\"",
    )
    .entropy(3.0)
    .check(Check::Random),
];
