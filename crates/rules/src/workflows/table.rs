//! The rules about pipelines, with what each says and shows.

use review::Severity;

use crate::catalogue::{Example, Needs, Rule};

/// All of them.
pub(super) const RULES: [&Rule; 16] = [
    &UNTRUSTED_INTERPOLATION,
    &PRIVILEGED_CHECKOUT,
    &PRIVILEGED_TRIGGER,
    &UNPINNED_ACTION,
    &REMOTE_SCRIPT,
    &BROAD_PERMISSIONS,
    &ALL_SECRETS,
    &SELF_HOSTED_RUNNER,
    &ENVIRONMENT_FILE,
    &UNSECURE_COMMANDS,
    &BOT_CONDITION,
    &CONDITION_ALWAYS_TRUE,
    &LOOSE_CONTAINS,
    &CREDENTIALS_IN_ARTIFACT,
    &CACHE_OF_RELEASE,
    &NOT_YAML,
];

const CATEGORY: &str = "security/ci-workflow";

/// A new workflow of this text.
const fn workflow(after: &'static str) -> Example {
    Example { path: ".github/workflows/a.yml", beside: &[], before: None, after }
}

pub(super) const UNTRUSTED_INTERPOLATION: Rule = Rule {
    id: "workflows/untrusted-interpolation",
    category: CATEGORY,
    severity: Severity::High,
    summary: "text that somebody else chooses is pasted into code",
    reason: "An expression is replaced before the shell or the script starts, so a title or a branch name with a \
             quote in it ends the string and goes on as a command, with the job's token and secrets. Handing the value \
             over as an environment variable keeps it a value.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo \"${{ \
         github.event.issue.title }}\"\n",
    ),
    good: workflow(
        "on: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo \
         \"$TITLE\"\n        env:\n          TITLE: ${{ github.event.issue.title }}\n",
    ),
};

pub(super) const PRIVILEGED_CHECKOUT: Rule = Rule {
    id: "workflows/privileged-checkout",
    category: CATEGORY,
    severity: Severity::High,
    summary: "a workflow with secrets checks out what an outsider wrote",
    reason: "Builds, tests and hooks of the checked-out commit run with a token that may write and with the \
             repository's secrets: whoever opens a pull request has both. Such a job belongs under `pull_request`, or \
             must not run anything of the checkout.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: \
         actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: make\n",
    ),
    good: workflow(
        "on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: \
         actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: make\n",
    ),
};

pub(super) const PRIVILEGED_TRIGGER: Rule = Rule {
    id: "workflows/privileged-trigger",
    category: CATEGORY,
    severity: Severity::Low,
    summary: "outsiders start this workflow, and it has the repository's secrets",
    reason: "That is how it must be for labels and comments, and every later step of this workflow has to be written \
             for hostile input.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: \
         make label\n",
    ),
    good: workflow(
        "on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make \
         label\n",
    ),
};

pub(super) const UNPINNED_ACTION: Rule = Rule {
    id: "workflows/unpinned-action",
    category: "security/supply-chain",
    severity: Severity::Medium,
    summary: "an action that can change without a change here",
    reason: "Whoever takes over the action's repository moves the name to another commit, and the next run executes it \
             with this job's token and secrets, as happened to tj-actions/changed-files in 2025. A full commit id \
             cannot be moved.",
    needs: Needs::FileOrHunk,
    bad: workflow("on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: acme/build@v2\n"),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: \
         acme/build@2f1c0f0a1b2c3d4e5f60718293a4b5c6d7e8f901 # v2\n",
    ),
};

pub(super) const REMOTE_SCRIPT: Rule = Rule {
    id: "workflows/remote-script",
    category: "security/supply-chain",
    severity: Severity::High,
    summary: "a script is fetched and run without a look at it",
    reason: "Whoever controls the address, or the account behind it, runs commands in this pipeline from then on. A \
             version that is downloaded and compared with a known digest cannot change.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: curl -s https://get.example.com | bash\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: |\n          curl -so tool \
         https://get.example.com/tool-1.2\n          echo \"$DIGEST tool\" | sha256sum --check\n",
    ),
};

pub(super) const BROAD_PERMISSIONS: Rule = Rule {
    id: "workflows/broad-permissions",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "the workflow's token may do more than the workflow says",
    reason: "Any step, and any action that a step uses, can push to branches or publish with such a token. \
             `permissions: {}` at the top and the few that a job needs below it limit what a mistake costs.",
    needs: Needs::FileOrHunk,
    bad: workflow("on: push\npermissions: write-all\njobs:\n  a:\n    steps:\n      - run: make\n"),
    good: workflow("on: push\npermissions:\n  contents: read\njobs:\n  a:\n    steps:\n      - run: make\n"),
};

pub(super) const ALL_SECRETS: Rule = Rule {
    id: "workflows/all-secrets",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "all secrets are handed over at once",
    reason: "The callee gets secrets that it has no use for, those among them that are added later. Naming the ones \
             that it needs keeps the others here.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    uses: \
         acme/flows/.github/workflows/b.yml@2f1c0f0a1b2c3d4e5f60718293a4b5c6d7e8f901\n    secrets: inherit\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    uses: \
         acme/flows/.github/workflows/b.yml@2f1c0f0a1b2c3d4e5f60718293a4b5c6d7e8f901\n    secrets:\n      key: ${{ \
         secrets.KEY }}\n",
    ),
};

