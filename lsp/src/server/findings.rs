//! The findings of a text as an editor is told them: so many that somebody could look at them.
//!
//! A policy made by a program may have ten thousand, and all of them are told again at each letter
//! typed. They would cost more than finding them, and the editor would drop most.

use std::cmp::Reverse;

use compiler::diagnostic;
use compiler::span::Span;
use serde::Serialize;
use tower_lsp::ls_types::notification::{Notification, PublishDiagnostics};
use tower_lsp::ls_types::{Diagnostic, DiagnosticSeverity, PublishDiagnosticsParams, Range, Uri};

use super::convert;
use super::documents::Snapshot;

/// The most findings that are told of one text, with the one that says how many there are beside them.
///
/// SOURCE: microsoft/vscode, `extHostDiagnostics.ts`: of one file VS Code keeps a thousand, the gravest
/// first, and says how many are left out. So nothing is lost to it, and other editors get the same.
const MOST: usize = 1000;

/// The findings of a text, by place: all, or the gravest and how many there are beside them.
pub(super) fn told(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let found = snapshot.analysis.diagnostics();
    let range = |span: Span| snapshot.range(span);
    let kept = gravest(found, MOST);
    let left_out = found.len() - kept.len();
    let mut told: Vec<Diagnostic> = kept
        .into_iter()
        .map(|it| convert::diagnostic(it, &snapshot.uri, &range, snapshot.pages.as_deref()))
        .collect();
    if left_out > 0 {
        told.push(more(left_out));
    }
    told
}

/// The message that tells findings. It is made where the text is read, at once as bytes: those of a long
/// text are half a megabyte, at each letter typed.
pub(super) fn message(
    uri: &Uri,
    diagnostics: Vec<Diagnostic>,
    version: Option<i32>,
) -> Option<Vec<u8>> {
    #[derive(Serialize)]
    struct Message {
        jsonrpc: &'static str,
        method: &'static str,
        params: PublishDiagnosticsParams,
    }
    let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version };
    let message = Message { jsonrpc: "2.0", method: PublishDiagnostics::METHOD, params };
    serde_json::to_vec(&message).ok()
}

/// All findings where there are at most `most`; otherwise one less, the gravest, and of two alike the
/// first. They stay in their order.
fn gravest(found: &[diagnostic::Diagnostic], most: usize) -> Vec<&diagnostic::Diagnostic> {
    if found.len() <= most {
        return found.iter().collect();
    }
    let mut kept: Vec<(usize, &diagnostic::Diagnostic)> = found.iter().enumerate().collect();
    kept.sort_by_key(|(_, it)| Reverse(it.severity));
    kept.truncate(most.saturating_sub(1));
    kept.sort_unstable_by_key(|(at, _)| *at);
    kept.into_iter().map(|(_, it)| it).collect()
}

/// What stands for the findings that are not told.
fn more(count: usize) -> Diagnostic {
    Diagnostic {
        range: Range::default(),
        severity: Some(DiagnosticSeverity::INFORMATION),
        source: Some("aclc".to_owned()),
        message: format!("{count} more findings are not shown; `aclc check` tells all of them"),
        ..Diagnostic::default()
    }
}

#[cfg(test)]
mod tests {
    use compiler::diagnostic::Severity;

    use super::*;

    #[test]
    fn the_gravest_are_told_in_their_order() {
        use Severity::{Error, Note, Warning};
        let one = compiler::check("{", None).diagnostics.remove(0);
        let with = |severity| diagnostic::Diagnostic { severity, ..one.clone() };
        let found = [Note, Error, Warning, Error, Note, Warning].map(with);
        let told = |most| gravest(&found, most).iter().map(|it| it.severity).collect::<Vec<_>>();
        assert_eq!(told(6), found.iter().map(|it| it.severity).collect::<Vec<_>>());
        assert_eq!(told(5), [Error, Warning, Error, Warning]);
        assert_eq!(told(4), [Error, Warning, Error]);
        assert_eq!(told(3), [Error, Error]);
    }
}
