//! Everything that is read is read from real repositories, made by the git that is installed.

mod blobs;
mod fetching;
mod gathering;
mod hostile;
mod layouts;
mod ranges;
mod same_as_git;
mod server;
mod support;
mod work_tree;
