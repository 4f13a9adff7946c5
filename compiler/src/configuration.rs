//! What a team has settled about its policies: `aclc.toml` or `aclc.json5` → [`Configuration`].
//!
//! Reading never fails: what is wrong is reported with its place, and left out. Where the file lies
//! and what its paths are relative to is the caller's matter.

mod problem;
pub(crate) mod values;

use crate::diagnostic::levels::{Level, Levels};
use crate::diagnostic::{Code, Diagnostic, Severity, code, similar};
use crate::dialect::Dialect;
use crate::span::Spanned;
pub use problem::Problem;
use values::{Member, Value};

/// The names under which a configuration is looked for, in this order.
pub const FILE_NAMES: [&str; 2] = ["aclc.toml", "aclc.json5"];

/// The longest configuration, chosen so that nobody's is longer.
pub const MAX_BYTES: usize = 1 << 20;

/// What a configuration says; what it does not say is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Configuration {
    /// `target`: whose control plane takes the policies.
    pub target: Option<Dialect>,
    /// `nodes`: the inventory, relative to the configuration.
    pub nodes: Option<Spanned<String>>,
    /// `baseline`: the findings that are known, relative to the configuration.
    pub baseline: Option<Spanned<String>>,
    /// `fail-level`: from which severity on findings fail a run; `Some(None)` is `never`.
    pub fail_level: Option<Option<Severity>>,
    /// `levels`: how grave findings are, by code.
    pub levels: Levels,
}

/// The form of a configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// TOML.
    Toml,
    /// JSON5, of which JSON is a part.
    Json5,
}

/// Every setting, in the order of the fields above.
const SETTINGS: [&str; 5] = ["target", "nodes", "baseline", "fail-level", "levels"];

/// Reads a configuration, and says what is wrong with it.
pub fn read(text: &str, form: Form) -> (Configuration, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    match form {
        Form::Toml => {
            let (members, problems) = values::from_toml(text);
            reader.problems = problems;
            reader.settings(members);
        }
        Form::Json5 => match values::from_json5(text) {
            Ok(members) => reader.settings(members),
            Err(problem) => reader.problems.push(problem),
        },
    }
    reader.leave_out_consequences();
    let mut diagnostics: Vec<Diagnostic> = reader.problems.iter().map(Problem::report).collect();
    crate::diagnostic::sort(&mut diagnostics);
    (reader.configuration, diagnostics)
}

#[derive(Default)]
struct Reader {
    configuration: Configuration,
    problems: Vec<Problem>,
}

impl Reader {
    fn settings(&mut self, members: Vec<Member>) {
        for Member { name, value } in members {
            match name.value.as_str() {
                "target" => self.configuration.target = self.choice(&name.value, value, DIALECTS),
                "nodes" => self.configuration.nodes = self.text(&name.value, value),
                "baseline" => self.configuration.baseline = self.text(&name.value, value),
                "fail-level" => {
                    self.configuration.fail_level = self.choice(&name.value, value, FAIL_LEVELS);
                }
                "levels" => self.levels(value),
                _ => {
                    let similar = similar(&name.value, SETTINGS).map(str::to_owned);
                    self.problems.push(Problem::UnknownSetting { name, similar });
                }
            }
        }
    }

    fn text(&mut self, setting: &str, value: Spanned<Value>) -> Option<Spanned<String>> {
        match value.value {
            Value::Text(text) => Some(Spanned::new(text, value.span)),
            _ => self.wrong(setting, value.span, "a text"),
        }
    }

    /// One of a few words, each with what it means.
    fn choice<T: Copy>(
        &mut self,
        setting: &str,
        value: Spanned<Value>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let known = match &value.value {
            Value::Text(text) => words.iter().find(|it| it.0 == text),
            _ => None,
        };
        known.map(|it| it.1).or_else(|| {
            let names: Vec<String> = words.iter().map(|it| format!("`{}`", it.0)).collect();
            let (last, others) = names.split_last()?;
            self.wrong(setting, value.span, &format!("{} or {last}", others.join(", ")))
        })
    }

    fn levels(&mut self, value: Spanned<Value>) {
        let Value::Table(members) = value.value else {
            self.wrong::<()>("levels", value.span, "a table of codes and levels");
            return;
        };
        for Member { name, value } in members {
            let Some(code) = Code::parse(&name.value) else {
                let all = code::ALL.iter().map(|it| it.code.name());
                let written = name.value.to_uppercase();
                let similar =
                    similar(written.trim_start_matches("ACL/"), all).and_then(Code::parse);
                self.problems.push(Problem::UnknownCode { name, similar });
                continue;
            };
            if !Levels::may_set(code) {
                self.problems.push(Problem::LevelOfError { code: Spanned::new(code, name.span) });
                continue;
            }
            if let Some(level) = self.choice(code.name(), value, LEVELS) {
                self.configuration.levels.set(code, level);
            }
        }
    }

    /// A value that could not be read is wrong for that one reason.
    fn leave_out_consequences(&mut self) {
        let unread: Vec<_> = self.problems.iter().filter_map(Problem::unread).collect();
        self.problems.retain(|it| match it {
            Problem::WrongValue { span, .. } => !unread.iter().any(|it| it.touches(span.start)),
            _ => true,
        });
    }

    fn wrong<T>(&mut self, setting: &str, span: crate::span::Span, expected: &str) -> Option<T> {
        let (setting, expected) = (setting.to_owned(), expected.to_owned());
        self.problems.push(Problem::WrongValue { span, setting, expected });
        None
    }
}

const DIALECTS: &[(&str, Dialect)] =
    &[("tailscale", Dialect::Tailscale), ("headscale", Dialect::Headscale)];

const FAIL_LEVELS: &[(&str, Option<Severity>)] = &[
    ("error", Some(Severity::Error)),
    ("warning", Some(Severity::Warning)),
    ("note", Some(Severity::Note)),
    ("never", None),
];

const LEVELS: &[(&str, Level)] = &[
    ("error", Level::Shown(Severity::Error)),
    ("warning", Level::Shown(Severity::Warning)),
    ("note", Level::Shown(Severity::Note)),
    ("off", Level::Off),
];
