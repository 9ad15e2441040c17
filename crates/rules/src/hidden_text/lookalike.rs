//! Letters of other scripts that pass for ASCII ones in a name (UTS #39).

use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::characters::{HiddenCharacter, Kind};

/// Finds letters that pass for ASCII letters in the words of a line of program text. Their line number is 1.
///
/// A word is suspicious if each of its letters is ASCII or passes for ASCII; a word with a letter that is plainly
/// foreign is not mistaken for another. A word without any ASCII letter is suspicious only if nothing else in the
/// line is plainly of its script, so that text in that script stays alone.
pub(super) fn lookalikes(line: &str) -> Vec<HiddenCharacter> {
    let mut found = Vec::new();
    if line.is_ascii() {
        return found;
    }
    let letters: Vec<Letter> = line
        .char_indices()
        .enumerate()
        .map(|(index, (offset, character))| Letter { character, column: index + 1, offset })
        .collect();
    for word in letters.chunk_by(|one, next| one.is_of_word() && next.is_of_word()) {
        if is_suspicious(word, &letters) {
            found.extend(word.iter().filter(|letter| !letter.character.is_ascii()).map(Letter::hidden));
        }
    }
    found
}

struct Letter {
    character: char,
    column: usize,
    offset: usize,
}

impl Letter {
    fn is_of_word(&self) -> bool {
        self.character.is_alphanumeric() || self.character == '_'
    }

    fn hidden(&self) -> HiddenCharacter {
        HiddenCharacter {
            character: self.character,
            kind: Kind::Lookalike,
            line: 1,
            column: self.column,
            offset: self.offset,
        }
    }
}

fn is_suspicious(word: &[Letter], line: &[Letter]) -> bool {
    let foreign = || word.iter().map(|letter| letter.character).filter(|character| !character.is_ascii());
    if foreign().next().is_none() || !foreign().all(passes_for_ascii) {
        return false;
    }
    if word.iter().any(|letter| letter.character.is_ascii_alphabetic()) {
        return true;
    }
    // One letter with no other, as in `2𝑘`, is a symbol of a formula or of phonetics.
    let is_symbol = foreign().count() == 1 && foreign().all(is_used_as_a_symbol);
    let has_company =
        |character| line.iter().any(|other| is_plainly_of_its_script(other.character, character));
    !is_symbol && !foreign().all(has_company)
}

/// Whether a letter is drawn like an ASCII letter. Not meant are Latin letters with marks, full-width ones, which
/// are as wide as two, and what formulas use: Greek small letters and letters with double strokes.
fn passes_for_ascii(character: char) -> bool {
    let is_plain_to_see = matches!(
        character,
        '\u{80}'..='\u{24f}' | 'α'..='ξ' | 'π'..='ω' | 'ϑ'..='ϖ' | 'ϰ' | 'ϱ' | 'ϵ' | '\u{2100}'..='\u{2129}'
            | '\u{212b}'..='\u{214f}' | '\u{ff00}'..='\u{ffef}'
    );
    if is_plain_to_see || !character.is_alphabetic() {
        return false;
    }
    let mut buffer = [0; 4];
    let mut drawn = skeleton(character.encode_utf8(&mut buffer));
    drawn.next().is_some_and(|first| first.is_ascii_alphanumeric()) && drawn.next().is_none()
}

/// Whether a letter that stands alone is usual: Greek, phonetic, a Roman numeral, or a mathematical one.
fn is_used_as_a_symbol(character: char) -> bool {
    matches!(
        character,
        '\u{250}'..='\u{2af}' | '\u{370}'..='\u{3ff}' | '\u{212a}' | '\u{2160}'..='\u{2188}'
            | '\u{1d400}'..='\u{1d7ff}'
    )
}

/// Whether a character can only be of the script that a letter is of.
fn is_plainly_of_its_script(character: char, letter: char) -> bool {
    if !character.is_alphabetic() || character.is_ascii() || passes_for_ascii(character) {
        return false;
    }
    let mut shared = AugmentedScriptSet::for_char(letter);
    shared.intersect_with(AugmentedScriptSet::for_char(character));
    !shared.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(line: &str) -> Vec<usize> {
        lookalikes(line).into_iter().map(|one| one.column).collect()
    }

    #[test]
    fn a_letter_that_passes_for_another_is_found() {
        assert_eq!(columns("say\u{41d}ello()"), [4]);
        assert_eq!(columns("if (\u{440}\u{430}\u{443} == 1)"), [5, 6, 7]);
        assert_eq!(columns("label = '\u{430}'"), [10]);
        assert_eq!(columns("\u{1d4ae}elf"), [1]);
        assert_eq!(columns("\u{1d4ae}\u{1d4ae}"), [1, 2]);
        assert_eq!(columns("g\u{3bf}\u{3bf}gle"), [2, 3]);
    }

    #[test]
    fn text_in_another_script_is_left_alone() {
        for line in [
            "// а также проверка",
            "let naïve_größe = 1; // ı",
            "const Δt = σ_x * α + π;",
            "print(\"日本語 ＡＢＣ\")",
            "// Ελληνικά και ο άλλος",
            "phrase = 'жжж'",
            "httpсервер = 1",
            "# עברית ס",
            "// the ring ℤ/mℤ, sk[768𝑘+32], 𝑥 and ɣ",
            "chapter Ⅰ",
        ] {
            assert_eq!(columns(line), [0_usize; 0], "{line}");
        }
    }
}
