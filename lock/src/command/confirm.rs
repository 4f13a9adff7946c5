//! The person's consent before a signature, and the word that must be typed before great harm.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};

use clap::Args;

use super::failure::Failure;

/// How consent is given.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Consent {
    /// Sign without asking; for scripts that looked first
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// The word that is asked for before great harm, for scripts that mean it
    #[arg(long, value_name = "WORD")]
    pub(crate) confirm: Option<String>,
}

impl Consent {
    /// Asks whether to go on; an error unless the answer is yes.
    pub(crate) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let mut terminal = terminal().ok_or_else(|| {
            Failure::usage(
                "there is no terminal to ask at; nothing is signed or changed",
                "read what is written above, then give `--yes`",
            )
        })?;
        let answer = answer(&mut terminal, &format!("{question} [y/N] "))?;
        if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::plain("not confirmed; nothing is signed or changed"))
    }

    /// Asks for a word to be typed; an error unless it is that word.
    pub(crate) fn word(&self, danger: &str, word: &str) -> Result<(), Failure> {
        let help = || format!("`--confirm {word}` says that you mean it");
        if let Some(given) = &self.confirm {
            if given == word {
                return Ok(());
            }
            return Err(Failure::usage(format!("{danger}, and `{given}` is not the word"), help()));
        }
        let mut terminal = terminal().ok_or_else(|| Failure::usage(danger, help()))?;
        let question = format!("{danger}.\nType `{word}` to go on: ");
        if answer(&mut terminal, &question)? == word {
            return Ok(());
        }
        Err(Failure::plain("not confirmed; nothing is signed or changed"))
    }
}

/// The terminal, where a person sits at it: not in a pipeline, a service or a test.
pub(crate) fn terminal() -> Option<File> {
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return None;
    }
    let path = if cfg!(windows) { "CON" } else { "/dev/tty" };
    OpenOptions::new().read(true).write(true).open(path).ok()
}

fn answer(terminal: &mut File, question: &str) -> Result<String, Failure> {
    let failed = |it: io::Error| Failure::Read("/dev/tty".into(), it);
    write!(terminal, "{question}").and_then(|()| terminal.flush()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(&*terminal).read_line(&mut line).map_err(failed)?;
    Ok(line.trim().to_owned())
}
