//! Findings → what is reported: bounded in number, one for each cause, in the order of the text,
//! the first with the sentence that Tailscale's API would answer.

use std::collections::BTreeMap;

use super::problem::{Fault, MAX_REPORTS, Problem, Unexpected, Upstream};
use super::strict;
use crate::diagnostic::Code;
use crate::span::Span;

/// The longest text about which the json5 crate is asked. It reads some 100 MB/s, but a person who
/// writes JSON5 by hand writes little.
const MAX_JSON5: usize = 1 << 20;

/// Problems as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    /// How many of each code there were, and where the first stands that is not reported.
    counts: BTreeMap<Code, (usize, Span)>,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        if self.has_room(problem.fault.code(), problem.span) {
            self.list.push(problem);
        }
    }

    /// Counts a problem, and says whether it is to be put into words.
    pub(super) fn has_room(&mut self, code: Code, span: Span) -> bool {
        let (count, beyond) = self.counts.entry(code).or_default();
        *count += 1;
        if *count == MAX_REPORTS + 1 {
            *beyond = span;
        }
        *count <= MAX_REPORTS
    }

    /// Adds a problem that has been counted.
    pub(super) fn push_counted(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a problem with this code was found.
    pub(super) fn has(&self, code: Code) -> bool {
        self.counts.contains_key(&code)
    }

    /// The last one, to add to it.
    pub(super) fn last_mut(&mut self) -> Option<&mut Problem> {
        self.list.last_mut()
    }

    /// All that is to be reported of `text`.
    pub(super) fn finish(mut self, text: &str) -> Vec<Problem> {
        if self.list.is_empty() {
            return self.list;
        }
        for (code, (count, span)) in std::mem::take(&mut self.counts) {
            if count <= MAX_REPORTS {
                continue;
            }
            let upstream =
                self.list.iter().find(|it| it.fault.code() == code).map(|it| it.upstream.clone());
            let fault = Fault::More { code, count: count - MAX_REPORTS };
            self.list.push(Problem {
                fault,
                span,
                upstream: upstream.unwrap_or(Upstream::Refuses),
            });
        }
        self.drop_consequences(text);
        self.name_json5(text);
        self.list.sort_by_key(|it| (it.span.start, it.fault.code(), it.span.end));
        if let Some(first) = self.list.iter_mut().find(|it| it.is_refused())
            && let Some(stop) = strict::stop(text.as_bytes())
        {
            first.upstream = Upstream::Says(stop.message(text.as_bytes()));
        }
        self.list
    }

    /// Where a quote is missing, everything else on its line is read the wrong way round.
    fn drop_consequences(&mut self, text: &str) {
        let open = self.list.iter().filter(|it| matches!(it.fault, Fault::UnclosedString { .. }));
        let lines: Vec<Span> = open.map(|it| line(text, it.span.start)).collect();
        if lines.is_empty() {
            return;
        }
        self.list.retain(|problem| {
            let line = lines.partition_point(|it| it.end < problem.span.start);
            let beside = lines.get(line).is_some_and(|it| it.start <= problem.span.start);
            !(beside && is_consequence(&problem.fault))
        });
    }

    /// If the text as a whole is JSON5, says so of what JSON lacks.
    fn name_json5(&mut self, text: &str) {
        if text.len() > MAX_JSON5 || !self.list.iter().any(|it| json5(&it.fault).is_some()) {
            return;
        }
        if json5::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return;
        }
        for problem in &mut self.list {
            if let Some((what, instead)) = json5(&problem.fault) {
                problem.fault = Fault::Json5 { what, instead };
            }
        }
    }
}

/// The line around a place.
fn line(text: &str, at: u32) -> Span {
    let before = Span::new(0, at).of(text);
    let start = before.rfind('\n').map_or(0, |it| it + 1);
    let rest = Span::new(at, text.len() as u32).of(text);
    let end = rest.find('\n').map_or(text.len(), |it| at as usize + it);
    Span::new(start as u32, end as u32)
}

/// Whether a missing quote on the same line explains it.
const fn is_consequence(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::MissingComma
            | Fault::Unexpected(_)
            | Fault::MissingColon { .. }
            | Fault::MissingValue { .. }
            | Fault::ExtraComma
            | Fault::NameNotString { .. }
            | Fault::BadWord { .. }
    )
}

/// What a fault is called if the text is JSON5, and the same in JSON.
fn json5(fault: &Fault) -> Option<(&'static str, Option<String>)> {
    Some(match fault {
        Fault::NameNotString { instead, .. } => ("a name without quotes", instead.clone()),
        Fault::Unexpected(Unexpected::Quotes { instead, curly: false }) => {
            ("a string in single quotes", Some(instead.clone()))
        }
        Fault::BadEscape { escape, .. } => {
            let what = match escape.as_bytes().get(1) {
                Some(b'\n' | b'\r') => "a string that goes on in the next line",
                Some(b'\'' | b'v' | b'0' | b'x') => "this escape",
                // JSON5 drops the backslash before any other character; hardly anybody means that.
                _ => return None,
            };
            (what, Some(super::rewrite::inner(escape)))
        }
        Fault::BadWord { instead, .. } => {
            ("a number of this form", instead.as_ref().map(|it| it.0.clone()))
        }
        _ => return None,
    })
}
