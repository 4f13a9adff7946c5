//! What can be wrong with a text before anything of it is understood: families E00xx and E01xx.

use crate::diagnostic::{Code, Diagnostic, Edit, Turn, code};
use crate::span::Span;

/// How many findings of one code are reported in one file; the others are only counted.
pub const MAX_REPORTS: usize = 100;

/// One thing wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// What it is.
    pub fault: Fault,
    /// Where.
    pub span: Span,
    /// What Tailscale makes of it.
    pub upstream: Upstream,
}

/// What Tailscale's own parser does at a problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Upstream {
    /// It takes the text; the refusal is ours.
    Accepts,
    /// It refuses the text, though perhaps it stops at another problem first.
    Refuses,
    /// It refuses the text with this message.
    Says(String),
}

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// More bytes than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("the file is larger than 32 MiB")]
    TooLarge,
    /// More pieces than [`MAX_PIECES`](super::MAX_PIECES).
    #[error(
        "the file has {pieces} brackets, commas, strings and words; a policy may have 7 million"
    )]
    TooMany {
        /// How many.
        pieces: usize,
    },
    /// More brackets open at once than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("brackets are nested more than 500 deep")]
    TooDeep,
    /// Bytes that are not UTF-8.
    #[error("{bytes} {} not UTF-8", if *bytes == 1 { "byte is" } else { "bytes are" })]
    InvalidUtf8 {
        /// How many in a row.
        bytes: usize,
    },
    /// U+FEFF as the first character.
    #[error("the file starts with a byte-order mark")]
    ByteOrderMark,
    /// Nothing but white space and comments.
    #[error("the file is empty")]
    Empty,

    /// A bracket without its partner.
    #[error("`{bracket}` is never closed")]
    Unclosed {
        /// The opening bracket.
        bracket: char,
        /// Brackets further out that end at the same place.
        outer: Vec<Span>,
        /// Where closing brackets could stand.
        at: u32,
        /// Those brackets.
        closers: String,
        /// The outer bracket that runs to the end of the file because this one took its partner.
        thief: Option<Span>,
    },
    /// A string whose line ends before it.
    #[error("a string is not closed on its line")]
    UnclosedString {
        /// Its quote, `"` or `'`.
        quote: char,
    },
    /// Two values side by side.
    #[error("a comma is missing")]
    MissingComma,
    /// Text that is no part of JSON where it stands.
    #[error("{0}")]
    Unexpected(Unexpected),
    /// Text behind the one value of the file.
    #[error("there is text after the end of the policy")]
    AfterEnd {
        /// What it starts with.
        first: char,
    },
    /// A name with no colon behind it.
    #[error("`{name}` has no colon behind it")]
    MissingColon {
        /// The name, as written.
        name: String,
        /// Whether another sign stands in its place.
        replaced: bool,
    },
    /// A colon with no value behind it.
    #[error("`{name}` has no value")]
    MissingValue {
        /// The name, as written.
        name: String,
    },
    /// A comma with no value before it.
    #[error("there is no value before this comma")]
    ExtraComma,
    /// A member name that is not a string.
    #[error("the name of a member must be a string, not `{name}`")]
    NameNotString {
        /// The name, as written.
        name: String,
        /// The name as a string, where it is a word.
        instead: Option<String>,
    },
    /// A name that its object has already.
    #[error("`{name}` is defined twice")]
    Duplicate {
        /// The name.
        name: String,
        /// The first of that name.
        first: Span,
    },
    /// A raw character below U+0020 in a string.
    #[error("{} stands in a string as it is", control_name(*.0))]
    ControlCharacter(char),
    /// A backslash before what it has no meaning for.
    #[error("{} is no escape that JSON has", escape_name(escape))]
    BadEscape {
        /// The backslash and what follows.
        escape: String,
        /// What was meant, where that is certain.
        instead: Option<String>,
    },
    /// A word that is no number, `true`, `false` or `null`.
    #[error("`{word}` is no value")]
    BadWord {
        /// The word.
        word: String,
        /// What was meant, and whether that is certain.
        instead: Option<(String, bool)>,
    },
    /// A `/*` without its `*/`.
    #[error("a comment is never closed")]
    UnclosedComment,
    /// A `//` comment whose line the end of the file cuts off.
    #[error("the file ends within a `//` comment")]
    CommentAtEnd,
    /// Something that JSON5 has and HuJSON has not.
    #[error("{what} is JSON5, which a policy may not use")]
    Json5 {
        /// What it is, with its article.
        what: &'static str,
        /// The same in JSON.
        instead: Option<String>,
    },
    /// A closing bracket of the wrong kind.
    #[error("`{}` is closed by the wrong bracket", if *right == b'}' { '{' } else { '[' })]
    WrongCloser {
        /// The opening bracket.
        open: Span,
        /// The right one.
        right: u8,
    },
    /// U+2028 or U+2029 in a `//` comment.
    #[error("a `//` comment contains a Unicode line separator")]
    LineSeparator,
    /// More of the same than are reported one by one.
    #[error("{count} more of this kind: {}", code.title())]
    More {
        /// Of which code.
        code: Code,
        /// How many.
        count: usize,
    },
}

