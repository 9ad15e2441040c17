//! Random kills: processes die at random moments while pull requests are opened, pushed to, commented on, closed and opened
//! again; one of several stands still for longer than a lease; a model is asked that is slow and fails now and then, until
//! its money is spent. Then everything is quiet, and nothing may be lost, told twice, told of a wrong head, or paid for and
//! not written down.
//!
//! `scripts/kill-run COUNT sqlite|postgres` runs more of them: `RECUSE_KILLS` is how many, `RECUSE_KILLS_ON` where, and
//! `RECUSE_KILLS_SEED` makes other choices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use store::Scope;

use super::databases::{Ledger, On, Questions, billed};
use super::told::{End, told_of_stale_heads, wrong_check_runs, wrongs_of_packet};
use super::*;
use crate::support::fake_github::{ADA, Committer};
use crate::support::fake_models::{Asked, Behaviour, FakeModels};

/// How many kills there are where nobody says otherwise.
const KILLS: u64 = 12;

/// How many pull requests are open at once; the oldest is closed for a new one.
const OPEN: usize = 10;

/// The longest that a process lives.
const LONGEST_LIFE_MS: u64 = 2_500;

/// Longer than a busy machine lets a process that lives wait, so that only the dead lose an attempt.
const LEASE: &str = "[serve]\nlease_seconds = 3\nretry_seconds = 0\n";

/// With several processes one stands still after so many deaths, on average, and goes on so many deaths later: longer than a
/// lease. One that is killed meanwhile does not go on.
const STILL_EVERY: u64 = 12;
const STILL_FOR: u64 = 6;

/// How often a review is tried.
const ATTEMPTS: u64 = 8;

/// What the check run of a review says that died in every attempt.
const GIVEN_UP: &str = "the review failed; nothing was reviewed";

/// What one review may cost, in micro-USD.
const CAP_OF_A_CHANGE: u64 = 100_000;

/// What may be spent in a day on an author, on the repository and in all, in micro-USD: so much, and so much more for each
/// kill. The first reviews are paid for, and the most active author runs out.
const CAPS: [(Scope, u64, u64); 3] =
    [(Scope::Author, 40_000, 2_000), (Scope::Repository, 60_000, 4_000), (Scope::Day, 70_000, 5_000)];

/// From so many kills on, caps are certain to be in play.
const KILLS_THAT_COST: u64 = 30;

/// Somebody who opens less than ada.
const KIM: Committer<'static> = Committer { name: "Kim", email: "kim@example.org" };

/// A change that the rules have one thing to say about, at the second line, and the model another, at the sixth.
const TOLD: &str = "\
def search(connection, name):
    return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")


def cheapest(prices):
    return sorted(prices)[0]
";

/// Where the rules have something to say.
const LINE_OF_THE_RULES: u64 = 2;

/// Where the model alone has something to say.
const LINE_OF_THE_MODEL: u64 = 6;

/// Numbers that look random (xorshift), the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_process_dies_nothing_is_lost_or_told_twice() {
    match std::env::var("RECUSE_KILLS_ON").as_deref() {
        Err(_) | Ok("sqlite") => run(On::Sqlite).await,
        Ok("postgres") => run(On::Postgres).await,
        Ok(other) => panic!("RECUSE_KILLS_ON is sqlite or postgres, not {other}"),
    }
}

