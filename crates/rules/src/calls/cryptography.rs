//! Cryptography that no longer keeps what it is there for.

use code::{Expr, ExprKind, Language};
use review::Severity;

use super::danger::{Act, Danger, Given, Site};
use super::value::Origin;
use crate::catalogue::{Example, Needs, Rule};

pub(super) static WEAK_HASH: Rule = Rule {
    id: "calls/weak-hash",
    category: "security/cryptography",
    severity: Severity::Medium,
    summary: "a broken or fast hash stands where security rests on it",
    reason: "Two inputs of one MD5 or SHA-1 can be made for the price of a coffee, and passwords behind any fast hash \
             are guessed by the billion a second. SHA-256 serves signatures, and Argon2, scrypt or bcrypt passwords.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "users/store.py",
        beside: &[],
        before: Some("import hashlib\n"),
        after: "import hashlib\n\ndef store_password(user, password):\n    user.secret = hashlib.md5(password.encode()).hexdigest()\n",
    },
    good: Example {
        path: "users/store.py",
        beside: &[],
        before: Some("import hashlib\n"),
        after: "import hashlib\n\ndef store_password(user, password, salt):\n    user.secret = hashlib.scrypt(password.encode(), \
                salt=salt, n=2**14, r=8, p=1)\n",
    },
};

pub(super) static WEAK_CIPHER: Rule = Rule {
    id: "calls/weak-cipher",
    category: "security/cryptography",
    severity: Severity::Medium,
    summary: "a cipher or a mode that does not keep the text secret",
    reason: "DES, 3DES and RC4 are broken or have blocks so small that traffic gives the text away; ECB shows equal \
             blocks as equal. AES-GCM or ChaCha20-Poly1305 keep the text secret and notice when it is changed.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/main/java/Vault.java",
        beside: &[],
        before: Some("class Vault {\n}\n"),
        after: "class Vault {\n    Cipher cipher() throws Exception {\n        return Cipher.getInstance(\"DES/ECB/PKCS5Padding\");\n    }\n}\n",
    },
    good: Example {
        path: "src/main/java/Vault.java",
        beside: &[],
        before: Some("class Vault {\n}\n"),
        after: "class Vault {\n    Cipher cipher() throws Exception {\n        return Cipher.getInstance(\"AES/GCM/NoPadding\");\n    }\n}\n",
    },
};

pub(super) static WEAK_RANDOM: Rule = Rule {
    id: "calls/weak-random",
    category: "security/cryptography",
    severity: Severity::Medium,
    summary: "a secret is made with random numbers that can be foretold",
    reason: "The usual generators are made for simulations: who sees a few of their numbers, or guesses when they \
             were started, knows the next ones, and with them the token, the password or the key.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "web/session.js",
        beside: &[],
        before: Some("exports.a = 1;\n"),
        after: "exports.a = 1;\nfunction newSessionToken() {\n  return Math.random().toString(36).slice(2);\n}\n",
    },
    good: Example {
        path: "web/session.js",
        beside: &[],
        before: Some("exports.a = 1;\n"),
        after: "exports.a = 1;\nfunction newSessionToken() {\n  return crypto.randomBytes(16).toString('hex');\n}\n",
    },
};

pub(super) static HARD_CODED_KEY: Rule = Rule {
    id: "calls/hard-coded-key",
    category: "security/cryptography",
    severity: Severity::Medium,
    summary: "a key or an initialization vector stands in the source",
    reason: "Everybody who has the program, or its repository, has the key. An initialization vector that is always the \
             same shows which texts begin alike, and with a stream mode gives the text away.",
    needs: Needs::FileOrHunk,
    bad: Example {
        path: "src/main/java/Vault.java",
        beside: &[],
        before: Some("class Vault {\n}\n"),
        after: "class Vault {\n    Key key() {\n        return new SecretKeySpec(\"0123456789abcdef\".getBytes(), \"AES\");\n    }\n}\n",
    },
    good: Example {
        path: "src/main/java/Vault.java",
        beside: &[],
        before: Some("class Vault {\n}\n"),
        after: "class Vault {\n    Key key(byte[] stored) {\n        return new SecretKeySpec(stored, \"AES\");\n    }\n}\n",
    },
};

