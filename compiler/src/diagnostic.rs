//! What every stage hands over besides its result: problems worded for people, with places,
//! helps and fixes, and what Tailscale's own API would say. Knows nothing of files or terminals.

pub mod answer;
pub mod code;
pub mod levels;
#[cfg(feature = "render")]
pub mod render;

use crate::dialect::Dialect;
use crate::span::Span;
pub use answer::answer;
pub use code::Code;

/// How grave a finding is. The order is that of gravity: an error is the greatest.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// The policy compiles, but a reader would be surprised.
    Warning,
    /// The policy is refused.
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

/// The step of the control plane that would stop at a problem, in the order it takes them.
///
/// SOURCE: docs/language.md, "The file"; its API reports one problem only, the first of these.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Turn {
    /// The text is no HuJSON.
    Text,
    /// A member or a type that its decoder does not know.
    Fields,
    /// The section `groups`.
    Groups,
    /// The section `tagOwners`.
    TagOwners,
    /// The section `hosts`.
    Hosts,
    /// The section `grants`.
    Grants,
    /// The section `acls`.
    Acls,
    /// The section `nodeAttrs`.
    NodeAttrs,
    /// The section `ssh`.
    Ssh,
    /// Every other section.
    Others,
    /// The destinations of `sshTests`.
    SshTestsDst,
    /// The section `tests`.
    Tests,
    /// The section `sshTests`.
    SshTests,
    /// Whom the names of users stand for; asked by headscale only.
    Users,
    /// The attributes of users; asked by headscale only.
    UserAttributes,
    /// What its assertions come to; asked last, and by headscale only.
    Assertions,
    /// Never: it stops at a greater problem of the same kind.
    Shadowed,
}

/// That a control plane would refuse the file because of a problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Whose control plane.
    pub by: Dialect,
    /// When it would come to the problem.
    pub turn: Turn,
    /// The exact message of its API; `None` where nobody has seen it.
    pub message: Option<String>,
}

/// A place and what there is to say of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// Where, in the same text as the diagnostic.
    pub span: Span,
    /// What is there; lower case, no final stop.
    pub text: String,
}

/// A replacement of one span of the text by other text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One way to mend a problem. The edits do not overlap and are in the order of the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fix {
    /// What it does, as an order: "replace `tag:wbe` by `tag:web`".
    pub title: String,
    /// Whether it may be applied without a look: it cannot change who reaches what unasked.
    pub safe: bool,
    /// The edits that together make the fix.
    pub edits: Vec<Edit>,
}

/// One finding in a text.
///
/// `message` says what is wrong, `label` what is wrong at this place, `help` what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// The stable code; its page is `docs/diagnostics/acl-CODE.md`.
    pub code: Code,
    /// How grave it is; the code's own severity unless configured otherwise.
    pub severity: Severity,
    /// One lower-case sentence without a final stop, the user's words in backticks.
    pub message: String,
    /// The smallest text that, changed, removes the problem.
    pub span: Span,
    /// What is wrong at `span`, where the message alone does not say it.
    pub label: Option<String>,
    /// Other places that matter: a first definition, an opening bracket.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The ways to mend it; one where exactly one is right.
    pub fixes: Vec<Fix>,
    /// Whether and how the control plane would refuse the file because of it.
    pub refusal: Option<Refusal>,
}

impl Diagnostic {
    /// A finding with the code's severity, a message and a place, and nothing else.
    pub fn new(code: Code, message: impl ToString, span: Span) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.to_string(),
            span,
            label: None,
            related: Vec::new(),
            help: None,
            fixes: Vec::new(),
            refusal: None,
        }
    }

    /// Says what is wrong at the place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = Some(text.into());
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Offers a fix of one edit.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, safe: bool, edit: Edit) -> Self {
        self.fixes.push(Fix { title: title.into(), safe, edits: vec![edit] });
        self
    }

    /// Tailscale refuses the file here, with exactly this message.
    #[must_use]
    pub fn refused(mut self, turn: Turn, message: impl Into<String>) -> Self {
        self.refusal =
            Some(Refusal { by: Dialect::Tailscale, turn, message: Some(message.into()) });
        self
    }

    /// A control plane refuses the file here, perhaps with a message that is known.
    #[must_use]
    pub fn refused_by(mut self, by: Dialect, turn: Turn, message: Option<String>) -> Self {
        self.refusal = Some(Refusal { by, turn, message });
        self
    }

    /// Tailscale refuses the file here, with a message nobody has seen.
    #[must_use]
    pub fn refused_somehow(mut self, turn: Turn) -> Self {
        self.refusal = Some(Refusal { by: Dialect::Tailscale, turn, message: None });
        self
    }
}

/// Puts findings in the order they are shown: by place, then by code.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|it| (it.span.start, it.code, it.span.end));
}

/// The name in `known` that a person most likely meant by `written`, if one is near enough.
///
/// Near is at most a third of the letters changed, counted without case, so that short names do
/// not all look alike.
pub fn similar<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = written.to_lowercase();
    let bound = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|name| name.len().abs_diff(written.len()) <= bound * 2)
        .map(|name| (strsim::osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}
