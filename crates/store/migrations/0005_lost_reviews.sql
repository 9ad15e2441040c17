-- A job may also end as `out_of_reach`: what it was about is not there for us any more, and may come back. Reviews that ended
-- so or failed are looked for again and again.
CREATE INDEX jobs_lost_reviews ON jobs (repository) WHERE kind = 'review' AND state IN ('failed', 'out_of_reach');
