//! What the operator and the base ask for.
