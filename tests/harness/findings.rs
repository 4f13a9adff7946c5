//! A policy and, perhaps, an inventory → all that the compiler finds in them, as the command would
//! show it.

use compiler::configuration::Configuration;
use compiler::diagnostic::{Code, Diagnostic, code};
use compiler::tailnet::Tailnet;
use compiler::{Checked, Options, check_bytes};

/// Which of the lints speak.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lints {
    /// All.
    All,
    /// One, so that what it says can be shown on a policy of three lines, which fifty others would
    /// find wanting in tests.
    Only(Code),
    /// One of the codes that tell gaps between assertions, which are looked for on request only.
    Gap(Code),
    /// None.
    No,
}

impl Lints {
    /// Those that a case or page of a code is about.
    pub fn about(code: Option<Code>) -> Self {
        match code {
            Some(code) if is_lint(code) => Self::Only(code),
            Some(code @ (code::W0511 | code::W0512)) => Self::Gap(code),
            _ => Self::No,
        }
    }
}

/// Whether a code is that of a lint: the hundreds 10 to 19.
pub fn is_lint(code: Code) -> bool {
    code.name().get(1..2) == Some("1")
}

/// The day on which expiry comments are judged here.
const TODAY: Option<compiler::Date> = compiler::Date::new(2026, 7, 1);

/// Checks a policy; with a tailnet, against its facts.
pub fn check(policy: &[u8], tailnet: Option<&Tailnet>, lints: Lints) -> (Checked, Vec<Diagnostic>) {
    check_under(policy, tailnet, &Configuration::default(), lints)
}

/// The same under the settings of a configuration.
pub fn check_under(
    policy: &[u8],
    tailnet: Option<&Tailnet>,
    configuration: &Configuration,
    lints: Lints,
) -> (Checked, Vec<Diagnostic>) {
    let options = Options {
        tailnet,
        dialect: configuration.target.unwrap_or_default(),
        assertions: true,
        coverage: lints == Lints::Gap(code::W0511),
        mutants: lints == Lints::Gap(code::W0512),
        lints: matches!(lints, Lints::All | Lints::Only(_)),
        today: TODAY,
        levels: Some(&configuration.levels),
    };
    let checked = check_bytes(policy, &options);
    let mut all = checked.diagnostics.clone();
    if let Lints::Only(code) = lints {
        all.retain(|it| !is_lint(it.code) || it.code == code);
    }
    (checked, all)
}
