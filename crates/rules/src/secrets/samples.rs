//! Every format finds what it describes, and leaves placeholders alone.
//!
//! Samples are put together when the tests run, so that nothing in the repository has the form of a secret.

use proptest::prelude::*;

use super::format::Shape;
use super::redact_text;
use super::scanner::scan;
use super::table;
use super::value::crc32_base62;

/// Draws characters by lot, always the same ones.
struct Lot(u64);

impl Lot {
    fn draw(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count)
            .map(|_| {
                self.0 =
                    self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(alphabet[(self.0 >> 33) as usize % alphabet.len()])
            })
            .collect()
    }
}

fn alphabet(class: char) -> Vec<u8> {
    let of = |ranges: &[std::ops::RangeInclusive<u8>]| ranges.iter().cloned().flatten().collect::<Vec<_>>();
    match class {
        'a' => of(&[b'a'..=b'z', b'A'..=b'Z']),
        'b' => of(&[b'a'..=b'z', b'A'..=b'Z', b'0'..=b'9']),
        'd' => of(&[b'1'..=b'9']),
        'h' => of(&[b'a'..=b'f', b'0'..=b'9']),
        'l' => of(&[b'a'..=b'z', b'0'..=b'9']),
        's' => of(&[b'a'..=b'z', b'A'..=b'Z', b'0'..=b'9', b'+'..=b'+', b'/'..=b'/']),
        't' => of(&[b'A'..=b'Z', b'2'..=b'7']),
        'u' => of(&[b'A'..=b'Z', b'0'..=b'9']),
        'v' => of(&[b'a'..=b'z', b'2'..=b'7']),
        'w' => of(&[b'a'..=b'z', b'A'..=b'Z', b'0'..=b'9', b'_'..=b'_']),
        'z' => of(&[b'0'..=b'0', b'2'..=b'9', b'A'..=b'A', b'C'..=b'H', b'J'..=b'N', b'P'..=b'Z']),
        other => panic!("no class of characters is called {other}"),
    }
}

/// Fills a form; `draw` is given an alphabet and a count.
fn fill(form: &str, mut draw: impl FnMut(&[u8], usize) -> String) -> String {
    let mut filled = String::new();
    let mut rest = form;
    while let Some((before, behind)) = rest.split_once('{') {
        let (class, behind) = behind.split_once('}').expect("a class ends with a brace");
        filled.push_str(before);
        let part = match class {
            "crc" => crc32_base62(filled.rsplit('_').next().expect("a split has a part").as_bytes()),
            "credentials" => base64(&format!("deploy:{}", draw(&alphabet('b'), 14))),
            "uuid" => [8, 4, 4, 4, 12].map(|count| draw(&alphabet('h'), count)).join("-"),
            "jwt" => {
                let header = ["eyJhbGciOiJ", "IUzI1NiIsInR5cCI6IkpXVCJ9"].concat();
                format!("{header}.eyJ{}.{}", draw(&alphabet('b'), 60), draw(&alphabet('b'), 43))
            }
            counted => {
                let (letter, count) = counted.split_at(1);
                let letter = letter.chars().next().expect("a class has a letter");
                draw(&alphabet(letter), count.parse().expect("a class has a count"))
            }
        };
        filled.push_str(&part);
        rest = behind;
    }
    filled + rest
}

/// Encodes text whose length is a multiple of three.
fn base64(text: &str) -> String {
    let digits: Vec<u8> =
        [b'A'..=b'Z', b'a'..=b'z', b'0'..=b'9'].into_iter().flatten().chain(*b"+/").collect();
    let bits = |three: &[u8]| three.iter().fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte));
    let four = |three: &[u8]| [18, 12, 6, 0].map(|shift| char::from(digits[(bits(three) >> shift) & 63]));
    text.as_bytes().chunks_exact(3).flat_map(four).collect()
}

fn found(line: &str) -> Vec<(&'static str, String)> {
    let scan = scan(&[line]);
    assert!(scan.unscanned.is_empty());
    scan.hits.into_iter().map(|hit| (hit.format.id, line[hit.bytes].to_owned())).collect()
}

fn formats_with_a_form() -> impl Iterator<Item = &'static super::format::Format> {
    table::all().filter(|format| !matches!(format.shape, Shape::Block))
}

#[test]
fn every_format_finds_its_form() {
    for format in formats_with_a_form() {
        let mut lot = Lot(7);
        for attempt in 0..5 {
            let sample = fill(format.form, |alphabet, count| lot.draw(alphabet, count));
            for line in [sample.clone(), format!("  call('{sample}'), x"), format!("\\n{sample}\\n")] {
                let found = found(&line);
                assert!(
                    found.iter().any(|(id, _)| *id == format.id),
                    "{}, {attempt}: {line} {found:?}",
                    format.id
                );
                assert_eq!(found.len(), 1, "{}: {line} {found:?}", format.id);
            }
        }
    }
}

