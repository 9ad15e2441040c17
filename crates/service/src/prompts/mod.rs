//! Prompts: files with front matter, embedded, strict, each rendered by a test. An operator can put files of his own
//! in their place; nothing of a change under review ever can.
//!
//! What goes into a prompt is decided in `review::prompt`; here it becomes text. The instructions come first and
//! are the same for every lens and change, then the change, then the lens's task: what several reviewers share
//! stands at the front, where providers cache it, and the task stands behind the untrusted text.

mod check;
mod files;
mod prefix;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use models::{AnswerSchema, Message, Prompt};
use review::examine::ExaminationParts;
use review::finding::CATEGORIES;
use review::prompt::{Material, Plan, PromptParts, build};
use review::record::OPERATORS;
use review::{Category, Digest, Lens};

use files::{Parsed, Source};
pub use prefix::{common_prefix, common_prefixes};

/// The loaded templates.
pub struct Prompts {
    tera: tera::Tera,
    /// The files that they were read from.
    pub templates: Vec<Template>,
}

/// A prompt file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its id, as its front matter states it.
    pub id: String,
    /// Its file, for people.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Where it is from.
    pub origin: Origin,
    /// All of it.
    pub text: String,
}

impl Template {
    /// What it is called in receipts.
    pub(crate) fn receipt_name(&self) -> String {
        match self.origin {
            Origin::BuiltIn => format!("{} v{}", self.id, self.version),
            Origin::Operator => format!("{} v{} ({OPERATORS})", self.id, self.version),
        }
    }
}

/// Where a prompt file is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This build.
    BuiltIn,
    /// The operator's folder.
    Operator,
}

/// Something wrong with a prompt file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Why prompts cannot be used. It is the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// A folder or a file could not be read.
    #[error("could not read the prompts in {path}")]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is so large that every call would pay dearly for it.
    #[error("the prompt {path} has more than {limit} bytes")]
    TooLarge {
        /// Which one.
        path: PathBuf,
        /// How many it may have.
        limit: u64,
    },
    /// Files say something that cannot be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Problem>),
}

impl Prompts {
    /// Loads the files that this build carries.
    ///
    /// # Errors
    /// One of them is wrong; a test keeps that from happening.
    pub fn embedded() -> Result<Self, PromptsError> {
        Self::load(None)
    }

