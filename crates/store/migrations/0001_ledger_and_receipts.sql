-- One SQL for SQLite and PostgreSQL: only TEXT, BIGINT and BYTEA (which SQLite takes as a blob's column). Money is
-- micro-USD, time is milliseconds since 1970.

-- One row a paid call, written before the call. While `actual_micro_usd` is NULL the call counts at what was reserved.
CREATE TABLE spending (
    id BIGINT PRIMARY KEY,
    run_id TEXT NOT NULL,
    engine TEXT NOT NULL,
    reserved_micro_usd BIGINT NOT NULL CHECK (reserved_micro_usd >= 0),
    reserved_at_ms BIGINT NOT NULL,
    actual_micro_usd BIGINT CHECK (actual_micro_usd >= 0),
    settled_at_ms BIGINT,
    input_tokens BIGINT,
    cached_input_tokens BIGINT,
    cache_write_tokens BIGINT,
    output_tokens BIGINT,
    reasoning_tokens BIGINT
);

-- What a call counts towards: its change, author, repository, day.
CREATE TABLE spending_scopes (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    spending_id BIGINT NOT NULL REFERENCES spending (id),
    PRIMARY KEY (scope, key, spending_id)
);

-- Bytes under their own digest.
CREATE TABLE receipts (
    digest TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    zlib BYTEA NOT NULL
);