pub(super) fn look(site: &Site<'_>, dangers: &mut Vec<Danger>) {
    match &site.act {
        Act::Call { path, name, arguments, creates, .. } => {
            hash(site, path, name, arguments, dangers);
            cipher(site, path, name, arguments, *creates, dangers);
            random(site, path, name, *creates, dangers);
            key(site, path, name, arguments, *creates, dangers);
        }
        Act::Set { .. } | Act::Entry { .. } | Act::Return { .. } => {}
    }
}

/// Names that say that a secret, or what is trusted, is at stake.
fn is_about_secrets(words: &str) -> bool {
    const SECRETS: [&str; 15] = [
        "password",
        "passwd",
        "passphrase",
        "credential",
        "secret",
        "signature",
        "sign_",
        "_sign",
        "token",
        "nonce",
        "otp",
        "hmac",
        "session",
        "csrf",
        "rememberme",
    ];
    SECRETS.iter().any(|word| words.contains(word))
}

/// The algorithm that a call names, in lower case with only letters and digits.
fn algorithm(given: Option<&Given<'_>>) -> String {
    let text = given.and_then(|given| given.value.known_text()).unwrap_or_default();
    text.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

fn hash(site: &Site<'_>, path: &str, name: &str, arguments: &[Given<'_>], dangers: &mut Vec<Danger>) {
    let weak = |algorithm: &str| matches!(algorithm, "md5" | "sha1" | "md4" | "md2" | "sha");
    let of_name = match site.language {
        Language::Python => {
            (path.starts_with("hashlib.") && weak(name))
                || (path == "hashlib.new" && weak(&algorithm(arguments.first())))
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            (name == "createHash" && weak(&algorithm(arguments.first())))
                || matches!(path, "md5" | "sha1" | "CryptoJS.MD5" | "CryptoJS.SHA1")
        }
        Language::Java | Language::Kotlin => {
            (path.ends_with("MessageDigest.getInstance") && weak(&algorithm(arguments.first())))
                || path.ends_with("DigestUtils.md5Hex")
                || path.ends_with("DigestUtils.sha1Hex")
        }
        Language::Go => matches!(path, "md5.New" | "md5.Sum" | "sha1.New" | "sha1.Sum"),
        Language::Ruby => {
            path.starts_with("Digest.MD5")
                || path.starts_with("Digest.SHA1")
                || path.starts_with("OpenSSL.Digest.MD5")
        }
        Language::Php => {
            matches!(path, "md5" | "sha1") || (path == "hash" && weak(&algorithm(arguments.first())))
        }
        Language::C | Language::Cpp => {
            matches!(path, "MD5" | "MD5_Init" | "SHA1" | "SHA1_Init" | "EVP_md5" | "EVP_sha1" | "MD4_Init")
        }
        Language::Rust => matches!(
            path,
            "md5.compute"
                | "Md5.new"
                | "Md5.digest"
                | "Sha1.new"
                | "Sha1.digest"
                | "md5.Md5.new"
                | "sha1.Sha1.new"
        ),
        Language::Bash | Language::CSharp => false,
    };
    let declared_harmless = arguments.iter().any(|given| given.name == Some("usedforsecurity"));
    if !of_name || declared_harmless {
        return;
    }
    let words = site.words();
    let is_java_digest = matches!(site.language, Language::Java | Language::Kotlin);
    let secret = is_about_secrets(&words) && !words.contains("checksum") && !words.contains("etag")
        // Java names the algorithm in one place and the data in another.
        || is_java_digest && is_about_secrets(&site.function_text().to_ascii_lowercase());
    if !secret {
        return;
    }
    let body = format!(
        "{} makes a digest that can be forged, and guessed for short inputs, and what is round it speaks of a secret or \
         a signature. Use SHA-256 or better, and for passwords Argon2, scrypt or bcrypt.",
        site.spoken()
    );
    dangers.push(site.danger(&WEAK_HASH, Severity::Medium, body));
}