#[test]
fn every_format_leaves_a_placeholder_alone() {
    let is_filled = |form: &str| form.contains('{') && !form.contains("{jwt}");
    for format in formats_with_a_form().filter(|format| is_filled(format.form)) {
        let placeholder = fill(format.form, |_, count| "x".repeat(count));
        assert_eq!(found(&placeholder), [], "{}: {placeholder}", format.id);
    }
}

proptest! {
    #[test]
    fn a_secret_of_any_format_is_taken_out_of_any_text(
        index in 0..formats_with_a_form().count(),
        seed: u64,
        before in r#"(\PC{0,20}[ "'(,;\n])?"#,
        behind in r#"([ "\n]\PC{0,20})?"#,
    ) {
        let format = formats_with_a_form().nth(index).expect("the index is of the list");
        let mut lot = Lot(seed);
        let sample = fill(format.form, |alphabet, count| lot.draw(alphabet, count));
        // What is drawn may lack the entropy, or read as a placeholder.
        if let [(_, secret)] = found(&sample).as_slice() {
            let (redacted, count) = redact_text(&format!("{before}{sample}{behind}"));
            prop_assert!(count > 0 && !redacted.contains(secret.as_str()), "{}: {redacted}", format.id);
        }
    }
}

#[test]
fn every_keyword_is_lower_case_and_stands_in_the_form() {
    for format in table::all() {
        assert!(!format.keywords.is_empty(), "{}", format.id);
        for keyword in format.keywords {
            assert_eq!(*keyword, keyword.to_ascii_lowercase(), "{}", format.id);
        }
        let form = format.form.to_ascii_lowercase().replace("{jwt}", "eyj");
        let names_one = format.keywords.iter().any(|keyword| form.contains(keyword));
        assert!(names_one || matches!(format.shape, Shape::Block), "{}", format.id);
    }
}

#[test]
fn a_token_inside_a_word_is_no_token() {
    let token = fill("glpat-{b20}", |alphabet, count| Lot(3).draw(alphabet, count));
    assert_eq!(found(&token).len(), 1);
    assert_eq!(found(&format!("x{token}")), []);
    let hex = fill("pul-{h40}", |alphabet, count| Lot(3).draw(alphabet, count));
    assert_eq!(found(&format!("{hex}0")), []);
    let secret = fill("{b3}8Q~{b33}", |alphabet, count| Lot(3).draw(alphabet, count));
    assert_eq!(found(&format!("{secret}~")).len(), 1);
    assert_eq!(found(&format!("{secret}~k0")), [], "a mark inside it is no end");
}

#[test]
fn what_lacks_the_part_that_its_issuer_fixes_is_no_token() {
    let drawn = |form: &str| fill(form, |alphabet, count| Lot(3).draw(alphabet, count));
    assert_eq!(found(&drawn("sk-ant-api03-{b93}AA")).len(), 1);
    assert_eq!(found(&drawn("sk-ant-api03-{b93}BB")), []);
    assert_eq!(found(&drawn("xoxp-{d12}-{d12}-{d12}-{h32}")).len(), 1);
    assert_eq!(found(&drawn("xoxp-{d12}-{d12}-{d12}-****************")), [], "the secret is not there");
}

#[test]
fn a_token_that_is_longer_than_what_is_looked_at_is_found_whole() {
    let token = fill("ghs_{d6}_eyJ{w3000}.{w3000}.{w400}", |alphabet, count| Lot(5).draw(alphabet, count));
    assert_eq!(found(&format!("token: {token} ")), [("secrets/github-app-token", token)]);
}

#[test]
fn what_refers_to_a_secret_is_none() {
    for line in [
        "password = os.environ['DB_PASSWORD']",
        "password: ${{ secrets.DB_PASSWORD }}",
        "const token = process.env.GITHUB_TOKEN;",
        "api_key: \"{{ vault_api_key }}\"",
        "PASSWORD=$(cat /run/secrets/password)",
        "token = request.headers['X-Api-Token1']",
        "url = 'postgres://user:password@localhost/db'",
        "url = 'https://example.com:8443/a@b'",
        "passwordField.setPlaceholder(\"Enter your password\")",
        "if token == TokenKind::Semicolon {",
        "secret_key_base = Rails.application.secret_key_base",
        "token_type: \"urn:ietf:params:oauth:token-type:jwt\"",
        "integrity sha512-ezcfMFZqYjnWX5FrkEYb/pJKrsQTb4NCRPTTKEOTDr2dxFUFPRBKEtfWtKZLgYOsA==",
    ] {
        assert_eq!(found(line), [], "{line}");
    }
}
