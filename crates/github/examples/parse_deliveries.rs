//! Reads a folder of deliveries (`EVENT.NAME.json`) and prints what became of each event.
//!
//! ```text
//! cargo run -p github --example parse_deliveries -- FOLDER
//! ```

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::collections::BTreeMap;

use github::Event;
use github::event::parse;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("the folder is missing")?;
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((event, _)) = name.split_once('.').filter(|_| name.ends_with(".json")) else { continue };
        let became = match parse(event, &std::fs::read(&path)?) {
            Event::Ping => "ping".to_owned(),
            Event::PullRequest(event) => format!("pull request {:?}", event.action),
            Event::Comment(event) => format!("comment {:?} {:?}", event.place, event.action),
            Event::CheckRun(event) => format!("check run {:?}", event.action),
            Event::CheckSuite(event) => format!("check suite {:?}", event.action),
            Event::MergeGroup(event) => format!("merge group {:?}", event.action),
            Event::Installation(event) => format!("installation {:?}", event.action),
            Event::Push(_) => "push".to_owned(),
            Event::Ignored { reason } => format!("ignored: {reason}"),
        };
        *counts.entry((event.to_owned(), became)).or_default() += 1;
    }
    for ((event, became), count) in &counts {
        println!("{count:>4} {event:<36} {became}");
    }
    println!("{:>4} in all", counts.values().sum::<usize>());
    Ok(())
}