fn cipher(
    site: &Site<'_>,
    path: &str,
    name: &str,
    arguments: &[Given<'_>],
    creates: bool,
    dangers: &mut Vec<Danger>,
) {
    let weak = match site.language {
        Language::Java | Language::Kotlin => {
            let named = arguments
                .first()
                .and_then(|given| given.value.known_text())
                .unwrap_or_default()
                .to_ascii_uppercase();
            let mode = named.split('/').nth(1).unwrap_or_default();
            let base = named.split('/').next().unwrap_or_default();
            path.ends_with("Cipher.getInstance")
                && (matches!(base, "DES" | "DESEDE" | "RC4" | "ARCFOUR" | "RC2" | "BLOWFISH")
                    || (mode == "ECB" && base != "RSA")
                    || named == "AES")
        }
        Language::Python => {
            matches!(
                path,
                "DES.new"
                    | "DES3.new"
                    | "ARC4.new"
                    | "ARC2.new"
                    | "Blowfish.new"
                    | "Crypto.Cipher.DES.new"
                    | "Crypto.Cipher.ARC4.new"
                    | "Cryptodome.Cipher.DES.new"
            ) || (name == "new"
                && path.contains("AES")
                && arguments.iter().any(|given| ends_with(given.expr, "MODE_ECB")))
                || matches!(
                    path,
                    "modes.ECB" | "algorithms.ARC4" | "algorithms.TripleDES" | "algorithms.Blowfish"
                )
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let named = arguments
                .first()
                .and_then(|given| given.value.known_text())
                .unwrap_or_default()
                .to_ascii_lowercase();
            matches!(name, "createCipheriv" | "createDecipheriv")
                && (named.starts_with("des") || named.starts_with("rc4") || named.contains("-ecb") || named.starts_with("bf"))
                // The key is made of a password by one round of MD5.
                || name == "createCipher" && path.contains("crypto")
        }
        Language::Go => matches!(path, "des.NewCipher" | "des.NewTripleDESCipher" | "rc4.NewCipher"),
        Language::Php => {
            let named = arguments
                .get(1)
                .and_then(|given| given.value.known_text())
                .unwrap_or_default()
                .to_ascii_lowercase();
            matches!(path, "openssl_encrypt" | "openssl_decrypt")
                && (named.starts_with("des") || named.starts_with("rc4") || named.contains("-ecb"))
                || matches!(path, "mcrypt_encrypt" | "mcrypt_decrypt")
        }
        Language::Ruby => {
            let named = arguments
                .first()
                .and_then(|given| given.value.known_text())
                .unwrap_or_default()
                .to_ascii_lowercase();
            path.starts_with("OpenSSL.Cipher")
                && (named.starts_with("des") || named.starts_with("rc4") || named.contains("ecb"))
        }
        Language::C | Language::Cpp => {
            matches!(
                path,
                "EVP_des_ecb"
                    | "EVP_des_cbc"
                    | "EVP_rc4"
                    | "DES_ecb_encrypt"
                    | "DES_set_key"
                    | "RC4"
                    | "EVP_aes_128_ecb"
                    | "EVP_aes_256_ecb"
            )
        }
        Language::Rust | Language::Bash | Language::CSharp => false,
    };
    if weak {
        let what = if creates { "This object" } else { "This cipher" };
        let body = format!(
            "{what} ({}) does not keep the text secret: DES, RC4 and their like can be broken, and without a mode, or in \
             ECB, equal blocks look equal. Use AES-GCM or ChaCha20-Poly1305.",
            site.spoken()
        );
        dangers.push(site.danger(&WEAK_CIPHER, Severity::Medium, body));
    }
}

fn ends_with(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(found) | ExprKind::Member(_, found) if found == name)
}

