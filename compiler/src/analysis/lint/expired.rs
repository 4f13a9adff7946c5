//! W1901: what a comment says to take out by a day that has passed.
//! W1902: such a comment whose day cannot be read.

use super::Subject;
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;
use crate::time::Date;

/// Without a day to compare with, only days that cannot be read are reported.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let text = subject.tree.text();
    // Nearly every text has none; then the walk is not worth its while.
    if !text.contains("aclc:") {
        return Vec::new();
    }
    let comments = subject.tree.comments().map(|it| it.span());
    comments.filter_map(|it| expiry(text, it)).filter_map(|it| report(subject, it)).collect()
}

/// The day in a comment `aclc: expires=2026-12-31 reason`: the text before the first blank.
fn expiry(text: &str, comment: Span) -> Option<(&str, Span)> {
    let body = comment.of(text);
    let order = body.trim_start_matches(['/', '*', ' ', '\t']).strip_prefix("aclc:")?.trim_start();
    let rest = order.strip_prefix("expires").or_else(|| order.strip_prefix("expire"))?;
    let day = rest.trim_start_matches(['=', ':', ' ']);
    let word = day.split([' ', '\t', '\r', '\n', '*']).next().unwrap_or_default();
    // `day` is the end of the comment, so its length says where it starts.
    let start = comment.end - day.len() as u32;
    let span = if word.is_empty() {
        let keyword = comment.end - order.len() as u32;
        Span::new(keyword, comment.end - rest.len() as u32)
    } else {
        Span::new(start, start + word.len() as u32)
    };
    Some((word, span))
}

fn report(subject: &Subject<'_>, (word, span): (&str, Span)) -> Option<Diagnostic> {
    let Ok(day) = word.parse::<Date>() else {
        let found = Diagnostic::new(code::W1902, "an expiry without a day", span);
        return Some(found.help("write it as in `// aclc: expires=2026-12-31 the contract ends`"));
    };
    let today = subject.options.today?;
    if today <= day {
        return None;
    }
    let ago = today.number() - day.number();
    let days = if ago == 1 { "yesterday".to_owned() } else { format!("{ago} days ago") };
    let found = Diagnostic::new(code::W1901, format!("this expired on {day}, {days}"), span);
    Some(found.help("take out what the comment speaks of, or set another day"))
}
