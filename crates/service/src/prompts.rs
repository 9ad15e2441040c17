//! Prompts: files with front matter, embedded, strict, each rendered by a test.
//!
//! What goes into a prompt is decided in `review::prompt`; here it becomes text. The instructions come first and
//! are the same for every lens and change, then the change, then the lens's task: what several reviewers share
//! stands at the front, where providers cache it, and the task stands behind the untrusted text.

use anyhow::{Context as _, Result, bail};
use models::{AnswerSchema, Message, Prompt};
use review::finding::CATEGORIES;
use review::prompt::PromptParts;
use review::{Category, Digest, Lens};

/// The files, by id.
const FILES: [(&str, &str); 7] = [
    ("shared/system", include_str!("../../../prompts/shared/system.md")),
    ("shared/change", include_str!("../../../prompts/shared/change.md")),
    ("security/task", include_str!("../../../prompts/security/task.md")),
    ("correctness/task", include_str!("../../../prompts/correctness/task.md")),
    ("complexity/task", include_str!("../../../prompts/complexity/task.md")),
    ("prompt-health/task", include_str!("../../../prompts/prompt-health/task.md")),
    ("database/task", include_str!("../../../prompts/database/task.md")),
];

/// The loaded templates.
pub struct Prompts {
    tera: tera::Tera,
    /// Id, version and digest of each file.
    pub templates: Vec<Template>,
}

/// A prompt file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its id, as its front matter states it.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
}