/// Text that is no part of JSON where it stands.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unexpected {
    /// Characters that look like blanks, or like nothing.
    #[error("{0} stands where only plain blanks may")]
    Blank(String),
    /// A string in quotes other than `"`.
    #[error("a string stands in {} quotes", if *curly { "curly" } else { "single" })]
    Quotes {
        /// Whether in curly quotes.
        curly: bool,
        /// The same in plain ones.
        instead: String,
    },
    /// `#`
    #[error("`#` starts no comment")]
    Hash,
    /// A closing bracket that closes nothing.
    #[error("`{0}` closes nothing")]
    Closer(char),
    /// A colon outside of a member.
    #[error("unexpected `:`")]
    Colon,
    /// Anything else.
    #[error("unexpected `{0}`")]
    Other(String),
}

impl Fault {
    /// Its code.
    pub const fn code(&self) -> Code {
        match self {
            Self::TooLarge | Self::TooMany { .. } => code::E0001,
            Self::TooDeep => code::E0002,
            Self::InvalidUtf8 { .. } => code::E0003,
            Self::ByteOrderMark => code::E0004,
            Self::Empty => code::E0005,
            Self::Unclosed { .. } => code::E0101,
            Self::UnclosedString { .. } => code::E0102,
            Self::MissingComma => code::E0103,
            Self::Unexpected(_) => code::E0104,
            Self::AfterEnd { .. } => code::E0105,
            Self::MissingColon { .. } => code::E0106,
            Self::MissingValue { .. } => code::E0107,
            Self::ExtraComma => code::E0108,
            Self::NameNotString { .. } => code::E0109,
            Self::Duplicate { .. } => code::E0110,
            Self::ControlCharacter(_) => code::E0111,
            Self::BadEscape { .. } => code::E0112,
            Self::BadWord { .. } => code::E0113,
            Self::UnclosedComment => code::E0114,
            Self::CommentAtEnd => code::E0115,
            Self::Json5 { .. } => code::E0116,
            Self::WrongCloser { .. } => code::E0117,
            Self::LineSeparator => code::E0118,
            Self::More { code, .. } => *code,
        }
    }

    /// Whether Tailscale's parser takes a text in which nothing else is wrong.
    const fn is_ours_alone(&self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::TooMany { .. }
                | Self::TooDeep
                | Self::InvalidUtf8 { .. }
                | Self::Duplicate { .. }
        )
    }
}

impl Problem {
    /// A problem at a place; what Tailscale makes of it follows from what it is.
    pub fn new(fault: Fault, span: Span) -> Self {
        let upstream = if fault.is_ours_alone() { Upstream::Accepts } else { Upstream::Refuses };
        Self { fault, span, upstream }
    }

    /// Whether Tailscale refuses the text because of it.
    pub fn is_refused(&self) -> bool {
        self.upstream != Upstream::Accepts
    }

    /// The report a person reads.
    pub fn report(&self) -> Diagnostic {
        let report = Diagnostic::new(self.fault.code(), &self.fault, self.span);
        let report = self.worded(report);
        match &self.upstream {
            Upstream::Accepts => report,
            Upstream::Refuses => report.refused_somehow(Turn::Text),
            Upstream::Says(message) => report.refused(Turn::Text, message),
        }
    }

