//! What is known of one kind of secret: a row of the table.

use review::Severity;

/// One kind of secret.
#[derive(Debug)]
pub(crate) struct Format {
    /// The rule's id.
    pub(crate) id: &'static str,
    /// Issuer and kind, for people: `GitHub token`.
    pub(crate) name: &'static str,
    /// How bad it is to have one in a repository.
    pub(crate) severity: Severity,
    /// Where one of these stands, in any case, the shape is looked for; nowhere else. In lower case.
    pub(crate) keywords: &'static [&'static str],
    /// What it looks like there.
    pub(crate) shape: Shape,
    /// The least Shannon entropy of the secret, in bits a character: below it is a placeholder.
    pub(crate) min_entropy: f32,
    /// What it looks like: text, and classes of characters with their count, as `{h40}` for forty hex digits.
    pub(crate) form: &'static str,
    /// What else a value must pass.
    pub(crate) check: Check,
    /// How many bytes may stand before the keyword and still be part of the token.
    pub(crate) lead: usize,
    /// How many bytes are looked at from there on.
    pub(crate) reach: usize,
}

/// How a secret stands round its keyword. Patterns are bytes, ASCII only; a group named `secret` tells which part
/// is the secret where that is not all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// The token itself, keyword included; nothing like it may stand directly before or behind.
    Token(&'static str),
    /// The keyword is the issuer, as a word of a name, to which a value of this pattern is assigned.
    Issuer(&'static str),
    /// The keyword is anywhere in such a name, and the name says nothing else than that it holds a secret.
    Assigned(&'static str),
    /// The keyword starts a longer text that holds the secret.
    Within(&'static str),
    /// The keyword marks a block of lines.
    Block,
}

/// What a value must pass beside pattern, entropy and the list of placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing.
    None,
    /// The last six of 36 characters are the CRC-32 of those before them, in base 62 (GitHub, npm).
    Crc32Base62,
    /// The first part is the base64 of a JSON object that names an algorithm.
    Jwt,
    /// Base64 of a private key in PEM's armour.
    EncodedKey,
    /// Base64 of a user's name and password with a colon between them.
    EncodedCredentials,
    /// A password that somebody chose: no word that stands for one, no reference to one.
    Password,
    /// Letters and digits mixed as no word or name mixes them.
    Random,
}

/// A token that is known by itself.
pub(super) const fn token(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    keywords: &'static [&'static str],
    pattern: &'static str,
    form: &'static str,
) -> Format {
    Format {
        id,
        name,
        severity,
        keywords,
        shape: Shape::Token(pattern),
        min_entropy: 3.0,
        form,
        check: Check::None,
        lead: 0,
        reach: 512,
    }
}

/// A value that is known by its issuer's name in what it is assigned to.
pub(super) const fn issuer(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    keywords: &'static [&'static str],
    value: &'static str,
    form: &'static str,
) -> Format {
    Format { shape: Shape::Issuer(value), ..assigned(id, name, severity, keywords, value, form) }
}

/// A value that is known by the kind of name that it is assigned to.
pub(super) const fn assigned(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    keywords: &'static [&'static str],
    value: &'static str,
    form: &'static str,
) -> Format {
    Format { shape: Shape::Assigned(value), reach: 320, ..token(id, name, severity, keywords, "", form) }
}

/// A secret inside a longer text.
pub(super) const fn within(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    keywords: &'static [&'static str],
    pattern: &'static str,
    form: &'static str,
) -> Format {
    Format { shape: Shape::Within(pattern), ..token(id, name, severity, keywords, "", form) }
}

impl Format {
    /// Whether it is no issuer's: a key that anybody can make, or what somebody calls a password.
    pub(super) fn is_nobodys(&self) -> bool {
        match self.shape {
            Shape::Block | Shape::Assigned(_) => true,
            Shape::Within(_) => matches!(self.check, Check::Password | Check::Random),
            Shape::Token(_) => matches!(self.check, Check::EncodedKey),
            Shape::Issuer(_) => false,
        }
    }

    /// With another minimum of entropy.
    pub(super) const fn entropy(self, bits: f32) -> Self {
        Self { min_entropy: bits, ..self }
    }

    /// With a further check.
    pub(super) const fn check(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// With up to so many bytes of the token before its keyword.
    pub(super) const fn lead(self, bytes: usize) -> Self {
        Self { lead: bytes, ..self }
    }

    /// With another length to look at.
    pub(super) const fn reach(self, bytes: usize) -> Self {
        Self { reach: bytes, ..self }
    }
}
