//! W1803: `app` in a grant with `via`, which gives nobody the capability.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let grants = subject.rules().iter().filter(|it| !it.via.is_empty());
    let lost = grants.filter_map(|it| Some((it.app.first()?, it.via.first()?)));
    lost.map(|(cap, via)| {
        let message = format!("beside `via`, nobody is given `{}`", cap.name.value);
        let found = Diagnostic::new(code::W1803, message, cap.name.span);
        found
            .related(via.span, "only steers packets")
            .help("put `app` into a grant of its own, without `via`")
    })
    .collect()
}
