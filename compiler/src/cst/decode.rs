//! Bytes → text. Places stay true: each byte that is not UTF-8 becomes one character of one byte.

use std::ops::Range;

use super::brackets::{Lexer, Piece};
use super::problem::{Fault, MAX_REPORTS, Problem, Upstream};
use super::{MAX_BYTES, strict};
use crate::diagnostic::code;
use crate::span::Span;

/// Bytes as text, and where they were no text.
///
/// A wrong byte becomes `?` within a string or a comment and a blank elsewhere, so that it is
/// reported here and not once more as unexpected text.
pub fn decode(bytes: &[u8]) -> (String, Vec<Problem>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), Vec::new());
    }
    let mut text = String::with_capacity(bytes.len());
    // Runs that touch are one. Beyond the bound of reports nobody asks where they are.
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut more = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|_| '?'));
        let run = start..text.len();
        if run.is_empty() {
            continue;
        }
        let full = runs.len() == MAX_REPORTS;
        match runs.last_mut() {
            Some(last) if last.end == start && more == 0 => last.end = run.end,
            _ if full => more += 1,
            _ => runs.push(run),
        }
    }
    if bytes.len() > MAX_BYTES {
        // Too large to be read at all, which parsing says.
        return (text, Vec::new());
    }
    let (text, refused) = blanked(text, bytes, &runs);
    let stop = strict::stop(bytes).map(|it| (it.offset, it.message(bytes)));
    let mut problems = Vec::new();
    for (run, refused) in runs.iter().zip(&refused) {
        let span = Span::new(run.start as u32, run.end as u32);
        let mut problem = Problem::new(Fault::InvalidUtf8 { bytes: run.len() }, span);
        problem.upstream = match (&stop, refused) {
            (_, false) => Upstream::Accepts,
            (Some((offset, message)), _) if stops_at(bytes, *offset, run) => {
                Upstream::Says(message.clone())
            }
            _ => Upstream::Refuses,
        };
        problems.push(problem);
    }
    if more > 0 {
        let last = runs.last().map_or(0, |it| it.end as u32);
        problems.push(Problem::new(Fault::More { code: code::E0003, count: more }, Span::at(last)));
    }
    (text, problems)
}

/// Whether Tailscale's parser, stopping at `offset`, stops because of `run`. Of a comment it names
/// the start.
fn stops_at(bytes: &[u8], offset: usize, run: &Range<usize>) -> bool {
    let comment = bytes.get(offset) == Some(&b'/') && offset < run.start;
    run.contains(&offset)
        || comment && bytes.get(offset..run.start).is_some_and(|it| std::str::from_utf8(it).is_ok())
}

/// The text with a blank for each wrong byte outside of strings and comments, and for each run
/// whether Tailscale refuses it: it does outside of strings.
fn blanked(text: String, bytes: &[u8], runs: &[Range<usize>]) -> (String, Vec<bool>) {
    let mut blanked = text.clone().into_bytes();
    let mut refused = vec![false; runs.len()];
    let mut lexer = Lexer::new(text.as_bytes());
    let mut run = 0;
    while let (at, Some(piece)) = (lexer.at, lexer.step()) {
        if piece == Piece::String {
            continue;
        }
        for wrong in at..lexer.at {
            if text.as_bytes().get(wrong) != Some(&b'?') || bytes.get(wrong) == Some(&b'?') {
                continue;
            }
            if piece == Piece::Other
                && let Some(byte) = blanked.get_mut(wrong)
            {
                *byte = b' ';
            }
            while runs.get(run).is_some_and(|it| it.end <= wrong) {
                run += 1;
            }
            if let Some(it) = refused.get_mut(run) {
                *it = true;
            }
        }
    }
    // Blanks for question marks keep it UTF-8.
    (String::from_utf8(blanked).unwrap_or(text), refused)
}
