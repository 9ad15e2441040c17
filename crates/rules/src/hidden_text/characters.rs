//! Which characters nobody sees, and where they belong all the same.

use review::text::is_hidden;

use super::Writing;

/// What is wrong with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Embeds, overrides or isolates a direction of writing.
    Bidi,
    /// Marks a direction of writing.
    BidiMark,
    /// Spells ASCII invisibly (U+E0000 to U+E007F).
    Tag,
    /// Has no width.
    ZeroWidth,
    /// Chooses a form of the character before it.
    VariationSelector,
    /// Is a letter or symbol, drawn as a blank.
    Filler,
    /// Is another one that is left out when text is displayed.
    Ignorable,
    /// Ends a line or paragraph to some.
    LineSeparator,
    /// Is a C0 or C1 control.
    Control,
    /// Is a space other than U+0020.
    Space,
    /// Passes for an ASCII letter.
    Lookalike,
}

impl Kind {
    /// All kinds, the worst first.
    pub const ALL: [Self; 11] = [
        Self::Bidi,
        Self::Tag,
        Self::VariationSelector,
        Self::BidiMark,
        Self::ZeroWidth,
        Self::Filler,
        Self::Ignorable,
        Self::LineSeparator,
        Self::Control,
        Self::Lookalike,
        Self::Space,
    ];
}

/// A character that is not what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenCharacter {
    /// The character.
    pub character: char,
    /// What is wrong with it.
    pub kind: Kind,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
    /// Where its bytes start in its line.
    pub offset: usize,
}

impl HiddenCharacter {
    /// `U+202E (right-to-left override) at column 12`.
    pub(super) fn describe(&self) -> String {
        let code_point = format!("U+{:04X}", u32::from(self.character));
        match name(self.character) {
            Some(name) => format!("{code_point} ({name}) at column {}", self.column),
            None => format!("{code_point} at column {}", self.column),
        }
    }
}

/// Finds hidden characters in text that is no file: a title, a description, a branch.
pub fn hidden_characters(text: &str) -> Vec<HiddenCharacter> {
    text.split('\n')
        .enumerate()
        .flat_map(|(number, line)| {
            let found = in_line(line, Position::Inside, Writing::Prose);
            found.into_iter().map(move |one| HiddenCharacter { line: number + 1, ..one })
        })
        .collect()
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// It is the first line of its file, which may start with a byte order mark.
    FileStart,
    /// It is not.
    Inside,
}

/// Finds hidden characters in one line. Their line number is 1.
pub(super) fn in_line(line: &str, position: Position, writing: Writing) -> Vec<HiddenCharacter> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let characters: Vec<(usize, char)> = line.char_indices().collect();
    let at = |index: usize| characters.get(index).map(|(_, character)| *character);
    let mut found = Vec::new();
    let mut skip_to = 0;
    for (index, &(offset, character)) in characters.iter().enumerate() {
        if character == BLACK_FLAG {
            skip_to = index + 1 + flag_length(&characters[index + 1..]);
        }
        let Some(kind) = kind_of(character).filter(|_| index >= skip_to) else { continue };
        let before = index.checked_sub(1).and_then(at);
        let belongs = match character {
            '\u{feff}' => index == 0 && position == Position::FileStart,
            // A form feed between sections is a habit of old C, Lisp and Python sources.
            '\u{c}' => line[..offset].trim().is_empty() || line[offset..].trim().is_empty(),
            _ => {
                belongs(character, before, at(index + 1))
                    || belongs_to_language(kind, line, before, at(index + 1), writing)
            }
        };
        if !belongs {
            found.push(HiddenCharacter { character, kind, line: 1, column: index + 1, offset });
        }
    }
    found
}

/// Tells what is wrong with a character wherever it does not belong.
fn kind_of(character: char) -> Option<Kind> {
    let kind = match u32::from(character) {
        0x09 | 0x20..=0x7e => return None,
        0x00..=0x1f | 0x7f..=0x9f => Kind::Control,
        0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Kind::Space,
        0x061c | 0x200e | 0x200f => Kind::BidiMark,
        0x202a..=0x202e | 0x2066..=0x2069 => Kind::Bidi,
        0x2028 | 0x2029 => Kind::LineSeparator,
        0x180e | 0x200b..=0x200d | 0x2060..=0x2064 | 0xfeff => Kind::ZeroWidth,
        0x180b..=0x180d | 0x180f | 0xfe00..=0xfe0f | 0xe0100..=0xe01ef => Kind::VariationSelector,
        0x115f | 0x1160 | 0x3164 | 0xffa0 | 0x2800 => Kind::Filler,
        0xe0000..=0xe007f => Kind::Tag,
        _ if is_hidden(character) => Kind::Ignorable,
        _ => return None,
    };
    Some(kind)
}

const BLACK_FLAG: char = '\u{1f3f4}';

/// The tag sequences of the flags of England, Scotland and Wales: the only ones that are drawn.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