/// What the model answers: it finds what the rules find, and one thing more, which it upholds when it is asked again.
fn answer(asked: &Asked) -> Value {
    let text = asked.text();
    if text.contains("You cross-examine claims") {
        return json!({ "answers": [{ "claim": "c1", "quote": "return sorted(prices)[0]", "verdict": "upheld",
            "reason": "nothing keeps `prices` from being empty" }] });
    }
    let is_shown = text.contains("return sorted(prices)[0]");
    let file = text.find("shop/told").and_then(|at| text[at..].split_inclusive(".py").next());
    let finding = |line: u64, quote: &str, category: &str, title: &str| {
        json!({ "file": file, "line_start": line, "line_end": line, "side": "head", "quote": quote, "category": category,
            "severity": "high", "title": title, "scenario": "somebody sends what nobody has thought of" })
    };
    let findings = match is_shown {
        true => vec![
            finding(
                LINE_OF_THE_RULES,
                "return connection.execute(\"SELECT * FROM goods WHERE name = '\" + name + \"'\")",
                "security/injection",
                "A name becomes part of the query",
            ),
            finding(
                LINE_OF_THE_MODEL,
                "return sorted(prices)[0]",
                "correctness/null-or-bounds",
                "The cheapest of no prices is not there",
            ),
        ],
        false => Vec::new(),
    };
    json!({ "examined": ["all that was shown"], "findings": findings, "questions": [] })
}

/// A model that is slow and fails now and then, and what became of the questions.
async fn paid_model() -> (FakeModels, Arc<Mutex<Questions>>) {
    let models = FakeModels::start().await;
    let asked = Arc::new(Mutex::new(Questions::default()));
    let counted = asked.clone();
    models.answers_with("oak", move |question| {
        let mut counted = counted.lock().expect("nobody panics while holding it");
        let nth = counted.answered + counted.refused;
        if nth % 9 == 4 {
            counted.refused += 1;
            return Behaviour::rate_limited(1);
        }
        counted.answered += 1;
        let told = match nth % 7 {
            6 => Behaviour::error(500, "server_error", "the fake fails"),
            _ => billed(Behaviour::Answer(answer(question))),
        };
        match nth % 3 {
            0 => told,
            slow => Behaviour::After(Duration::from_millis(200 * slow as u64), Box::new(told)),
        }
    });
    (models, asked)
}

/// Everything that is going on.
struct Turmoil {
    kills: u64,
    fake: FakeGitHub,
    random: Random,
    open: Vec<u64>,
    all: Vec<u64>,
    commands: Vec<(u64, u64)>,
    files: u64,
    first_files: BTreeMap<u64, String>,
}

impl Turmoil {
    /// Something happens on GitHub.
    fn happens(&mut self) {
        self.files += 1;
        let path = format!("shop/file{}.py", self.files);
        let which = self.random.below(self.open.len().max(1) as u64) as usize;
        match (self.random.below(10), self.open.get(which).copied()) {
            (0..=2, _) | (_, None) => {
                let branch = format!("topic-{}", self.files);
                let path = format!("shop/told{}.py", self.files);
                let (author, committer) = if self.random.below(3) == 0 { ("kim", KIM) } else { ("ada", ADA) };
                let number = self.fake.open_pull(
                    1,
                    &OpenPull {
                        author,
                        branch: &branch,
                        committer,
                        body: "Generated with [Claude Code](https://claude.com/claude-code)",
                        files: &[(&path, TOLD)],
                        ..OpenPull::default()
                    },
                );
                self.open.push(number);
                self.all.push(number);
                self.first_files.insert(number, path);
                if self.open.len() > OPEN {
                    let oldest = self.open.remove(0);
                    self.fake.close(1, oldest);
                }
            }
            (3..=6, Some(number)) => drop(self.fake.push(1, number, &[(&path, HARMLESS.1)])),
            (7, Some(number)) => {
                let comment = self.fake.comment(1, number, "ada", "/recuse why");
                self.commands.push((number, comment));
            }
            (8, Some(number)) => {
                let comment = self.fake.comment(1, number, "ada", "/recuse help");
                self.commands.push((number, comment));
            }
            (_, Some(number)) => {
                // A forced push: the same change as another commit.
                let branch = format!("forced-{}", self.files);
                let first = self.first_files.get(&number).expect("it was opened here");
                let head = self.fake.commit(1, &branch, "Forced", &[(first, TOLD), (&path, HARMLESS.1)]);
                self.fake.move_head(1, number, &head);
            }
        }
    }

