//! Whether a value that has the form of a secret can be one.

use super::format::{Check, Format};

/// What a look at a value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It can be a secret.
    Likely,
    /// It has the form, but not the checksum: made up, or mistyped.
    Doubtful,
    /// It is a placeholder, a reference or a word.
    No,
}

/// What stands directly before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// A quote, or what comes to the same: the value is a literal.
    Quoted,
    /// Anything else: the value may as well be a name of the program.
    Bare,
}

/// Looks at a value that has the form of a format.
pub(super) fn judge(format: &Format, value: &[u8], quoting: Quoting) -> Verdict {
    if entropy(value) < format.min_entropy || is_placeholder(value) {
        return Verdict::No;
    }
    match format.check {
        Check::None => Verdict::Likely,
        Check::Crc32Base62 if has_crc32(value) => Verdict::Likely,
        Check::Crc32Base62 => Verdict::Doubtful,
        Check::Jwt => if_true(is_jwt(value)),
        Check::EncodedKey => if_true(contains(&base64(value), b"PRIVATE KEY-----")),
        Check::EncodedCredentials => if_true(is_encoded_credentials(value)),
        Check::Password => {
            if_true(is_chosen_password(value) && (quoting == Quoting::Quoted || !is_code(value)))
        }
        Check::Random => if_true(is_random(value)),
    }
}

fn if_true(likely: bool) -> Verdict {
    if likely { Verdict::Likely } else { Verdict::No }
}

/// Shannon entropy in bits a byte.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = value.len() as f32;
    -counts
        .into_iter()
        .filter(|count| *count > 0)
        .map(|count| {
            let share = count as f32 / length;
            share * share.log2()
        })
        .sum::<f32>()
}

/// What people write where a secret would stand. Matched anywhere in the value, in any case.
const PLACEHOLDERS: [&[u8]; 22] = [
    b"example",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"replace",
    b"your_",
    b"your-",
    b"yourtoken",
    b"yourkey",
    b"redacted",
    b"dummy",
    b"sample",
    b"xxxx",
    b"****",
    b"..",
    b"0000000",
    b"1234567890abcdef",
    b"abcdefghij",
    b"${",
    b"{{",
    b"<your",
];

fn is_placeholder(value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    PLACEHOLDERS.into_iter().any(|placeholder| contains(&value, placeholder))
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.windows(part.len()).any(|window| window == part)
}

/// Words that people use for passwords that guard nothing: a value made of these, digits and marks is no secret.
const PASSWORD_WORDS: [&[u8]; 33] = [
    b"admin",
    b"changeit",
    b"default",
    b"demo",
    b"foo",
    b"bar",
    b"baz",
    b"guest",
    b"hello",
    b"here",
    b"insert",
    b"localhost",
    b"mongo",
    b"mysql",
    b"none",
    b"null",
    b"pass",
    b"passwd",
    b"password",
    b"postgres",
    b"pwd",
    b"qwerty",
    b"redis",
    b"root",
    b"secret",
    b"string",
    b"test",
    b"token",
    b"undefined",
    b"user",
    b"value",
    b"word",
    b"my",
];

