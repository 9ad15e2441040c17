-- The App's side: what came in, what is to be done about it, and what was done. Bool is the presence of a value; a
-- job's `state` is one of queued, running, succeeded, superseded, cancelled, failed.

-- Its only row is what writers of the queue lock, so that they take turns; `last` is the last number given out, for
-- jobs, packets and fencing tokens. No number is ever given twice, also not after rows were forgotten.
CREATE TABLE queue_turns (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO queue_turns (id, last) VALUES (1, 0);

-- Accepted deliveries. The digest is of the event's name and the body: a replay may come under a new id.
CREATE TABLE deliveries (
    delivery_id TEXT PRIMARY KEY,
    body_digest TEXT NOT NULL,
    event TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX deliveries_by_body ON deliveries (body_digest);
CREATE INDEX deliveries_by_time ON deliveries (at_ms);

-- `token` is that of the last claim. `stop_as` is set while a running job is asked to stop: the state that it should
-- end in.
CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    repository TEXT NOT NULL,
    subject TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    head TEXT,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    run_at_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    max_attempts BIGINT NOT NULL,
    token BIGINT NOT NULL,
    worker TEXT,
    lease_until_ms BIGINT,
    stop_as TEXT,
    stop_reason TEXT,
    note TEXT,
    created_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT
);
-- The two promises that hold whatever the code does. One that is asked to stop makes room for the same again.
CREATE UNIQUE INDEX jobs_one_live ON jobs (kind, subject, dedupe_key)
    WHERE state IN ('queued', 'running') AND stop_as IS NULL;
CREATE UNIQUE INDEX jobs_one_running ON jobs (kind, subject) WHERE state = 'running';
CREATE INDEX jobs_queued ON jobs (run_at_ms) WHERE state = 'queued';
CREATE INDEX jobs_live_of_subject ON jobs (subject) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_of_head ON jobs (repository, head);
CREATE INDEX jobs_finished ON jobs (finished_at_ms) WHERE finished_at_ms IS NOT NULL;

-- Acts on the other side that must not happen twice. Without `remote_id` it was begun and nobody knows whether it was
-- done; without `content` nobody knows what it says now.
CREATE TABLE posts (
    repository TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    remote_id TEXT,
    content TEXT,
    begun_at_ms BIGINT NOT NULL,
    posted_at_ms BIGINT,
    PRIMARY KEY (repository, subject, kind, name)
);

-- What was paid for in a run that may be taken up again, under the digest of what was asked.
CREATE TABLE steps (
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (run_id, key)
);
CREATE INDEX steps_by_time ON steps (at_ms);

-- Evidence packets, in the order in which they were kept.
CREATE TABLE packets (
    id BIGINT PRIMARY KEY,
    subject TEXT NOT NULL,
    head TEXT NOT NULL,
    run_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    size BIGINT NOT NULL,
    zlib BYTEA NOT NULL,
    UNIQUE (subject, digest)
);
