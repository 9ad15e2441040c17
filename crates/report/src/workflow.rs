//! What a workflow of GitHub Actions is told: commands on standard output, and lines of its output file.
//!
//! The runner reads commands from every line that a step prints: `::name …::text` at the start of one, and the older
//! `##[name]text` anywhere in one. Only what is made here is such a command; all else goes through [`harmless`], or
//! between [`paused`]'s two lines, where the runner listens to nothing but the word to go on.

use review::packet::PacketV1;

use crate::{Annotation, AnnotationLevel, annotations};

/// How many annotations of a level GitHub shows of one step.
const MOST_OF_A_LEVEL: usize = 10;

/// The claims at lines of the head as commands, a line each, worst first, and how many claims GitHub would not show.
pub fn annotation_commands(packet: &PacketV1) -> (Vec<String>, usize) {
    let mut commands = Vec::new();
    let mut left_out = 0;
    let mut shown = [0_usize; 3];
    for annotation in annotations(packet) {
        let (level, index) = match annotation.level {
            AnnotationLevel::Failure => ("error", 0),
            AnnotationLevel::Warning => ("warning", 1),
            AnnotationLevel::Notice => ("notice", 2),
        };
        if shown[index] == MOST_OF_A_LEVEL {
            left_out += 1;
            continue;
        }
        shown[index] += 1;
        commands.push(command(level, &annotation));
    }
    (commands, left_out)
}

fn command(level: &str, annotation: &Annotation) -> String {
    format!(
        "::{level} file={},line={},endLine={},title={}::{}",
        property(&annotation.path),
        annotation.line_start,
        annotation.line_end,
        property(&annotation.title),
        data(&annotation.message)
    )
}

/// A text in a command, as the runner unescapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command, as the runner unescapes it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text during which the runner takes no commands. `word` ends that, so nobody may be able to guess it.
pub fn paused(text: &str, word: &str) -> String {
    let lines: Vec<String> = text.lines().map(harmless).collect();
    format!("::stop-commands::{word}\n{}\n::{word}::\n", lines.join("\n"))
}

/// A line that is no command, whatever it says.
pub fn harmless(line: &str) -> String {
    let line = line.replace("##[", "##\\[").replace('\r', "\\r");
    match line.trim_start().starts_with("::") {
        true => format!("\\{}", line.trim_start()),
        false => line,
    }
}

/// An output of a step, as its output file has it. `word` ends the value, so nobody may be able to guess it.
pub fn output(name: &str, value: &str, word: &str) -> String {
    format!("{name}<<{word}\n{value}\n{word}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two grammars in which the runner reads commands, as its documentation and its code have them.
    fn is_command(line: &str) -> bool {
        let new = line.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"));
        let old = line.find("##[").is_some_and(|start| line[start..].contains(']'));
        new || old
    }

    const HOSTILE: [&str; 9] = [
        "::error::x",
        "  ::add-mask::x",
        "\u{a0}::set-output name=a::b",
        "\t::stop-commands::x",
        "a ##[error]b",
        "##[add-path]x",
        "####[group]x##[x]",
        "x\r::error::y",
        "::x::",
    ];

    #[test]
    fn no_line_is_a_command_after_it_went_through_the_door() {
        for hostile in HOSTILE {
            assert!(is_command(hostile) || hostile.contains('\r'), "{hostile:?}");
            let harmless = harmless(hostile);
            assert!(!harmless.split(['\r', '\n']).any(is_command), "{hostile:?}: {harmless:?}");
            let text = paused(&format!("{hostile}\n{hostile}"), "word");
            let commands: Vec<&str> = text.lines().filter(|line| is_command(line)).collect();
            assert_eq!(commands, ["::stop-commands::word", "::word::"]);
        }
        assert_eq!(harmless("a: b::c, 50 %"), "a: b::c, 50 %");
    }

    #[test]
    fn an_annotation_is_one_command_whatever_stands_in_it() {
        for hostile in HOSTILE {
            let annotation = Annotation {
                path: format!("{hostile},line=9::x\n{hostile}"),
                line_start: 3,
                line_end: 4,
                level: AnnotationLevel::Failure,
                title: format!("{hostile}%0A,file=b"),
                message: format!("{hostile}\r\n{hostile}"),
            };
            let command = command("error", &annotation);
            assert_eq!(command.lines().count(), 1);
            assert!(!command.contains('\r'));
            let properties = command.strip_prefix("::error ").and_then(|rest| rest.split_once("::"));
            let (properties, message) = properties.expect("a command");
            let names: Vec<&str> =
                properties.split(',').map(|pair| pair.split_once('=').expect("a pair").0).collect();
            assert_eq!(names, ["file", "line", "endLine", "title"]);
            let unescaped = message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
            assert_eq!(unescaped, annotation.message);
        }
    }

    #[test]
    fn an_output_ends_at_its_own_word() {
        assert_eq!(output("verdict", "clean", "w"), "verdict<<w\nclean\nw\n");
    }
}