pub(super) const SELF_HOSTED_RUNNER: Rule = Rule {
    id: "workflows/self-hosted-runner",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "outsiders' changes run on a machine of your own",
    reason: "A runner that is not thrown away after the job keeps what the job leaves behind, and stands inside your \
             network. In a public repository anybody can put a job on it.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    steps:\n      - \
         run: make\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    steps:\n      - run: make\n",
    ),
};

pub(super) const ENVIRONMENT_FILE: Rule = Rule {
    id: "workflows/environment-file",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a workflow that outsiders start writes a computed value to the environment of later steps",
    reason: "A value with a line feed sets any variable, such as `LD_PRELOAD` or `NODE_OPTIONS`, and with it what \
             later steps execute. Outputs of a step are values and nothing else.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: echo \"NAME=$(cat name.txt)\" \
         >> $GITHUB_ENV\n",
    ),
    good: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: echo \"name=$(cat name.txt)\" \
         >> $GITHUB_OUTPUT\n",
    ),
};

pub(super) const UNSECURE_COMMANDS: Rule = Rule {
    id: "workflows/unsecure-commands",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "commands in the log may set environment variables again",
    reason: "With this switch any text that a step prints can change the environment of the next one (CVE-2020-15228), \
             and steps print file names, titles and test output.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: push\npermissions: {}\nenv:\n  ACTIONS_ALLOW_UNSECURE_COMMANDS: true\njobs:\n  a:\n    steps:\n      - \
         run: make\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\nenv:\n  COLOUR: true\njobs:\n  a:\n    steps:\n      - run: make\n",
    ),
};

pub(super) const BOT_CONDITION: Rule = Rule {
    id: "workflows/bot-condition",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a condition trusts the last actor to be the author",
    reason: "`github.actor` is whoever caused the last event, so a bot that touches an outsider's pull request opens \
             the door for it. The author is `github.event.pull_request.user.login`.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    if: github.actor == 'dependabot[bot]'\n    steps:\n      \
         - run: gh pr merge\n",
    ),
    good: workflow(
        "on: pull_request_target\npermissions: {}\njobs:\n  a:\n    if: github.event.pull_request.user.login == \
         'dependabot[bot]'\n    steps:\n      - run: gh pr merge\n",
    ),
};

pub(super) const CONDITION_ALWAYS_TRUE: Rule = Rule {
    id: "workflows/condition-always-true",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a condition that is always true",
    reason: "A condition with text beside its expression is a text, and every text that is not empty is true: the step \
             runs whatever the expression says.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: make\n        if: ${{ github.ref }} == \
         'refs/heads/main'\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: make\n        if: ${{ github.ref == \
         'refs/heads/main' }}\n",
    ),
};

pub(super) const LOOSE_CONTAINS: Rule = Rule {
    id: "workflows/loose-contains",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a list of names is searched as one text",
    reason: "`contains` with a text looks for any part of it: a branch called `mai`, or an empty name, is in `'main \
             develop'` too. `contains(fromJSON('[\"main\", \"develop\"]'), …)` compares whole names.",
    needs: Needs::FileOrHunk,
    bad: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: make\n        if: contains('refs/heads/main \
         refs/heads/develop', github.ref)\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: make\n        if: contains(fromJSON('[\"a\"]'), \
         github.ref)\n",
    ),
};

pub(super) const CREDENTIALS_IN_ARTIFACT: Rule = Rule {
    id: "workflows/credentials-in-artifact",
    category: "security/secret",
    severity: Severity::High,
    summary: "the checkout's token is uploaded with the artifact",
    reason: "`actions/checkout` leaves the job's token in `.git/config`, and an artifact of the whole folder takes it \
             along to everybody who may read the repository.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: \
         actions/upload-artifact@v3\n        with:\n          path: .\n",
    ),
    good: workflow(
        "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: \
         actions/upload-artifact@v3\n        with:\n          path: dist\n",
    ),
};

pub(super) const CACHE_OF_RELEASE: Rule = Rule {
    id: "workflows/cache-of-release",
    category: CATEGORY,
    severity: Severity::Low,
    summary: "what is published is built from a cache",
    reason: "Whoever gets to run code in any workflow of the default branch can put files into the cache, and a \
             release that restores them ships them. A release is built from nothing.",
    needs: Needs::WholeFile,
    bad: workflow(
        "on: release\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: actions/cache@v4\n      - run: npm publish\n",
    ),
    good: workflow("on: release\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: npm publish\n"),
};

pub(super) const NOT_YAML: Rule = Rule {
    id: "workflows/not-yaml",
    category: CATEGORY,
    severity: Severity::Medium,
    summary: "a pipeline that cannot be read",
    reason: "The platform does not run a file that it cannot read: the checks in it do not fail, they are not there.",
    needs: Needs::WholeFile,
    bad: workflow("on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: 'make' all\n"),
    good: workflow("on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: make all\n"),
};