    /// What is missing at the lines of an open pull request: what the rules say always, what the model says where its answer
    /// is part of what the head was told.
    fn wrong_lines(&self, number: u64) -> Vec<String> {
        let told = self.fake.review_comments(1, number);
        let is_told = |line: u64| told.iter().any(|comment| comment.line == line);
        let is_whole = End::of(&self.fake, number) == Some(End::Whole);
        let wanted = [(LINE_OF_THE_RULES, true), (LINE_OF_THE_MODEL, is_whole)];
        let missing = wanted.into_iter().filter(|(line, is_wanted)| *is_wanted && !is_told(*line));
        missing.map(|(line, _)| format!("#{number} was told nothing at line {line}: {told:?}")).collect()
    }

    /// Whether the check run of a head says that its review died in every attempt that it has.
    fn was_given_up(&self, number: u64) -> bool {
        let run = newest_run(&self.fake, &self.fake.head(1, number));
        run.is_some_and(|run| run.output["title"] == GIVEN_UP)
    }

    /// How many heads were told everything, and how many that something was not looked at.
    fn ends(&self) -> (usize, usize) {
        let runs = self.fake.all_check_runs(1);
        let ended = |end: End| runs.iter().filter(|run| end.is_of(run)).count();
        (ended(End::Whole), ended(End::WithGaps))
    }

    /// What is wrong now that everything is quiet.
    fn wrongs(&self) -> Vec<String> {
        let mut all = wrong_check_runs(&self.fake);
        let (given_up, ended): (Vec<u64>, Vec<u64>) =
            self.open.iter().partition(|number| self.was_given_up(**number));
        // Each of them takes as many deaths as a review has attempts.
        if given_up.len() as u64 > self.kills / ATTEMPTS {
            all.push(format!("{given_up:?} were given up"));
        }
        for number in &ended {
            all.extend(wrongs_of_packet(&self.fake, *number, &[End::Whole, End::WithGaps]));
            all.extend(self.wrong_lines(*number));
        }
        for number in &self.all {
            all.extend(told_of_stale_heads(&self.fake, *number));
            let packets = ours(&self.fake, *number);
            let packets =
                packets.iter().filter(|comment| comment.body.contains("<!-- recuse packet ")).count();
            let at_lines = self.fake.review_comments(1, *number);
            let lines: Vec<_> = at_lines.iter().map(|one| one.line).collect();
            let times = |wanted: u64| lines.iter().filter(|line| **line == wanted).count();
            let is_once = times(LINE_OF_THE_RULES) <= 1 && times(LINE_OF_THE_MODEL) <= 1 && lines.len() <= 2;
            if packets > 1 || !is_once {
                all.push(format!("#{number} was told twice: {packets} comments, {at_lines:?}"));
            }
        }
        for (number, comment) in &self.commands {
            let mark = format!("<!-- recuse answer-{comment} ");
            let answers = ours(&self.fake, *number).iter().filter(|ours| ours.body.contains(&mark)).count();
            if answers != 1 {
                all.push(format!("the command {comment} of #{number} was answered {answers} times"));
            }
        }
        all
    }
}

