//! The list of all codes, a line each: name, severity, title. A published code is never reused or
//! renumbered. Each has a page in `docs/diagnostics` and a folder in `tests/lock/audit`.
//!
//! The hundred says what it is about: 01 encoding, 02 messages and keys, 03 signatures, 04 the chain.

use std::fmt;

/// How grave a finding is. The order is that of gravity.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// It works, and its keeper would be surprised.
    Warning,
    /// Somebody is locked out, or somebody could get in.
    Error,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A stable code such as `lock/E0301`. Compares as it is numbered.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(&'static str);

impl Code {
    /// `E0301`, without the `lock/` in front.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Its number without the letter: what findings are sorted by.
    pub(super) fn number(self) -> &'static str {
        self.0.get(1..).unwrap_or_default()
    }

    /// How grave a finding with this code is.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('E') { Severity::Error } else { Severity::Warning }
    }

    /// What it is about, as a heading.
    pub fn title(self) -> &'static str {
        ALL.iter().find(|it| it.code == self).map_or("", |it| it.title)
    }

    /// The code that `text` names, as `lock/E0301` or `E0301`, in any case.
    pub fn parse(text: &str) -> Option<Code> {
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_prefix("lock/").unwrap_or(&lower);
        ALL.iter().map(|it| it.code).find(|it| it.0.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lock/{}", self.0)
    }
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// What it is about, as a heading.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident $title:literal)*) => {
        $(#[doc = $title] pub const $name: Code = Code(stringify!($name));)*

        /// Every code, in the order of their numbers.
        pub const ALL: &[Entry] = &[$(Entry { code: $name, title: $title }),*];
    };
}

codes! {
    E0101 "record that cannot be read"
    W0102 "encoding that is not canonical"
    W0103 "file that is no record"
    E0201 "malformed update"
    W0202 "update of an unknown kind"
    E0203 "trusted key that is no lock key"
    W0204 "trusted key that can sign nothing"
    W0205 "more keys than a checkpoint may have"
    W0206 "single disablement value"
    W0207 "trusted key of an old pre-signed auth key"
    E0301 "update without a valid signature"
    E0302 "node whose signature is refused"
    W0303 "node without a signature"
    E0304 "endorsement with an unusable rotation key"
    W0305 "node that cannot rotate its key"
    W0306 "long chain of rotations"
    E0307 "nodes that are copies of one another"
    W0308 "node key that expires"
    E0401 "chain that cannot be opened"
    W0402 "forked chain"
    W0403 "removed key that can rewrite history"
    W0404 "chain near its greatest length"
    W0405 "single trusted key"
    W0406 "update without its parent"
    W0407 "checkpoint that changes who is trusted"
}
