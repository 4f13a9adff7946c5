//! W1005: `1-65535`, which is `*` to nearly everybody.

use super::Subject;
use crate::ast::PortRange;
use crate::diagnostic::{Diagnostic, Edit, code};
use crate::span::Span;

const WRITTEN_OUT: PortRange = PortRange { first: 1, last: u16::MAX };

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let file = &subject.policy.file;
    let acls = file.acls.iter().flatten().flat_map(|it| &it.dst);
    let acls = acls.filter(|it| it.ports.contains(&WRITTEN_OUT)).map(|it| it.span);
    let grants = file.grants.iter().flatten().flat_map(|it| &it.ip);
    let grants = grants.filter(|it| it.value.ports == WRITTEN_OUT).map(|it| it.span);
    acls.chain(grants).filter_map(|it| report(subject.tree.text(), it)).collect()
}

fn report(text: &str, span: Span) -> Option<Diagnostic> {
    let offset = span.of(text).find("1-65535")? as u32;
    let range = Span::new(span.start + offset, span.start + offset + 7);
    let found =
        Diagnostic::new(code::W1005, "`1-65535` is every port but the unused port 0", range);
    let edit = Edit { span: range, text: "*".to_owned() };
    Some(found.help("write `*`, as every reader knows it").fix("write `*`", false, edit))
}
