//! Where in the change a finding really is.
