//! How grave each kind of finding is for one team: levels set in a configuration.
//!
//! Only warnings and notes have a level of choice. An error means that the control plane refuses the
//! file, or that nobody knows what it means; no setting changes that.

use std::collections::BTreeMap;

use super::{Code, Diagnostic, Severity};

/// What becomes of the findings with a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// They are shown with this severity.
    Shown(Severity),
    /// They are not shown.
    Off,
}

impl Level {
    /// Every word for a level, the gravest first.
    pub const NAMES: [&str; 4] = ["error", "warning", "note", "off"];

    /// The level that a word names.
    pub fn parse(word: &str) -> Option<Level> {
        Some(match word {
            "error" => Level::Shown(Severity::Error),
            "warning" => Level::Shown(Severity::Warning),
            "note" => Level::Shown(Severity::Note),
            "off" => Level::Off,
            _ => return None,
        })
    }
}

/// The levels that differ from those of the list of codes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Levels(BTreeMap<Code, Level>);

impl Levels {
    /// Whether findings with this code have a level of choice.
    pub fn may_set(code: Code) -> bool {
        code.severity() != Severity::Error
    }

    /// Sets the level of a code that may have one; of any other it stays as it is.
    pub fn set(&mut self, code: Code, level: Level) {
        if Self::may_set(code) {
            self.0.insert(code, level);
        }
    }

    /// These levels, and before them those of `first`.
    #[must_use]
    pub fn with(&self, first: &Levels) -> Levels {
        let mut levels = self.clone();
        levels.0.extend(first.0.iter().map(|(code, level)| (*code, *level)));
        levels
    }

    /// The findings with the severities set here, without those that are off.
    pub fn apply(&self, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        if self.0.is_empty() {
            return diagnostics;
        }
        diagnostics.retain_mut(|it| match self.0.get(&it.code) {
            Some(Level::Off) => false,
            Some(Level::Shown(severity)) => {
                it.severity = *severity;
                true
            }
            None => true,
        });
        diagnostics
    }
}
