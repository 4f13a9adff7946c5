//! Findings as a summary in Markdown, for the page of a job or a comment on a merge request.

use std::io::{self, Write};

use compiler::diagnostic::Severity;
use compiler::diagnostic::render::visible;

use super::{Counts, FileReport, Places};

/// GitHub takes a mebibyte for each step; nobody reads so far.
const MAX_LISTED: usize = 500;

/// Writes a heading with the counts, and the gravest findings first.
pub(crate) fn write(out: &mut impl Write, files: &[FileReport]) -> io::Result<()> {
    let place = match files {
        [file] => format!(" in {}", code(&file.name)),
        files => format!(" in {} files", files.len()),
    };
    writeln!(out, "### aclc: {}{place}\n", Counts::of(files).sentence())?;
    let mut left = MAX_LISTED;
    let mut total = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for file in files {
            let places = Places::new(&file.text);
            for it in file.diagnostics.iter().filter(|it| it.severity == severity) {
                total += 1;
                if left == 0 {
                    continue;
                }
                left -= 1;
                let place = code(&format!("{}:{}", file.name, places.at(it.span.start)));
                let message = prose(&it.message);
                writeln!(out, "- **{}** {place} {}: {message}", severity.name(), it.code)?;
                if let Some(help) = &it.help {
                    writeln!(out, "  <br>{}", prose(help))?;
                }
            }
        }
    }
    if total > MAX_LISTED {
        writeln!(out, "\n… and {} more", total - MAX_LISTED)?;
    }
    // What a next step appends begins a new block.
    writeln!(out)
}

/// A sentence of ours, in which the user's words stand between backticks.
fn prose(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    if text.matches('`').count() % 2 == 1 {
        return escape(&text);
    }
    let parts = text.split('`').zip([false, true].into_iter().cycle());
    parts.map(|(part, is_code)| if is_code { code(part) } else { escape(part) }).collect()
}

/// Text that is shown as it is.
fn code(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    match text.is_empty() {
        true => String::new(),
        // More backticks around than there are inside.
        false if text.contains('`') => format!("`` {text} ``"),
        false => format!("`{text}`"),
    }
}

/// Text in which nothing is markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                escaped.extend(['\\', char])
            }
            _ => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_user_is_markup() {
        assert_eq!(prose("unknown tag `tag:<b>`, *not*"), "unknown tag `tag:<b>`, \\*not\\*");
        assert_eq!(prose("<img> ` & [x]"), "&lt;img> \\` &amp; \\[x\\]");
        assert_eq!(code("a`b"), "`` a`b ``");
    }
}
