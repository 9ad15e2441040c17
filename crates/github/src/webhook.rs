//! Whether a delivery is GitHub's: HMAC-SHA256 over its bytes as they came, before anybody reads them.
//!
//! The secret is the one that the operator configured. Nothing in a delivery chooses it.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// What stands before the digest in the header `X-Hub-Signature-256`.
const PREFIX: &[u8] = b"sha256=";

/// The webhook's secret, and the one before it while they are exchanged.
pub struct Secrets {
    current: hmac::Key,
    previous: Option<hmac::Key>,
}

impl Secrets {
    /// Takes the secret that GitHub signs with, and the one that it signed with until a moment ago.
    ///
    /// # Errors
    /// A secret that is empty or blank: with it anybody could sign.
    pub fn new(current: &SecretString, previous: Option<&SecretString>) -> Result<Self, EmptySecret> {
        let key = |secret: &SecretString| {
            let secret = secret.expose_secret();
            if secret.trim().is_empty() {
                return Err(EmptySecret);
            }
            Ok(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
        };
        Ok(Self { current: key(current)?, previous: previous.map(key).transpose()? })
    }

    /// Checks the value of `X-Hub-Signature-256` against a body's bytes, in a time that tells nothing of the secret.
    ///
    /// The old header `X-Hub-Signature` (SHA-1) is never looked at.
    ///
    /// # Errors
    /// Where the header is missing, is no SHA-256 in hex, or was made with another secret or over other bytes.
    pub fn verify(&self, signature: Option<&[u8]>, body: &[u8]) -> Result<(), Rejected> {
        let digest = signature.ok_or(Rejected::Unsigned)?.strip_prefix(PREFIX).ok_or(Rejected::Malformed)?;
        // GitHub writes lower case; one form only, so that a delivery has one signature.
        if digest.iter().any(u8::is_ascii_uppercase) {
            return Err(Rejected::Malformed);
        }
        let mut tag = [0; 32];
        hex::decode_to_slice(digest, &mut tag).map_err(|_| Rejected::Malformed)?;
        let fits = |key: &hmac::Key| hmac::verify(key, body, &tag).is_ok();
        if fits(&self.current) || self.previous.as_ref().is_some_and(fits) {
            Ok(())
        } else {
            Err(Rejected::Forged)
        }
    }

    /// The value of `X-Hub-Signature-256` for a body, by the current secret, as GitHub would send it.
    pub fn sign(&self, body: &[u8]) -> String {
        format!("sha256={}", hex::encode(hmac::sign(&self.current, body)))
    }
}

/// A webhook secret without a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the webhook secret is empty")]
pub struct EmptySecret;

/// Why a delivery is not taken for GitHub's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is no `X-Hub-Signature-256`.
    #[error("the delivery has no X-Hub-Signature-256")]
    Unsigned,
    /// It is not `sha256=` and 64 lower-case hex digits.
    #[error("the delivery's X-Hub-Signature-256 is no SHA-256 in hex")]
    Malformed,
    /// It was made with another secret, or over other bytes.
    #[error("the delivery's signature does not fit its body")]
    Forged,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's documentation has this secret, this body and this signature as its example.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(current: &str, previous: Option<&str>) -> Secrets {
        let previous = previous.map(SecretString::from);
        Secrets::new(&current.into(), previous.as_ref()).unwrap()
    }

    #[test]
    fn the_example_of_githubs_documentation_holds_both_ways() {
        let secrets = secrets(SECRET, None);
        assert_eq!(secrets.sign(BODY), SIGNATURE);
        assert_eq!(secrets.verify(Some(SIGNATURE.as_bytes()), BODY), Ok(()));
    }

    #[test]
    fn no_bit_of_body_signature_or_secret_can_be_flipped() {
        let mine = secrets(SECRET, None);
        let flip = |bytes: &[u8], bit: usize| {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        };
        for bit in 0..BODY.len() * 8 {
            assert_eq!(mine.verify(Some(SIGNATURE.as_bytes()), &flip(BODY, bit)), Err(Rejected::Forged));
        }
        for bit in 0..SIGNATURE.len() * 8 {
            assert!(mine.verify(Some(&flip(SIGNATURE.as_bytes(), bit)), BODY).is_err(), "bit {bit}");
        }
        for bit in 0..SECRET.len() * 8 {
            // A secret is text; a flip of the highest bit leaves none.
            if let Ok(other) = String::from_utf8(flip(SECRET.as_bytes(), bit)) {
                let verdict = secrets(&other, None).verify(Some(SIGNATURE.as_bytes()), BODY);
                assert_eq!(verdict, Err(Rejected::Forged), "bit {bit}");
            }
        }
    }

    #[test]
    fn only_a_sha256_in_lower_case_is_a_signature() {
        let mine = secrets(SECRET, None);
        let hex = SIGNATURE.strip_prefix("sha256=").unwrap();
        for wrong in [
            String::new(),
            hex.to_owned(),
            "sha256=".to_owned(),
            format!("sha1={hex}"),
            format!("SHA256={hex}"),
            format!("sha256={}", hex.to_uppercase()),
            format!("sha256= {hex}"),
            format!("sha256={hex}00"),
            format!("sha256={}", &hex[..62]),
            format!("{SIGNATURE},{SIGNATURE}"),
            // The SHA-1 of the same body, as GitHub still sends it in its old header.
            "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59".to_owned(),
        ] {
            assert_eq!(mine.verify(Some(wrong.as_bytes()), BODY), Err(Rejected::Malformed), "{wrong}");
        }
        assert_eq!(mine.verify(None, BODY), Err(Rejected::Unsigned));
    }

    #[test]
    fn while_secrets_are_exchanged_both_hold_and_the_new_one_signs() {
        let both = secrets("new", Some("old"));
        for signer in ["new", "old"] {
            let signature = secrets(signer, None).sign(BODY);
            assert_eq!(both.verify(Some(signature.as_bytes()), BODY), Ok(()), "{signer}");
        }
        let other = secrets("other", None).sign(BODY);
        assert_eq!(both.verify(Some(other.as_bytes()), BODY), Err(Rejected::Forged));
        assert_eq!(both.sign(BODY), secrets("new", None).sign(BODY));
    }

    #[test]
    fn an_empty_secret_is_none() {
        for empty in ["", " ", "\n"] {
            assert_eq!(Secrets::new(&empty.into(), None).err(), Some(EmptySecret));
            assert_eq!(Secrets::new(&"oak".into(), Some(&empty.into())).err(), Some(EmptySecret));
        }
    }
}
