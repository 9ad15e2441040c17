-- When a receipt was last kept; 0 for those of before, which count as the oldest.
ALTER TABLE receipts ADD COLUMN kept_at_ms BIGINT NOT NULL DEFAULT 0;

-- A receipt whose bytes were deleted: its digest stays, with when and why. Its `zlib` is empty.
ALTER TABLE receipts ADD COLUMN pruned_at_ms BIGINT;
ALTER TABLE receipts ADD COLUMN pruned_because TEXT;

CREATE INDEX receipts_by_time ON receipts (kept_at_ms);