fn flag_length(behind: &[(usize, char)]) -> usize {
    let is_flag = |flag: &&str| {
        let tags = flag.chars().map(|letter| char::from_u32(u32::from(letter) + 0xe0000));
        let mut expected = tags.flatten().chain(['\u{e007f}']);
        behind.len() > flag.len()
            && expected.all({
                let mut characters = behind.iter();
                move |tag| characters.next().is_some_and(|(_, character)| *character == tag)
            })
    };
    FLAGS.iter().find(|flag| is_flag(flag)).map_or(0, |flag| flag.len() + 1)
}

/// Whether a character does between its neighbours what Unicode made it for.
fn belongs(character: char, before: Option<char>, behind: Option<char>) -> bool {
    let (Some(before), behind) = (before, behind.unwrap_or(' ')) else { return false };
    match character {
        '\u{200d}' => {
            (is_emoji_part(before) && is_emoji_part(behind))
                || (shapes_letters(before) && (shapes_letters(behind) || !behind.is_alphanumeric()))
        }
        '\u{200c}' => shapes_letters(before) && shapes_letters(behind),
        '\u{200b}' => writes_no_spaces(before) && writes_no_spaces(behind),
        '\u{200e}' | '\u{200f}' | '\u{61c}' => is_right_to_left(before) || is_right_to_left(behind),
        '\u{fe0e}' | '\u{fe0f}' => {
            has_emoji_form(before) || (matches!(before, '0'..='9' | '#' | '*') && behind == '\u{20e3}')
        }
        '\u{fe00}'..='\u{fe02}' => {
            is_han(before) || matches!(before, '\u{2200}'..='\u{22ff}' | '\u{2a00}'..='\u{2aff}')
        }
        '\u{e0100}'..='\u{e01ef}' => is_han(before),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        '\u{1160}' => matches!(before, '\u{1100}'..='\u{115f}'),
        '\u{2800}' => is_braille(before) || is_braille(behind),
        '\u{3000}' => is_east_asian(before) || is_east_asian(behind),
        _ => false,
    }
}

/// Whether prose in the language of its line uses such a character.
fn belongs_to_language(
    kind: Kind,
    line: &str,
    before: Option<char>,
    behind: Option<char>,
    writing: Writing,
) -> bool {
    match (kind, writing) {
        (Kind::Space, Writing::Prose) => true,
        (Kind::Space, Writing::Program) => {
            // Between words of another script it is typography, not a trap for a parser.
            let is_foreign =
                |one: Option<char>| one.is_some_and(|one| !one.is_ascii() && one.is_alphabetic());
            is_foreign(before) && is_foreign(behind)
        }
        (Kind::BidiMark, Writing::Prose) => line.chars().any(is_right_to_left),
        (
            Kind::Bidi
            | Kind::BidiMark
            | Kind::Tag
            | Kind::ZeroWidth
            | Kind::VariationSelector
            | Kind::Filler
            | Kind::Ignorable
            | Kind::LineSeparator
            | Kind::Control
            | Kind::Lookalike,
            Writing::Prose | Writing::Program,
        ) => false,
    }
}

/// Whether a character can be part of an emoji that is joined from several.
fn is_emoji_part(character: char) -> bool {
    has_emoji_form(character) || character == '\u{fe0f}' || matches!(character, '\u{e0020}'..='\u{e007f}')
}

/// Whether a character is an emoji or can be shown as one; by blocks, which are a little wider than the property.
fn has_emoji_form(character: char) -> bool {
    matches!(
        character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2934}' | '\u{2935}'
            | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
            | '\u{1f000}'..='\u{1faff}'
    )
}

/// Whether a character is of a script whose letters change with their neighbours: Arabic, Syriac, N'Ko, Mongolian,
/// and those of India and its neighbours. These need the joiner and the non-joiner.
fn shapes_letters(character: char) -> bool {
    matches!(
        character,
        '\u{0600}'..='\u{07ff}' | '\u{0840}'..='\u{08ff}' | '\u{0900}'..='\u{0dff}' | '\u{0f00}'..='\u{109f}'
            | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{180a}' | '\u{1810}'..='\u{18af}' | '\u{1900}'..='\u{1cff}'
            | '\u{a800}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{11000}'..='\u{11fff}'
    ) && !is_hidden(character)
}

