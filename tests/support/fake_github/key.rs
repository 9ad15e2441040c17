//! The App's key, made for the test, and what it signs.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::world::{APP_ID, now};

/// Making one takes a while, and all tests may have the same.
static KEY: LazyLock<Arc<AppKey>> = LazyLock::new(|| Arc::new(AppKey::new()));

/// A key pair.
pub(crate) struct AppKey {
    pem: String,
    public: Vec<u8>,
}

impl AppKey {
    /// The one of this run.
    pub(crate) fn shared() -> Arc<Self> {
        KEY.clone()
    }

    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der = pair.as_der().expect("it can be written");
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        Self { pem, public: pair.public_key().as_ref().to_vec() }
    }

    /// The private half, as an operator has it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Whether a token is the App's and of now, by GitHub's rules.
    pub(crate) fn check(&self, token: &str) -> Result<(), String> {
        let (signed, signature) = token.rsplit_once('.').ok_or("it has no signature")?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "it is no base64".to_owned());
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public);
        public
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| "it is not signed with the app's key".to_owned())?;
        let (header, claims) = signed.split_once('.').ok_or("it has no claims")?;
        let json = |text: &str| -> Result<Value, String> {
            serde_json::from_slice(&decode(text)?).map_err(|_| "it is no JSON".to_owned())
        };
        if json(header)?["alg"] != "RS256" {
            return Err("its algorithm is not RS256".to_owned());
        }
        let claims = json(claims)?;
        let number = |name: &str| claims[name].as_u64().ok_or(format!("it has no {name}"));
        let (issued, expires) = (number("iat")?, number("exp")?);
        if claims["iss"].as_str() != Some(&APP_ID.to_string()) {
            return Err("it is not issued by the app".to_owned());
        }
        // Two seconds for what passes while a test runs.
        if !(now() - 62..=now() - 58).contains(&issued) {
            return Err(format!("it was issued at {issued}, not a minute ago"));
        }
        if expires <= now() || expires > issued + 600 || expires > now() + 600 {
            return Err(format!("it expires at {expires}, which is not within ten minutes"));
        }
        Ok(())
    }
}
