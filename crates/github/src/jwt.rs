//! The App's own credential: a JSON Web Token of a few minutes, signed with the App's key (RS256).
//!
//! The signature is `aws-lc-rs`'s, which TLS has in the program anyway; round it are three lines of base64.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// How far in the past a token says that it was made, for clocks that differ: what GitHub's documentation advises.
const BACKDATED: Duration = Duration::from_secs(60);

/// How long a token holds from now on. With what it is backdated by these are the ten minutes that GitHub allows.
const VALID: Duration = Duration::from_secs(540);

/// An App's key.
pub(crate) struct SigningKey {
    app_id: u64,
    key: RsaKeyPair,
}

/// A text that is no App's key. It is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the app's private key {0}")]
pub struct BadKey(&'static str);

impl SigningKey {
    /// Takes a key as GitHub hands it out (PEM, PKCS #1) or as other tools write it (PKCS #8).
    pub(crate) fn new(app_id: u64, pem: &SecretString) -> Result<Self, BadKey> {
        // Environment variables often carry the lines of a file with their ends written out.
        let pem = pem.expose_secret().replace("\\n", "\n");
        let der =
            PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| BadKey("is no private key in PEM"))?;
        let key = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(BadKey("is not for RSA")),
        };
        Ok(Self { app_id, key: key.map_err(|_| BadKey("is no RSA key of 2048 bits or more"))? })
    }

    /// A token that holds for nine minutes from a time on.
    pub(crate) fn token(&self, now: SystemTime) -> SecretString {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = json!({
            "iat": now.saturating_sub(BACKDATED).as_secs(),
            "exp": (now + VALID).as_secs(),
            "iss": self.app_id.to_string(),
        });
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&json!({"alg": "RS256", "typ": "JWT"})), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("the buffer has the key's length");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn pem(key: &KeyPair) -> String {
        let der = key.as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }

    #[test]
    fn a_token_is_backdated_a_minute_and_holds_less_than_ten() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        for pem in [pem(&key), pem(&key).replace('\n', "\\n")] {
            let signing = SigningKey::new(77, &pem.into()).unwrap();
            let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
            let token = signing.token(now);
            let (signed, signature) = token.expose_secret().rsplit_once('.').unwrap();
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
            public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
            let (_, claims) = signed.split_once('.').unwrap();
            let claims: serde_json::Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
            assert_eq!(claims, json!({"iat": 999_940, "exp": 1_000_540, "iss": "77"}));
        }
    }

    #[test]
    fn what_is_no_rsa_key_is_refused_without_being_shown() {
        for text in [
            "",
            "hunter2",
            "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN EC PRIVATE KEY-----\naHVudGVyMg==\n-----END EC PRIVATE KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\naHVudGVyMg==\n-----END PUBLIC KEY-----\n",
        ] {
            let error = SigningKey::new(1, &text.into()).err().expect(text).to_string();
            assert!(error.contains("private key") && !error.contains("hunter2"), "{error}");
        }
    }
}
