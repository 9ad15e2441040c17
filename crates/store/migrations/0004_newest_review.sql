-- The newest review of a subject is never forgotten.
CREATE INDEX jobs_reviews_of_subject ON jobs (subject, id) WHERE kind = 'review';