/// Whether a value can be a password that guards something.
fn is_chosen_password(value: &[u8]) -> bool {
    if is_reference(value) {
        return false;
    }
    let mut rest = value.to_ascii_lowercase();
    for word in PASSWORD_WORDS {
        while let Some(at) = rest.windows(word.len()).position(|window| window == word) {
            rest.drain(at..at + word.len());
        }
    }
    // What is left of `mysql_native_password` is a word, and of `test-password1` a number.
    let left: Vec<u8> = rest.iter().copied().filter(|byte| !b"_-.:/".contains(byte)).collect();
    let has = |test: fn(&u8) -> bool| left.iter().any(test);
    // A word of another language is a word: what is no letter there is no ASCII either.
    left.len() >= 4
        && has(u8::is_ascii_alphabetic)
        && has(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
}

/// Whether a value names another place instead of being a secret: a variable, a path, a call, a format.
fn is_reference(value: &[u8]) -> bool {
    let starts =
        [b"$".as_slice(), b"%", b"{", b"<", b"(", b"[", b"@", b"#", b"/", b"./", b"~/", b"arn:", b"http"];
    let holds = [
        b"process.env".as_slice(),
        b"environ",
        b"getenv",
        b"secrets.",
        b"vault:",
        b"()",
        b"->",
        b"::",
        b"%s",
    ];
    starts.into_iter().any(|start| value.starts_with(start))
        || holds.into_iter().any(|part| contains(value, part))
}

/// Whether a value without quotes reads as a piece of a program: a number, a name, a chain of names, a call, a type.
fn is_code(value: &[u8]) -> bool {
    let is_number = value[0].is_ascii_digit()
        && value.iter().all(|byte| byte.is_ascii_hexdigit() || b"xX_uUiIlL".contains(byte));
    let has_brackets = value.iter().any(|byte| b"()[]{}<>".contains(byte));
    let is_name = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:&*?!".contains(byte));
    is_number || has_brackets || (is_name && !is_random(value))
}

/// How many of lower case, upper case, digits and marks a value has.
fn classes(value: &[u8]) -> usize {
    let has = |test: fn(&u8) -> bool| usize::from(value.iter().any(test));
    has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(u8::is_ascii_punctuation)
}

/// Whether a value looks drawn by lot: two kinds of letters or digits, and no run of them that reads as a word.
fn is_random(value: &[u8]) -> bool {
    let alphanumeric: Vec<u8> = value.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    if is_reference(value) || classes(&alphanumeric) < 2 {
        return false;
    }
    // Names are runs of letters, perhaps capitalized, with digits at their ends; what is drawn by lot changes its kind
    // at every other character.
    let changes = value.windows(2).filter(|pair| !continues_a_word(pair[0], pair[1])).count();
    changes * 4 >= value.len()
}

fn continues_a_word(one: u8, next: u8) -> bool {
    let is_mark = |byte: u8| !byte.is_ascii_alphanumeric();
    kind(one) == kind(next)
        || is_mark(one)
        || is_mark(next)
        || (one.is_ascii_uppercase() && next.is_ascii_lowercase())
}

fn kind(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

/// Checks the last six characters of a token `<prefix>_<30 characters><checksum>`.
fn has_crc32(token: &[u8]) -> bool {
    let Some(split) = token.len().checked_sub(6) else { return false };
    let (head, checksum) = token.split_at(split);
    let entropy = &head[head.iter().rposition(|byte| *byte == b'_').map_or(0, |at| at + 1)..];
    checksum == crc32_base62(entropy).as_bytes()
}

/// The CRC-32 of bytes as six digits of base 62.
pub(super) fn crc32_base62(bytes: &[u8]) -> String {
    let mut number = crc32(bytes) as usize;
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(BASE62[number % 62]);
        number /= 62;
    }
    digits.iter().collect()
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 as in zlib, bit by bit: tokens are short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Whether a value starts with the base64 of a JSON object that names an algorithm.
fn is_jwt(value: &[u8]) -> bool {
    let header = value.split(|byte| *byte == b'.').next().unwrap_or_default();
    let text = base64(header);
    text.starts_with(b"{") && contains(&text, b"\"alg\"")
}

/// Whether a value is the base64 of a name and a password.
fn is_encoded_credentials(value: &[u8]) -> bool {
    let text = base64(value);
    let password = text.iter().position(|byte| *byte == b':').map(|colon| &text[colon + 1..]);
    text.iter().all(|byte| matches!(byte, 0x20..=0x7e)) && password.is_some_and(is_chosen_password)
}

/// Decodes base64 of either alphabet; what is not of it ends the text.
fn base64(encoded: &[u8]) -> Vec<u8> {
    let (mut bits, mut held, mut decoded) = (0_u32, 0, Vec::with_capacity(encoded.len()));
    for byte in encoded {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_is_zlibs() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_checksum_is_over_what_stands_behind_the_prefix() {
        // The sample token that GitHub's documents print, in parts.
        let token = ["ghp", "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
        assert!(has_crc32(token.as_bytes()));
        assert!(!has_crc32(token.replace("zQW", "zQX").as_bytes()));
        assert!(!has_crc32(b"short"));
    }

    #[test]
    fn entropy_counts_bits() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
    }

    #[test]
    fn base64_is_decoded_in_both_alphabets() {
        assert_eq!(base64(b"eyJhbGciOiJub25lIn0"), b"{\"alg\":\"none\"}");
        assert_eq!(base64(b"-_8="), [0xfb, 0xff]);
    }

    #[test]
    fn words_references_and_names_are_no_passwords() {
        for password in ["hunter2-Xk9", "T3h!ngs9", "p4ssw0rd!Q9z"] {
            assert!(is_chosen_password(password.as_bytes()), "{password}");
        }
        for other in [
            "password",
            "${DB_PASSWORD}",
            "test-password1",
            "secret123",
            "process.env.DB",
            "mysecret",
            "Lösenordet",
        ] {
            assert!(!is_chosen_password(other.as_bytes()), "{other}");
        }
        for random in ["9f86d081884c7d659a2feaa0c55ad015", "aB3xK9mQ2rT7vY4z"] {
            assert!(is_random(random.as_bytes()), "{random}");
        }
        for name in ["getAccessTokenSilently2", "my-service-account-1", "0123456789", "session_cookie_name"] {
            assert!(!is_random(name.as_bytes()), "{name}");
        }
    }
}
