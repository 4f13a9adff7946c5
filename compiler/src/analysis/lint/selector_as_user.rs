//! W1507: a selector among the users of an SSH rule, which are accounts on the host.

use super::Subject;
use crate::ast::Text;
use crate::diagnostic::{Diagnostic, code};
use crate::span::Spanned;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let users = subject.policy.file.ssh.iter().flat_map(|it| &it.users);
    users.filter(|it| is_selector(&it.value)).map(report).collect()
}

fn is_selector(user: &str) -> bool {
    // `localpart:*@example.com` is the only other user with a meaning of its own.
    match user.split_once(':') {
        Some(("tag" | "group" | "user", _)) => true,
        Some(("autogroup", name)) => name != "nonroot",
        Some(("localpart", rest)) => rest.strip_prefix("*@").is_none_or(str::is_empty),
        Some(_) => false,
        None => user.contains('@'),
    }
}

fn report(user: &Spanned<Text>) -> Diagnostic {
    let message = format!("`{}` is taken as the name of an account on the host", user.value);
    let found = Diagnostic::new(code::W1507, message, user.span).label("which no host has");
    found.help("who logs in stands in `src`; `users` are accounts such as `ubuntu`, `root`, `autogroup:nonroot`, or `localpart:*@example.com`")
}