    /// Loads the files that this build carries, or those that a folder has in their place.
    ///
    /// # Errors
    /// The folder cannot be read, or holds what cannot be used: an unknown variable, text of others outside the
    /// fence, an answer that nobody could read.
    pub fn load(folder: Option<&Path>) -> Result<Self, PromptsError> {
        let sources = files::sources(folder)?;
        let mut problems = Vec::new();
        let mut parsed: Vec<Parsed<'_>> = Vec::new();
        for source in &sources {
            match files::parse(source.id, &source.text) {
                Ok(file) => parsed.push(file),
                Err((line, message)) => problems.push(source.problem(line, message)),
            }
        }
        fail_on(problems)?;
        let mut tera = tera::Tera::default();
        tera.autoescape_on(Vec::<&'static str>::new());
        let mut problems = Vec::new();
        for (source, file) in sources.iter().zip(&parsed) {
            if let Err(error) = tera.add_raw_template(source.id, file.body) {
                problems.push(source.problem(file.lines_before + line_of(&error), words_of(&error)));
                continue;
            }
            let unknown = tera.get_template_variables(source.id).unwrap_or_default();
            let unknown: BTreeSet<&str> = unknown.into_iter().collect();
            problems.extend(check::file(source, file, &unknown));
        }
        fail_on(problems)?;
        let template = |(source, file): (&Source, &Parsed<'_>)| Template {
            id: source.id.to_owned(),
            name: source.name.clone(),
            version: file.version,
            digest: Digest::of(source.text.as_bytes()),
            origin: source.origin,
            text: source.text.clone(),
        };
        let templates = sources.iter().zip(&parsed).map(template).collect();
        let prompts = Self { tera, templates };
        fail_on(check::rendered(&prompts, &sources, &parsed))?;
        Ok(prompts)
    }

    /// Renders the prompt for one lens.
    ///
    /// # Errors
    /// A template asks for something that is not there.
    pub fn render(&self, parts: &PromptParts, max_output_tokens: u32) -> Result<Prompt, PromptsError> {
        let lens = parts.lens;
        let of_lens = |name: &&str| Category::parse(name, lens).lens() == lens;
        let categories: Vec<String> =
            CATEGORIES.iter().copied().filter(of_lens).map(|name| format!("`{name}`")).collect();
        let mut change = tera::Context::new();
        change.insert("change", parts);
        let mut part = tera::Context::new();
        part.insert("part_number", &parts.part.0);
        part.insert("part_count", &parts.part.1);
        let mut task = tera::Context::new();
        task.insert("categories", &categories.join(", "));
        let sections = [
            self.text("shared/change", &change)?,
            self.text("shared/part", &part)?,
            self.text(&format!("{}/task", lens.name()), &task)?,
        ];
        let sections: Vec<&str> =
            sections.iter().map(|section| section.trim()).filter(|section| !section.is_empty()).collect();
        Ok(Prompt {
            system: self.text("shared/system", &tera::Context::new())?,
            messages: vec![Message::User(sections.join("\n\n") + "\n")],
            cache_prefix: None,
            tools: Vec::new(),
            answer: Some(AnswerSchema { name: "review".to_owned(), schema: review::answer::schema() }),
            max_output_tokens,
            temperature: None,
        })
    }

    /// Renders the prompt for a cross-examination.
    ///
    /// # Errors
    /// A template asks for something that is not there.
    pub fn render_examination(
        &self,
        parts: &ExaminationParts,
        max_output_tokens: u32,
    ) -> Result<Prompt, PromptsError> {
        let mut context = tera::Context::new();
        context.insert("case", parts);
        Ok(Prompt {
            system: self.text("cross-examine/system", &tera::Context::new())?,
            messages: vec![Message::User(self.text("cross-examine/case", &context)?)],
            cache_prefix: None,
            tools: Vec::new(),
            answer: Some(AnswerSchema { name: "examination".to_owned(), schema: review::examine::schema() }),
            max_output_tokens,
            temperature: None,
        })
    }

    /// How many bytes the longest prompt about a change has beside the changed lines: what is left is room for them.
    ///
    /// # Errors
    /// A template asks for something that is not there.
    pub fn overhead_bytes(&self, material: &Material<'_>) -> Result<usize, PromptsError> {
        let nothing = Plan { parts: vec![Vec::new()] };
        let mut most = 0;
        for lens in Lens::ALL {
            let mut parts = build(material, lens, &nothing, 0, &"0".repeat(32));
            parts.part = (1_000, 1_000);
            most = most.max(bytes_of(&self.render(&parts, 1)?));
        }
        Ok(most)
    }

    fn text(&self, id: &str, context: &tera::Context) -> Result<String, PromptsError> {
        self.tera.render(id, context).map_err(|error| {
            let template = self.templates.iter().find(|template| template.id == id);
            let file = template.expect("every id has its file");
            let before = files::parse(id, &file.text).map_or(0, |parsed| parsed.lines_before);
            PromptsError::Wrong(vec![Problem {
                file: file.name.clone(),
                line: before + line_of(&error),
                message: words_of(&error),
            }])
        })
    }
}

/// How many bytes a prompt has, its schema included.
pub fn bytes_of(prompt: &Prompt) -> usize {
    let messages = prompt.messages.iter().map(|message| match message {
        Message::User(text) => text.len(),
        Message::Assistant { text, .. } => text.len(),
        Message::ToolResult { content, .. } => content.len(),
    });
    let schema = prompt.answer.as_ref().map_or(0, |answer| answer.schema.to_string().len());
    prompt.system.len() + messages.sum::<usize>() + schema
}

impl Source {
    fn problem(&self, line: usize, message: String) -> Problem {
        Problem { file: self.name.clone(), line, message }
    }
}

fn fail_on(problems: Vec<Problem>) -> Result<(), PromptsError> {
    if problems.is_empty() { Ok(()) } else { Err(PromptsError::Wrong(problems)) }
}

/// The line of a template where an error is, from 1.
fn line_of(error: &tera::Error) -> usize {
    match error.kind() {
        tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
            report.span().start_line
        }
        _ => 1,
    }
}

/// What an error says, without a picture of the source.
fn words_of(error: &tera::Error) -> String {
    let message = match error.kind() {
        tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
            report.message().to_owned()
        }
        other => other.to_string(),
    };
    let mut characters = message.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests;