    fn worded(&self, report: Diagnostic) -> Diagnostic {
        let insert = |at: u32, text: &str| Edit { span: Span::at(at), text: text.to_owned() };
        let replace = |text: &str| Edit { span: self.span, text: text.to_owned() };
        let instead = |report: Diagnostic, text: &String, safe| {
            let title = match text.as_str() {
                "" => "leave it out".to_owned(),
                text => format!("write `{}`", excerpt(text)),
            };
            report.help(title.clone()).fix(title, safe, replace(text))
        };
        match &self.fault {
            Fault::TooLarge => report.help("leave out what a generator wrote twice, or name address ranges in `ipsets`"),
            Fault::TooMany { .. } => report.help("leave out what a generator wrote twice; a range of ports or addresses is one entry"),
            Fault::TooDeep => report.label("the 501st bracket").help("close the brackets before it; no policy needs more than ten"),
            Fault::InvalidUtf8 { .. } => report.help("save the file as UTF-8, without a byte-order mark"),
            Fault::ByteOrderMark => report
                .label("an invisible character, U+FEFF")
                .help("save the file as UTF-8 without a byte-order mark")
                .fix("remove the byte-order mark", true, replace("")),
            Fault::Empty => report.help("write at least `{}`; without `acls` and `grants` it lets everybody reach everything"),
            Fault::Unclosed { outer, at, closers, thief, .. } => {
                let report = outer.iter().fold(report.label("opened here"), |report, it| {
                    report.related(*it, "not closed either")
                });
                match thief {
                    Some(thief) => report
                        .related(*thief, "so this one has no partner left")
                        .help("its closing bracket stands at another indentation: close it where its lines end"),
                    None => report
                        .help(format!("write `{closers}` where it ends"))
                        .fix(format!("insert `{closers}`"), false, insert(*at, closers)),
                }
            }
            Fault::UnclosedString { quote } => report
                .label(format!("no closing `{quote}` follows on this line"))
                .help("write `\"` where the string ends; a line break within a string is `\\n`"),
            Fault::MissingComma => report
                .label("expected `,`")
                .help("separate the two values by a comma")
                .fix("insert `,`", true, insert(self.span.start, ",")),
            Fault::Unexpected(unexpected) => match unexpected {
                Unexpected::Blank(_) => report
                    .help("HuJSON takes only space, tab and line ends between values")
                    .fix("replace by a plain blank", true, replace(" ")),
                Unexpected::Quotes { instead: text, .. } => instead(report, text, true),
                Unexpected::Hash => report
                    .help("start the comment with `//`")
                    .fix("start the comment with `//`", true, Edit { span: Span::new(self.span.start, self.span.start + 1), text: "//".to_owned() }),
                Unexpected::Closer(_) => report
                    .label("no bracket of this kind is open here")
                    .help("remove it, or write the bracket it should close"),
                Unexpected::Colon => report.help("only a member of an object, in `{ }`, has a name and a colon"),
                Unexpected::Other(_) => report.help("remove it, or put it between double quotes if it is text"),
            },
            Fault::AfterEnd { first } => report.label("the policy ends before this").help(match first {
                '}' | ']' => "a closing bracket is one too many: remove it, or the one that ended the policy too early",
                ':' | ',' => "a policy is one object: put all of it between `{` and `}`",
                _ => "a file holds one policy: remove this, or move it inside the brackets",
            }),
            Fault::MissingColon { replaced, .. } => {
                let report = report.label("expected `:`").help("write `:` between the name and its value");
                if *replaced {
                    report.fix("write `:`", true, replace(":"))
                } else {
                    report.fix("insert `:`", true, insert(self.span.start, ":"))
                }
            }
            Fault::MissingValue { .. } => report.label("expected a value").help("write the value, or remove the name and its colon"),
            Fault::ExtraComma => report
                .help("remove it; one comma after the last value is allowed, none before the first")
                .fix("remove the comma", true, replace("")),
            Fault::NameNotString { instead: None, .. } => report.help("put the name between double quotes"),
            Fault::NameNotString { instead: Some(text), .. } => instead(report, text, true),
            Fault::Duplicate { first, .. } => report
                .label("defined again")
                .related(*first, "defined here first")
                .help("join the two, or remove one; which of them would count is not known"),
            Fault::ControlCharacter(char) => {
                let text = super::rewrite::escaped(*char);
                report
                    .help(format!("write `{text}`, or close the string"))
                    .fix(format!("write `{text}`"), true, replace(&text))
            }
            Fault::BadEscape { instead: Some(text), .. } => instead(report, text, true),
            Fault::BadEscape { instead: None, .. } => report.help("a backslash itself is written `\\\\`"),
            Fault::BadWord { instead: Some((text, safe)), .. } => instead(report, text, *safe),
            Fault::BadWord { instead: None, .. } => report.help("a value is a string, a number, `true`, `false`, `null`, or stands in brackets"),
            Fault::UnclosedComment => report.label("opened here").help("write `*/` where the comment ends"),
            Fault::CommentAtEnd => report
                .label("no line end follows")
                .help("end the last line with a line break")
                .fix("add a line break", true, insert(self.span.end, "\n")),
            Fault::Json5 { instead: Some(text), .. } => instead(report, text, true),
            Fault::Json5 { instead: None, .. } => report.help("JSON has no way to write it; write a number or a string"),
            Fault::WrongCloser { open, right } => {
                let right = char::from(*right);
                report
                    .label(format!("expected `{right}`"))
                    .related(*open, "opened here")
                    .help(format!("write `{right}`"))
                    .fix(format!("write `{right}`"), true, replace(&right.to_string()))
            }
            Fault::LineSeparator => report
                .label("invisible here")
                .help("remove it, or start a new line")
                .fix("replace by a blank", true, replace(" ")),
            Fault::More { .. } => report.help("mend those above first; they may have one cause"),
        }
    }
}

/// At most forty characters of a text, on one line, for a message.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        None if line.len() == text.trim_end().len() => line.to_owned(),
        None => format!("{line}…"),
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// An escape as a sentence can hold it: a control character would break the line.
fn escape_name(escape: &str) -> String {
    match escape.chars().nth(1) {
        Some(char) if char.is_control() => format!("a backslash before {}", control_name(char)),
        _ => format!("`{escape}`"),
    }
}

fn control_name(char: char) -> String {
    match char {
        '\t' => "a tab".to_owned(),
        '\r' => "a carriage return".to_owned(),
        '\n' => "a line end".to_owned(),
        _ => format!("the control character U+{:04X}", char as u32),
    }
}
