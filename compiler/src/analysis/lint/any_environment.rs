//! W1506: `acceptEnv` with `*`: whoever logs in sets any variable.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let patterns = subject.policy.file.ssh.iter().flat_map(|it| &it.accept_env);
    let open = patterns.filter(|it| it.value.bytes().all(|it| it == b'*'));
    open.map(|it| {
        let message = "whoever logs in may set any environment variable";
        let found = Diagnostic::new(code::W1506, message, it.span);
        found
            .label("`PATH`, `BASH_ENV`, `GIT_SSH_COMMAND` and all others")
            .help("list the ones that are needed, such as `LANG` and `GIT_*`")
    })
    .collect()
}
