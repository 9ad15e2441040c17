//! Many workers of several processes that work, die and come back at random, while pushes go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use store::{Choice, Enqueued, JobEnding, Store, open};

use super::*;
use crate::databases::{Database, postgres, sqlite};

const PROCESSES: usize = 4;
const WORKERS: usize = 12;
const SUBJECTS: usize = 12;
const PUSHES: usize = 10;
const LIMITS: ClaimLimits = ClaimLimits { per_repository: 3 };

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_every_job_ends_once_and_no_two_work_on_one_subject_on_sqlite() {
    every_job_ends_once_and_no_two_work_on_one_subject(sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_every_job_ends_once_and_no_two_work_on_one_subject_on_postgres() {
    every_job_ends_once_and_no_two_work_on_one_subject(postgres().await).await;
}

async fn every_job_ends_once_and_no_two_work_on_one_subject(database: Database) {
    // To the database, pools are as separate as processes are.
    let mut stores = Vec::new();
    for _ in 0..PROCESSES {
        stores.push(open(&database.url).await.unwrap());
    }
    let world = Arc::new(World { pushing: AtomicUsize::new(SUBJECTS), ..World::default() });
    let mut tasks = Vec::new();
    for number in 0..SUBJECTS {
        tasks.push(tokio::spawn(push(stores[number % PROCESSES].clone(), Arc::clone(&world), number)));
    }
    for number in 0..WORKERS {
        tasks.push(tokio::spawn(work(stores[number % PROCESSES].clone(), Arc::clone(&world), number)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let now_ms = world.now(0);
    let counts = stores[0].queue_counts(now_ms).await.unwrap();
    assert_eq!((counts.queued, counts.running), (0, 0));
    let enqueued = *world.enqueued.lock().unwrap();
    // All but the newest of each subject.
    assert_eq!(stores[0].forget_old(i64::MAX).await.unwrap(), enqueued - SUBJECTS as u64);
    check_the_newest(&world);
    for store in stores {
        store.close().await;
    }
    database.remove().await;
}

/// What was pushed last was finished by somebody, and not as superseded, or had its last word.
fn check_the_newest(world: &World) {
    let (newest, finished) = (world.newest.lock().unwrap(), world.finished.lock().unwrap());
    let given_up = world.given_up.lock().unwrap();
    assert_eq!(newest.len(), SUBJECTS);
    for (subject, id) in newest.iter() {
        match finished.get(id) {
            Some(JobEnding::Succeeded | JobEnding::Failed) => {}
            Some(ending @ (JobEnding::Superseded | JobEnding::Cancelled | JobEnding::OutOfReach)) => {
                panic!("{subject}: {ending:?}")
            }
            None => assert!(given_up.contains(id), "nobody finished the last push to {subject}"),
        }
    }
}

#[derive(Default)]
struct World {
    clock: AtomicI64,
    pushing: AtomicUsize,
    enqueued: Mutex<u64>,
    newest: Mutex<BTreeMap<String, JobId>>,
    finished: Mutex<BTreeMap<JobId, JobEnding>>,
    /// Jobs whose worker was so slow with its last word that it was taken for dead.
    given_up: Mutex<BTreeSet<JobId>>,
    /// Who worked on a subject last: from when, and until when their lease is.
    holders: Mutex<BTreeMap<String, Holder>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    lease: store::Lease,
    from_ms: i64,
    until_ms: i64,
}

impl World {
    /// Time passes.
    fn now(&self, by_ms: i64) -> i64 {
        self.clock.fetch_add(by_ms, Ordering::SeqCst) + by_ms
    }

    fn begin(&self, claimed: &Claimed, now_ms: i64) {
        let mut holders = self.holders.lock().unwrap();
        // Others may have let time pass since `now_ms` was read, and have ended what was dead by then.
        let holder =
            Holder { lease: claimed.lease.clone(), from_ms: self.now(0), until_ms: now_ms + LEASE_MS };
        if let Some(other) = holders.get(&claimed.subject) {
            let are_apart = other.until_ms <= holder.from_ms || holder.until_ms <= other.from_ms;
            assert!(are_apart, "two work on {}: {other:?}, {holder:?}", claimed.subject);
        }
        holders.insert(claimed.subject.clone(), holder);
    }

    fn renew(&self, claimed: &Claimed, now_ms: i64) {
        if let Some(holder) = self.holders.lock().unwrap().get_mut(&claimed.subject)
            && holder.lease == claimed.lease
        {
            holder.until_ms = now_ms + LEASE_MS;
        }
    }

    fn lose(&self, claimed: &Claimed) {
        if claimed.is_last_word {
            self.given_up.lock().unwrap().insert(claimed.lease.job);
        }
    }

    /// From here on this worker does nothing but write its result down.
    fn end(&self, claimed: &Claimed) {
        let mut holders = self.holders.lock().unwrap();
        if holders.get(&claimed.subject).is_some_and(|holder| holder.lease == claimed.lease) {
            holders.remove(&claimed.subject);
        }
    }
}

async fn push(store: Store, world: Arc<World>, number: usize) {
    let mut random = Random(number as u64 + 1);
    let subject = format!("acme/shop{}#{number}", number % 3);
    for push in 0..PUSHES {
        let now_ms = world.now(random.below(60) as i64);
        if random.below(6) == 0 {
            store.cancel(&subject, "closed", now_ms).await.unwrap();
        }
        // Sometimes back to a head of before, sometimes the same again.
        let head = format!("h{}", if push % 3 == 0 { 0 } else { push });
        let id = match store.enqueue(&review(&subject, &head), now_ms).await.unwrap() {
            Enqueued::New(id) => {
                *world.enqueued.lock().unwrap() += 1;
                id
            }
            Enqueued::AlreadyLive(id) => id,
        };
        world.newest.lock().unwrap().insert(subject.clone(), id);
    }
    world.pushing.fetch_sub(1, Ordering::SeqCst);
}

async fn work(store: Store, world: Arc<World>, number: usize) {
    let mut random = Random(1_000 + number as u64);
    let worker = format!("worker-{number}");
    loop {
        let is_over = world.pushing.load(Ordering::SeqCst) == 0;
        let now_ms = world.now(random.below(20) as i64);
        let Some(claimed) = store.claim(&worker, Choice::Any, LIMITS, now_ms, LEASE_MS).await.unwrap() else {
            let counts = store.queue_counts(now_ms).await.unwrap();
            if is_over && counts.queued + counts.running == 0 {
                return;
            }
            // Nothing is due until time passes.
            world.now(LEASE_MS / 10);
            continue;
        };
        world.begin(&claimed, now_ms);
        attempt(&store, &world, &claimed, &mut random).await;
    }
}

/// One attempt at a job, which may end in any way.
async fn attempt(store: &Store, world: &World, claimed: &Claimed, random: &mut Random) {
    loop {
        let now_ms = world.now(random.below(40) as i64);
        let chance = random.below(100);
        // Nobody dies with the last word, so that the newest job of each subject is finished by somebody.
        if chance < 15 && !claimed.is_last_word {
            return;
        }
        if chance < 30 && !claimed.is_last_word {
            world.end(claimed);
            let counts = if chance < 20 { AttemptCounts::No } else { AttemptCounts::Yes };
            store.put_back(&claimed.lease, now_ms + 50, "later", counts, now_ms).await.unwrap();
            return;
        }
        let ending = match store.beat(&claimed.lease, now_ms, LEASE_MS).await.unwrap() {
            Beat::Lost => return world.lose(claimed),
            Beat::Stop { .. } => JobEnding::Superseded,
            Beat::Go if claimed.is_last_word => JobEnding::Failed,
            Beat::Go if chance < 60 => JobEnding::Succeeded,
            Beat::Go => {
                world.renew(claimed, now_ms);
                continue;
            }
        };
        world.end(claimed);
        let held = store.finish(&claimed.lease, ending, "", &[], world.now(1)).await.unwrap();
        return match held {
            Held::Yes => {
                let before = world.finished.lock().unwrap().insert(claimed.lease.job, ending);
                assert_eq!(before, None, "job {} was finished twice", claimed.lease.job);
            }
            Held::Lost => world.lose(claimed),
        };
    }
}

/// Numbers that look random (xorshift), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
