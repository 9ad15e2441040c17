//! What the App needs of GitHub: it is registered with this, and looked at for it afterwards.

/// What the App may do: GitHub's names, with which access. Nothing here can change code or approve.
pub const PERMISSIONS: [(&str, &str); 6] = [
    ("metadata", "read"),
    ("contents", "read"),
    ("pull_requests", "write"),
    ("issues", "write"),
    ("checks", "write"),
    ("statuses", "read"),
];

/// What the App is told of. Installations are told of without being asked for.
pub const EVENTS: [&str; 7] = [
    "pull_request",
    "issue_comment",
    "pull_request_review_comment",
    "check_run",
    "check_suite",
    "merge_group",
    "push",
];
