//! Where code lives: hosts, registries, builders.

use review::Severity::{Critical, High};

use super::super::format::{Check, Format, token};

pub(super) const FORMATS: &[Format] = &[
    token(
        "secrets/github-token",
        "GitHub token",
        Critical,
        &["ghp_", "gho_", "ghu_", "ghr_"],
        "gh[pour]_[A-Za-z0-9]{36}",
    )
    .check(Check::Crc32Base62),
    // Since 2026 installation tokens are `ghs_<app id>_<JWT>`, about 520 characters; the old shape is among these.
    token(
        "secrets/github-app-token",
        "GitHub App installation token",
        Critical,
        &["ghs_"],
        "ghs_[A-Za-z0-9._-]{36,}",
    )
    .reach(2048),
    token(
        "secrets/github-fine-grained-token",
        "GitHub fine-grained personal access token",
        Critical,
        &["github_pat_"],
        "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    ),
    token(
        "secrets/gitlab-token",
        "GitLab personal access token",
        Critical,
        &["glpat-"],
        "glpat-[A-Za-z0-9_.-]{20,}",
    ),
    token("secrets/npm-token", "npm access token", Critical, &["npm_"], "npm_[A-Za-z0-9]{36}")
        .check(Check::Crc32Base62),
    token(
        "secrets/slack-token",
        "Slack token",
        High,
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        "xox[abprs]-[A-Za-z0-9-]{20,}",
    ),
    token(
        "secrets/aws-access-key-id",
        "AWS access key id",
        High,
        &["akia", "asia"],
        "(?:AKIA|ASIA)[A-Z2-7]{16}",
    ),
    token(
        "secrets/stripe-secret-key",
        "Stripe live secret key",
        Critical,
        &["sk_live_", "rk_live_"],
        "[rs]k_live_[A-Za-z0-9]{24,}",
    ),
    token(
        "secrets/anthropic-key",
        "Anthropic API key",
        Critical,
        &["sk-ant-"],
        "sk-ant-[a-z]+[0-9]{2}-[A-Za-z0-9_-]{80,}",
    ),
    token(
        "secrets/telegram-bot-token",
        "Telegram bot token",
        High,
        &[":aa"],
        "(?:bot)?(?P<secret>[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33})",
    )
    .lead(13),
];