/// Whether a character is of a script that writes no spaces between words and marks them by U+200B.
fn writes_no_spaces(character: char) -> bool {
    matches!(
        character,
        '\u{0e00}'..='\u{0fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17b3}' | '\u{17b6}'..='\u{17ff}'
    )
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_east_asian(character: char) -> bool {
    is_han(character)
        || matches!(character, '\u{3001}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9f}')
}

fn is_braille(character: char) -> bool {
    matches!(character, '\u{2801}'..='\u{28ff}')
}

fn is_right_to_left(character: char) -> bool {
    matches!(
        character,
        '\u{0590}'..='\u{061b}' | '\u{061d}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    )
}

/// The usual name of a character, for the ones that are met.
fn name(character: char) -> Option<&'static str> {
    let name = match character {
        '\0' => "null",
        '\u{8}' => "backspace",
        '\u{c}' => "form feed",
        '\r' => "carriage return",
        '\u{1b}' => "escape",
        '\u{7f}' => "delete",
        '\u{a0}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{34f}' => "combining grapheme joiner",
        '\u{61c}' => "Arabic letter mark",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "Hangul filler",
        '\u{180e}' => "Mongolian vowel separator",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{202a}' => "left-to-right embedding",
        '\u{202b}' => "right-to-left embedding",
        '\u{202c}' => "pop directional formatting",
        '\u{202d}' => "left-to-right override",
        '\u{202e}' => "right-to-left override",
        '\u{2060}' => "word joiner",
        '\u{2066}' => "left-to-right isolate",
        '\u{2067}' => "right-to-left isolate",
        '\u{2068}' => "first strong isolate",
        '\u{2069}' => "pop directional isolate",
        '\u{2800}' => "Braille blank",
        '\u{3000}' => "ideographic space",
        '\u{feff}' => "byte order mark",
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => "variation selector",
        '\u{e0000}'..='\u{e007f}' => "tag",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str, writing: Writing) -> Vec<Kind> {
        in_line(line, Position::Inside, writing).into_iter().map(|one| one.kind).collect()
    }

    #[test]
    fn what_belongs_is_not_hidden() {
        let lines = [
            "plain\ttext\r",
            "\u{c}",
            "}\u{c}",
            "(\"fa\", \"سلام\u{200f}\")",
            "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3} 🏳\u{fe0f}\u{200d}🌈 👍🏽",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ภาษา\u{200b}ไทย",
            "葛\u{e0100}飾区",
            "全角\u{3000}空白",
            "⠠⠓\u{2800}⠑",
        ];
        for line in lines {
            assert_eq!(kinds(line, Writing::Program), [], "{line}");
        }
        assert_eq!(kinds("« oui\u{a0}»", Writing::Prose), []);
        assert_eq!(kinds("שלום\u{200f}!", Writing::Prose), []);
    }

    #[test]
    fn what_does_not_belong_is_hidden() {
        let cases = [
            ("a\u{202e}b", Kind::Bidi),
            ("a\u{200f}b", Kind::BidiMark),
            ("🏴\u{e0067}\u{e0062}", Kind::Tag),
            ("ad\u{200d}min", Kind::ZeroWidth),
            ("a\u{feff}", Kind::ZeroWidth),
            ("👍\u{e0141}", Kind::VariationSelector),
            ("a\u{3164}", Kind::Filler),
            ("a\u{ad}b", Kind::Ignorable),
            ("a\u{2028}b", Kind::LineSeparator),
            ("a\rb", Kind::Control),
            ("a\u{c}b", Kind::Control),
            ("a\u{85}b", Kind::Control),
            ("const\u{a0}KEY", Kind::Space),
        ];
        for (line, kind) in cases {
            let found = kinds(line, Writing::Program);
            assert!(!found.is_empty() && found.iter().all(|other| *other == kind), "{line:?}: {found:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_belongs_at_the_start_of_a_file_only() {
        assert_eq!(in_line("\u{feff}x", Position::FileStart, Writing::Program), []);
        assert_eq!(in_line("\u{feff}x", Position::Inside, Writing::Program).len(), 1);
    }

    #[test]
    fn the_place_is_counted_in_characters() {
        let found = hidden_characters("äöü\nä\u{202e}b");
        assert_eq!((found[0].line, found[0].column, found[0].offset), (2, 2, 2));
        assert_eq!(found[0].describe(), "U+202E (right-to-left override) at column 2");
    }

    #[test]
    fn every_default_ignorable_code_point_is_found_among_latin_letters() {
        // Default_Ignorable_Code_Point of the Unicode Character Database, version 16.
        let ranges = [
            (0xad, 0xad),
            (0x34f, 0x34f),
            (0x61c, 0x61c),
            (0x115f, 0x1160),
            (0x17b4, 0x17b5),
            (0x180b, 0x180f),
            (0x200b, 0x200f),
            (0x202a, 0x202e),
            (0x2060, 0x206f),
            (0x3164, 0x3164),
            (0xfe00, 0xfe0f),
            (0xfeff, 0xfeff),
            (0xffa0, 0xffa0),
            (0xfff0, 0xfff8),
            (0x1bca0, 0x1bca3),
            (0x1d173, 0x1d17a),
            (0xe0000, 0xe0fff),
        ];
        let mut count = 0;
        for character in ranges.into_iter().flat_map(|(first, last)| first..=last).filter_map(char::from_u32)
        {
            for writing in [Writing::Program, Writing::Prose] {
                assert_eq!(kinds(&format!("a{character}b"), writing).len(), 1, "{character:?}");
            }
            count += 1;
        }
        assert_eq!(count, 4174);
    }
}
