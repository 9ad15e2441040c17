//! Random kills: processes die at random moments while pull requests are opened, pushed to, commented on, closed and opened
//! again. Then everything is quiet, and nothing may be lost, told twice, or told of a wrong head.
//!
//! `scripts/kill-run COUNT sqlite|postgres` runs more of them: `RECUSE_KILLS` is how many, `RECUSE_KILLS_ON` where, and
//! `RECUSE_KILLS_SEED` makes other choices.

use std::collections::BTreeMap;
use std::time::Duration;

use super::databases::On;
use super::told::{Lines, wrong_check_runs, wrongs};
use super::*;

/// How many kills there are where nobody says otherwise.
const KILLS: u64 = 12;

/// How many pull requests are open at once; the oldest is closed for a new one.
const OPEN: usize = 10;

/// The longest that a process lives.
const LONGEST_LIFE_MS: u64 = 2_500;

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

/// Everything that is going on.
struct Turmoil {
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
                let number = opened(&self.fake, &branch, &[(&path, RISKY.1)]);
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
                let head = self.fake.commit(1, &branch, "Forced", &[(first, RISKY.1), (&path, HARMLESS.1)]);
                self.fake.move_head(1, number, &head);
            }
        }
    }

    /// What is wrong now that everything is quiet.
    fn wrongs(&self) -> Vec<String> {
        let mut all = wrong_check_runs(&self.fake);
        for number in &self.open {
            all.extend(wrongs(&self.fake, *number, Lines(1)));
        }
        for number in &self.all {
            let packets = ours(&self.fake, *number);
            let packets =
                packets.iter().filter(|comment| comment.body.contains("<!-- recuse packet ")).count();
            if packets > 1 || self.fake.review_comments(1, *number).len() > 1 {
                all.push(format!("#{number} was told twice"));
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
    // So much happens that reviews wait, and that is shown at once.
    let home = Home::new(&fake, &format!("{SOON}announce_seconds = 0\n"));
    let database = on.new_database().await;
    let home = home.with("RECUSE_DATABASE_URL", &database.url);
    let replicas = match on {
        On::Sqlite => 1,
        On::Postgres => 3,
    };
    let mut servers: Vec<Server> = (0..replicas).map(|_| home.serve(&["--offline"])).collect();
    let mut turmoil = Turmoil {
        fake,
        random: Random(seed),
        open: Vec::new(),
        all: Vec::new(),
        commands: Vec::new(),
        files: 0,
        first_files: BTreeMap::new(),
    };
    for _ in 0..kills {
        let receiver = turmoil.random.below(replicas) as usize;
        turmoil.fake.deliver_to(&servers[receiver].webhook);
        for _ in 0..=turmoil.random.below(2) {
            turmoil.happens();
        }
        let life = turmoil.random.below(LONGEST_LIFE_MS / replicas);
        tokio::time::sleep(Duration::from_millis(life)).await;
        let victim = turmoil.random.below(replicas) as usize;
        servers.remove(victim).kill();
        if turmoil.random.below(3) == 0 {
            // Something happens that nobody hears of.
            turmoil.happens();
        }
        servers.insert(victim, home.serve(&["--offline"]));
    }
    // Processes that live for a second leave much to do to those that live on.
    let patience =
        Duration::from_secs(90) + Duration::from_millis(300) * u32::try_from(kills).unwrap_or(u32::MAX);
    // What was lost in the last moments is found by one more start.
    turmoil.fake.deliver_to(&servers[0].webhook);
    for _ in 0..2 {
        turmoil.fake.deliveries_settled().await;
        turmoil.fake.forget_calls();
        servers.remove(0).kill();
        servers.push(home.serve(&["--offline"]));
        let last = servers.last().expect("it was pushed just now");
        turmoil.fake.deliver_to(&last.webhook);
        last.until_within(patience, "it looked for what was missed", || {
            turmoil.fake.count(Endpoint::Deliveries) > 0 && last.is_idle()
        });
    }
    settled(&turmoil.fake, &servers[0]).await;
    let wrongs = turmoil.wrongs();
    assert!(wrongs.is_empty(), "{} wrongs after {kills} kills:\n{}", wrongs.len(), wrongs.join("\n"));
    turmoil.fake.finish();
    drop(servers);
    database.remove().await;
}