async fn run(on: On) {
    let kills = number_of("RECUSE_KILLS", KILLS);
    let seed = number_of("RECUSE_KILLS_SEED", 7);
    let fake = fake();
    let (models, asked) = paid_model().await;
    let caps = CAPS.map(|(scope, cap, for_each)| (scope, cap + for_each * kills));
    let [author, repository, day] = caps.map(|(_, cap)| cap as f64 / 1e6);
    // So much happens that reviews wait, and that is shown at once.
    let home = Home::new(
        &fake,
        &format!(
            "{LEASE}announce_seconds = 0\n[review]\nlenses = [\"security\", \"correctness\"]\nreviewers_per_lens = 1\n\
             max_usd = {change}\nmax_usd_per_author_day = {author}\nmax_usd_per_repository_day = {repository}\n\
             max_usd_per_day = {day}\n[[model]]\nname = \"local/oak\"\nbase_url = \"{url}\"\nfamilies = [\"qwen\"]\n\
             input_usd = 1.0\noutput_usd = 1.0\n",
            change = CAP_OF_A_CHANGE as f64 / 1e6,
            url = models.base_url(),
        ),
    );
    let database = on.new_database().await;
    let home = home.with("RECUSE_DATABASE_URL", &database.url);
    let replicas = match on {
        On::Sqlite => 1,
        On::Postgres => 3,
    };
    let mut servers: Vec<Server> = (0..replicas).map(|_| home.serve(&[])).collect();
    let mut turmoil = Turmoil {
        kills,
        fake,
        random: Random(seed),
        open: Vec::new(),
        all: Vec::new(),
        commands: Vec::new(),
        files: 0,
        first_files: BTreeMap::new(),
    };
    // Which process stands still, as on a machine that sleeps, and for how many deaths of others.
    let mut still: Option<(usize, u64)> = None;
    for _ in 0..kills {
        still = match still {
            Some((index, 0)) => {
                servers[index].signal("CONT");
                None
            }
            Some((index, more)) => Some((index, more - 1)),
            None if replicas > 1 && turmoil.random.below(STILL_EVERY) == 0 => {
                let index = turmoil.random.below(replicas) as usize;
                servers[index].signal("STOP");
                Some((index, STILL_FOR))
            }
            None => None,
        };
        let mut receiver = turmoil.random.below(replicas) as usize;
        if still.is_some_and(|(index, _)| index == receiver) {
            receiver = (receiver + 1) % servers.len();
        }
        turmoil.fake.deliver_to(&servers[receiver].webhook);
        for _ in 0..=turmoil.random.below(2) {
            turmoil.happens();
        }
        let life = turmoil.random.below(LONGEST_LIFE_MS / replicas);
        tokio::time::sleep(Duration::from_millis(life)).await;
        let victim = turmoil.random.below(replicas) as usize;
        servers.remove(victim).kill();
        if still.is_some_and(|(index, _)| index == victim) {
            still = None;
        }
        if turmoil.random.below(3) == 0 {
            // Something happens that nobody hears of.
            turmoil.happens();
        }
        servers.insert(victim, home.serve(&[]));
    }
    if let Some((index, _)) = still {
        servers[index].signal("CONT");
    }
    // Processes that live for a second leave much to do to those that live on.
    let patience =
        Duration::from_secs(90) + Duration::from_millis(300) * u32::try_from(kills).unwrap_or(u32::MAX);
    // What was lost in the last moments is found by one more start.
    turmoil.fake.deliver_to(&servers[0].webhook);
    for _ in 0..2 {
        turmoil.fake.deliveries_settled().await;
        // Where another process looks already, the new one does not.
        servers[0].until_within(patience, "everything was done", || servers[0].is_idle());
        turmoil.fake.forget_calls();
        servers.remove(0).kill();
        servers.push(home.serve(&[]));
        let last = servers.last().expect("it was pushed just now");
        turmoil.fake.deliver_to(&last.webhook);
        last.until_within(patience, "it looked for what was missed", || {
            turmoil.fake.count(Endpoint::Deliveries) > 0 && last.is_idle()
        });
    }
    settled(&turmoil.fake, &servers[0]).await;
    drop(servers);
    let mut wrongs = turmoil.wrongs();
    let ledger = Ledger::read(&database.url).await;
    let caps = [caps.as_slice(), &[(Scope::Change, CAP_OF_A_CHANGE)]].concat();
    wrongs.extend(ledger.wrongs(&caps, *asked.lock().expect("nobody panics while holding it")));
    let (whole, with_gaps) = turmoil.ends();
    if kills >= KILLS_THAT_COST && (whole == 0 || with_gaps == 0) {
        wrongs.push(format!("{whole} heads had answers and {with_gaps} had none: no cap was in play"));
    }
    assert!(wrongs.is_empty(), "{} wrongs after {kills} kills:\n{}", wrongs.len(), wrongs.join("\n"));
    turmoil.fake.finish();
    models.finish();
    database.remove().await;
}
