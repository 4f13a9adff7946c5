//! What the place we print to can show, from the arguments and the environment.

use std::env;
use std::io::IsTerminal;

use clap::ValueEnum;
use compiler::diagnostic::render::{Look, PLAIN};

/// When to use colours: on a terminal unless the environment says otherwise, everywhere, nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// How findings look on `stream`.
pub(crate) fn look(choice: ColorChoice, stream: &impl IsTerminal) -> Look {
    let terminal = stream.is_terminal();
    let color = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => auto_color(terminal),
    };
    let width = if terminal { columns() } else { PLAIN.width };
    // NO_GRAPHICS is what miette's own programs listen to.
    Look { color, unicode: unicode(), narrated: is_set("NO_GRAPHICS"), width }
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

/// Whether lines and arrows can be drawn: by the locale, the first that is set.
fn unicode() -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(env::var_os).find(|it| !it.is_empty());
    // Where nothing is said, as in most containers, nearly everything reads UTF-8.
    locale.is_none_or(|it| {
        let it = it.to_string_lossy().to_lowercase();
        it.ends_with("utf-8") || it.ends_with("utf8")
    })
}

fn columns() -> usize {
    terminal_size::terminal_size().map_or(PLAIN.width, |(width, _)| usize::from(width.0))
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|it| !it.is_empty())
}
