//! What goes into a prompt, as a value.