impl Prompts {
    /// Loads the embedded files.
    ///
    /// # Errors
    /// A file without front matter, with the wrong id, or that is no template.
    pub fn embedded() -> Result<Self> {
        let mut tera = tera::Tera::default();
        let mut templates = Vec::new();
        let mut sources = Vec::new();
        for (id, text) in FILES {
            let (version, body) =
                front_matter(id, text).with_context(|| format!("could not read the prompt {id}"))?;
            templates.push(Template {
                id: id.to_owned(),
                version,
                digest: Digest::of(text.as_bytes()),
                bytes: text.len(),
            });
            sources.push((id, body));
        }
        tera.autoescape_on(Vec::<&'static str>::new());
        tera.add_raw_templates(sources).context("could not read the prompts")?;
        Ok(Self { tera, templates })
    }

    /// Renders the prompt for one lens.
    ///
    /// # Errors
    /// A template that asks for something that is not there.
    pub fn render(&self, parts: &PromptParts, max_output_tokens: u32) -> Result<Prompt> {
        let lens = parts.lens;
        let mut context = tera::Context::new();
        context.insert("change", parts);
        context.insert("part_number", &parts.part.0);
        context.insert("part_count", &parts.part.1);
        let of_lens = |name: &&str| Category::parse(name, lens).lens() == lens;
        let categories: Vec<String> =
            CATEGORIES.iter().copied().filter(of_lens).map(|name| format!("`{name}`")).collect();
        context.insert("categories", &categories.join(", "));
        let render = |id: &str| {
            self.tera.render(id, &context).with_context(|| format!("could not render the prompt {id}"))
        };
        let task = render(&format!("{}/task", lens.name()))?;
        Ok(Prompt {
            system: render("shared/system")?,
            messages: vec![Message::User(format!("{}\n{task}", render("shared/change")?))],
            cache_prefix: None,
            tools: Vec::new(),
            answer: Some(AnswerSchema { name: "review".to_owned(), schema: review::answer::schema(lens) }),
            max_output_tokens,
            temperature: None,
        })
    }

    /// How many bytes a prompt has beside the change, at most: for reserving room.
    pub fn overhead_bytes(&self) -> usize {
        let shared =
            |id: &str| self.templates.iter().find(|template| template.id == id).map_or(0, |t| t.bytes);
        let tasks = self.templates.iter().filter(|template| template.id.ends_with("/task"));
        shared("shared/system")
            + shared("shared/change")
            + tasks.map(|template| template.bytes).max().unwrap_or(0)
    }
}

/// Splits a file into its version and its template; the id and the lens have to fit its place.
fn front_matter<'a>(id: &str, text: &'a str) -> Result<(u32, &'a str)> {
    let rest = text.strip_prefix("---\n").context("it does not begin with front matter")?;
    let (head, body) = rest.split_once("\n---\n").context("its front matter does not end")?;
    let mut version = None;
    for line in head.lines() {
        let (key, value) = line.split_once(": ").with_context(|| format!("`{line}` is no `key: value`"))?;
        match key {
            "id" if value == id => {}
            "id" => bail!("it says that it is {value}"),
            "lens" if id.starts_with(&format!("{value}/")) && Lens::from_name(value).is_some() => {}
            "lens" => bail!("it is for the lens {value}"),
            "version" => version = Some(value.parse().with_context(|| format!("{value} is no version"))?),
            other => bail!("`{other}` is not known here"),
        }
    }
    Ok((version.context("it states no version")?, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use review::prompt::PromptFile;

    fn parts(lens: Lens) -> PromptParts {
        PromptParts {
            lens,
            nonce: "0123456789abcdef".into(),
            title: "Add a cache".into(),
            body: "It is faster.".into(),
            part: (1, 2),
            other_files: vec!["b.rs".into()],
            files: vec![PromptFile {
                path: "a.rs".into(),
                operation: review::change::Operation::Renamed,
                old_path: Some("old.rs".into()),
                text: "@@ fn f()\n+12| let {{ x }} = \"{% raw %}\";\n".into(),
            }],
        }
    }

    #[test]
    fn every_lens_renders_and_untrusted_text_is_inside_the_fence_untouched() {
        let prompts = Prompts::embedded().expect("good prompts");
        for lens in Lens::ALL {
            let prompt = prompts.render(&parts(lens), 1_000).expect("a prompt");
            let Message::User(user) = &prompt.messages[0] else { panic!("the first message is ours") };
            let (before, rest) = user.split_once("<<<0123456789abcdef").expect("an opening line");
            let (inside, after) = rest.split_once("0123456789abcdef>>>").expect("a closing line");
            assert!(before.trim().is_empty());
            assert!(inside.contains("+12| let {{ x }} = \"{% raw %}\";"), "{inside}");
            assert!(inside.contains("a.rs (renamed, was old.rs)"), "{inside}");
            assert!(!after.contains("let {{ x }}") && !prompt.system.contains("Add a cache"));
            assert!(after.contains(&format!("`{}/other`", lens.name())), "{after}");
            assert!(after.contains("part 1 of 2"), "{after}");
        }
    }

    #[test]
    fn the_lenses_share_everything_but_their_task() {
        let prompts = Prompts::embedded().expect("good prompts");
        let text = |lens| {
            let prompt = prompts.render(&parts(lens), 1_000).expect("a prompt");
            let Message::User(user) = prompt.messages[0].clone() else { panic!("the first message is ours") };
            (prompt.system, user)
        };
        let (system, security) = text(Lens::Security);
        let (same, database) = text(Lens::Database);
        assert_eq!(system, same);
        let common = security.bytes().zip(database.bytes()).take_while(|(a, b)| a == b).count();
        assert!(common > security.find(">>> the change").expect("a closing line"));
    }

    #[test]
    fn front_matter_that_does_not_fit_is_refused() {
        for wrong in [
            "no front matter",
            "---\nid: a/task\nversion: 1",
            "---\nid: b/task\nversion: 1\n---\n",
            "---\nid: a/task\n---\n",
            "---\nid: a/task\nversion: one\n---\n",
            "---\nid: a/task\nversion: 1\nlens: database\n---\n",
            "---\nid: a/task\nversion: 1\nmodel: x\n---\n",
        ] {
            assert!(front_matter("a/task", wrong).is_err(), "{wrong}");
        }
    }
}
