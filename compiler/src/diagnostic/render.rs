//! Diagnostics → text for people, through miette. The only file of the library that knows it.
//!
//! However long a line or a finding is, only a window around the place is shown, and nothing of a
//! text reaches a terminal that could steer it: control and direction marks are shown as signs.

mod excerpt;

use std::borrow::Cow;
use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NarratableReportHandler};

use super::{Diagnostic, Label, Severity};
use excerpt::Excerpt;

/// How many columns a tab is wide.
const TAB_WIDTH: usize = 4;

/// The longest sentence shown whole, in characters: a policy can hold a name of a megabyte.
const MAX_SENTENCE: usize = 1000;

/// How findings look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// With colours, as terminals understand them.
    pub color: bool,
    /// Lines and arrows of Unicode; else of ASCII.
    pub unicode: bool,
    /// Sentences instead of drawings, for screen readers.
    pub narrated: bool,
    /// How many columns there are.
    pub width: usize,
}

/// Without colours, 100 columns wide: the same everywhere.
pub const PLAIN: Look = Look { color: false, unicode: true, narrated: false, width: 100 };

/// The findings of one text, without colours; what the tests compare.
pub fn plain(file_name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::new(file_name, text, PLAIN);
    diagnostics.iter().map(|it| renderer.render(it)).collect()
}

/// Renders the findings of one text.
pub struct Renderer<'t> {
    excerpt: Excerpt<'t>,
    look: Look,
    graphical: GraphicalReportHandler,
}

impl<'t> Renderer<'t> {
    /// Prepares `text`, which is called `file_name` in what is rendered.
    pub fn new(file_name: &str, text: &'t str, look: Look) -> Self {
        let theme = match (look.unicode, look.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, color) => {
                let ascii = GraphicalTheme::ascii();
                let colors = if color { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
                GraphicalTheme { styles: colors.styles, ..ascii }
            }
        };
        let graphical = GraphicalReportHandler::new_themed(theme)
            .tab_width(TAB_WIDTH)
            .with_width(look.width.clamp(40, 200))
            // A command in a help must not be torn apart at its slashes and hyphens.
            .with_word_separator(textwrap::WordSeparator::AsciiSpace)
            .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
            .with_break_words(false)
            .with_links(false);
        Self { excerpt: Excerpt::new(file_name, text), look, graphical }
    }

    /// One finding, with an empty line behind it.
    pub fn render(&self, diagnostic: &Diagnostic) -> String {
        let report = Report::new(diagnostic, &self.excerpt);
        let mut text = String::new();
        let done = if self.look.narrated {
            NarratableReportHandler::new().render_report(&mut text, &report)
        } else {
            self.graphical.render_report(&mut text, &report)
        };
        if done.is_err() {
            // miette gives up where it cannot place a label; the finding is said all the same.
            text = format!("{}\n", report);
        }
        // miette pads lines to the width of the drawing.
        let mut trimmed: String = text.lines().flat_map(|it| [it.trim_end(), "\n"]).collect();
        trimmed.push('\n');
        trimmed
    }
}

/// `text` with every control and direction mark spelled out, and cut where it is very long.
pub fn visible(text: &str) -> Cow<'_, str> {
    let long = text.char_indices().nth(MAX_SENTENCE);
    if long.is_none() && !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let shown = long.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
    let mut clean = String::with_capacity(shown.len());
    for char in shown.chars() {
        if is_unprintable(char) && char != '\n' {
            clean.extend(char.escape_unicode());
        } else {
            clean.push(char);
        }
    }
    if long.is_some() {
        clean.push('…');
    }
    Cow::Owned(clean)
}

/// Whether a terminal would obey the character instead of showing it.
fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A finding in the shape that miette asks for.
struct Report<'d> {
    diagnostic: &'d Diagnostic,
    excerpt: &'d Excerpt<'d>,
    labels: Vec<LabeledSpan>,
    help: Option<String>,
}

impl<'d> Report<'d> {
    fn new(diagnostic: &'d Diagnostic, excerpt: &'d Excerpt<'d>) -> Self {
        let label = diagnostic.label.as_ref().map(|it| visible(it).into_owned());
        let primary = excerpt.clip(diagnostic.span);
        let mut labels = vec![LabeledSpan::new_primary_with_span(label, primary.range())];
        // What cannot be drawn together with the place itself is said in words.
        let mut help: Vec<String> = Vec::new();
        for Label { span, text } in &diagnostic.related {
            if excerpt.fits(primary, *span) {
                let label = Some(visible(text).into_owned());
                labels.push(LabeledSpan::new_with_span(label, excerpt.clip(*span).range()));
            } else {
                help.push(format!("at {}: {}", excerpt.line_column(span.start), visible(text)));
            }
        }
        let advice = diagnostic.help.as_ref().or(diagnostic.fixes.first().map(|it| &it.title));
        help.splice(0..0, advice.map(|it| visible(it).into_owned()));
        if let Some(refusal) = &diagnostic.refusal
            && let Some(message) = &refusal.message
        {
            help.push(format!("{} answers: {}", refusal.by, visible(message)));
        }
        let help = (!help.is_empty()).then(|| help.join("\n"));
        Self { diagnostic, excerpt, labels, help }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&self.diagnostic.message))
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|it| Box::new(it) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, plain, visible};
    use crate::diagnostic::code;
    use crate::span::Span;

    fn drawn(text: &str, diagnostic: Diagnostic) -> String {
        plain("policy.hujson", text, &[diagnostic])
    }

    fn finding(start: usize, end: usize) -> Diagnostic {
        Diagnostic::new(code::E0104, "unexpected text", Span::new(start as u32, end as u32))
            .label("here")
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut() {
        let text = format!("[\"{}\", ?, \"{}\"]\n", "ä".repeat(500_000), "ö".repeat(500_000));
        let place = text.find('?').unwrap_or_default();
        let drawing =
            drawn(&text, finding(place, place + 1).related(Span::new(0, 1), "opened here"));
        assert!(drawing.contains("policy.hujson:1:500006"), "{drawing}");
        assert!(drawing.contains("at 1:1: opened here"), "{drawing}");
        assert!(drawing.len() < 2000, "{drawing}");
    }

    #[test]
    fn a_finding_of_a_megabyte_is_marked_at_its_start() {
        let text = format!("{{\n{}}}\n", "\t\"a\": 1,\n".repeat(100_000));
        let drawing = drawn(&text, finding(0, text.len() - 1));
        assert!(drawing.contains("policy.hujson:1:1") && drawing.len() < 2000, "{drawing}");
    }

    #[test]
    fn every_place_of_a_text_can_be_drawn() {
        let text = "{\r\n\t\"ä\": [\u{1b}1,\u{202e}2],\r\n\r\n}\n\n";
        let places = || (0..=text.len()).filter(|it| text.is_char_boundary(*it));
        for start in places() {
            for end in places().filter(|end| *end >= start) {
                let drawing = drawn(text, finding(start, end));
                assert!(
                    drawing.contains("here") && !drawing.contains("Failed"),
                    "{start}..{end}\n{drawing}"
                );
                assert!(!drawing.contains(['\u{1b}', '\u{202e}']), "{start}..{end}\n{drawing}");
            }
        }
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        assert!(drawn("{}", finding(7, 9)).contains("policy.hujson:1:3"));
    }

    #[test]
    fn marks_that_steer_a_terminal_are_spelled_out() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(visible("plain ä"), "plain ä");
        assert_eq!(visible(&"x".repeat(5000)).chars().count(), 1001);
    }
}