fn random(site: &Site<'_>, path: &str, name: &str, creates: bool, dangers: &mut Vec<Danger>) {
    let predictable = match site.language {
        Language::Python => {
            matches!(
                path,
                "random.random"
                    | "random.randint"
                    | "random.choice"
                    | "random.choices"
                    | "random.randrange"
                    | "random.getrandbits"
                    | "random.sample"
                    | "random.uniform"
                    | "numpy.random.randint"
            )
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => path == "Math.random",
        Language::Java | Language::Kotlin => {
            creates && matches!(path, "Random" | "java.util.Random")
                || path.ends_with("Math.random")
                || path.contains("RandomStringUtils.random")
                || path.contains("ThreadLocalRandom")
        }
        Language::Go => {
            path.starts_with("rand.")
                && matches!(
                    name,
                    "Intn" | "Int" | "Int63" | "Int31n" | "Int63n" | "Uint32" | "Float64" | "Perm"
                )
        }
        Language::Ruby => matches!(path, "rand" | "Random.rand" | "Random.new" | "Kernel.rand"),
        Language::Php => {
            matches!(path, "rand" | "mt_rand" | "uniqid" | "lcg_value" | "array_rand" | "str_shuffle")
        }
        Language::C | Language::Cpp => matches!(path, "rand" | "random" | "drand48" | "std.rand"),
        Language::Rust | Language::Bash | Language::CSharp => false,
    };
    if !predictable {
        return;
    }
    let place = format!("{} {}", site.scene.name.rsplit('.').next().unwrap_or_default(), site.scene.target)
        .to_ascii_lowercase();
    let squeezed: String = place.chars().filter(|sign| *sign != '_').collect();
    const SECRETS: [&str; 24] = [
        "password",
        "passwd",
        "secret",
        "sessionid",
        "sessionkey",
        "sessiontoken",
        "otp",
        "csrf",
        "apikey",
        "privatekey",
        "verificationcode",
        "resetcode",
        "rememberme",
        "invitecode",
        "authcode",
        "accesstoken",
        "authtoken",
        "apitoken",
        "resettoken",
        "verificationtoken",
        "invitetoken",
        "bearertoken",
        "encryptionkey",
        "signingkey",
    ];
    // These name secrets, and as often what only has to differ.
    const MAYBE: [&str; 3] = ["token", "nonce", "salt"];
    let named = |words: &[&str]| words.iter().any(|word| squeezed.contains(word));
    let mut severity =
        if named(&SECRETS) { Some(Severity::Medium) } else { named(&MAYBE).then_some(Severity::Low) };
    if squeezed.contains("tokenize") || squeezed.contains("tokens") {
        severity = None;
    }
    if severity.is_none() && matches!(site.language, Language::Java | Language::Kotlin) {
        // What a number becomes may be told a line further on.
        let text: String =
            site.function_text().to_ascii_lowercase().chars().filter(|sign| *sign != '_').collect();
        let told =
            ["rememberme", "sessiontoken", "resettoken", "newpassword", "generatepassword", "csrftoken"];
        severity = told.iter().any(|word| text.contains(word)).then_some(Severity::Medium);
    }
    if let Some(severity) = severity {
        let body = format!(
            "{} can be foretold by who has seen a few of its numbers, and what it makes here is named like a secret. Take \
             the numbers from the system's secure generator.",
            site.spoken()
        );
        dangers.push(site.danger(&WEAK_RANDOM, severity, body));
    }
}

fn key(
    site: &Site<'_>,
    path: &str,
    name: &str,
    arguments: &[Given<'_>],
    creates: bool,
    dangers: &mut Vec<Danger>,
) {
    let place = match site.language {
        Language::Java | Language::Kotlin => (creates
            && matches!(name, "SecretKeySpec" | "IvParameterSpec" | "DESKeySpec" | "PBEKeySpec"))
        .then_some(0),
        Language::Python => {
            (name == "new" && (path.contains("AES") || path.contains("DES") || path.contains("ARC4")))
                .then_some(0)
                .or_else(|| {
                    matches!(path, "jwt.encode" | "Fernet" | "fernet.Fernet")
                        .then_some(if path == "jwt.encode" { 1 } else { 0 })
                })
        }
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            matches!(name, "createCipheriv" | "createDecipheriv")
                .then_some(1)
                .or_else(|| (path == "jwt.sign" || path == "jsonwebtoken.sign").then_some(1))
        }
        Language::Go => {
            matches!(path, "aes.NewCipher" | "hmac.New").then_some(usize::from(path == "hmac.New"))
        }
        Language::Php => matches!(path, "openssl_encrypt" | "openssl_decrypt").then_some(2),
        Language::Bash | Language::C | Language::Cpp | Language::CSharp | Language::Ruby | Language::Rust => {
            None
        }
    };
    let Some(given) = place.and_then(|place| arguments.get(place)) else { return };
    let is_written = match given.value.known_text() {
        Some(text) => text.len() >= 4 && given.value.origin() == Origin::Constant,
        None => false,
    };
    if is_written {
        let body = format!(
            "{} is given a key or an initialization vector that stands in the source: whoever has the program or its \
             repository can read and forge what it protects. Take it from where secrets are kept.",
            site.spoken()
        );
        dangers.push(site.danger(&HARD_CODED_KEY, Severity::Medium, body));
    }
}
