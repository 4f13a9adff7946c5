//! What the place we print to can show, from the arguments and the environment.

use std::env;
use std::io::IsTerminal;

use clap::ValueEnum;

/// When to use colours: on a terminal unless the environment says otherwise, everywhere, nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// What a piece of text is, so that colours mean the same everywhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// An error, or something that is lost.
    Bad,
    /// A warning.
    Doubtful,
    /// A note.
    Quiet,
    /// Something gained, accepted, trusted.
    Good,
    /// A heading.
    Strong,
}

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    color: bool,
}

impl Paint {
    /// For a stream, as the person chose.
    pub(crate) fn new(choice: ColorChoice, stream: &impl IsTerminal) -> Self {
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => auto_color(stream.is_terminal()),
        };
        Self { color }
    }

    /// The text in its colour.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Bad => "31",
            Tone::Doubtful => "33",
            Tone::Quiet => "36",
            Tone::Good => "32",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

fn auto_color(terminal: bool) -> bool {
    if is_set("NO_COLOR") {
        return false;
    }
    if env::var_os("CLICOLOR_FORCE").is_some_and(|it| !it.is_empty() && it != "0") {
        return true;
    }
    terminal
        && env::var_os("TERM").is_none_or(|it| it != "dumb")
        && env::var_os("CLICOLOR").is_none_or(|it| it != "0")
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|it| !it.is_empty())
}
