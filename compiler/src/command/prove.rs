//! `aclc prove`: invariants of a policy → a proof for every possible tailnet, or a counterexample.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use compiler::analysis::invariants::{self as judging, Judged, Rules};
use compiler::analysis::prove::Tags;
use compiler::ast::invariant;
use compiler::emit::access::{Access, RuleAt};
use compiler::policy::Policy;
use compiler::span::LineIndex;
use compiler::{Options, check_bytes};
use serde::Serialize;

use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{Exit, configuration, input, invariants};

/// Prove that invariants hold in every possible tailnet, or show a flow against them
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy; `-` is standard input
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// A file of invariants; may be repeated [default: every `*.invariants` beside the policy]
    #[arg(long = "invariants", value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Try also devices with several tags, each of which may do what any of its tags may
    #[arg(long)]
    combined: bool,

    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human, value_name = "FORM")]
    format: Form,

    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    configuration: configuration::Choice,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Form {
    /// A line for each invariant, and what is wrong drawn below
    Human,
    /// For scripts (docs/json.md)
    Json,
}

const EXAMPLES: &str = "\
Examples:
  aclc prove                                    policy.hujson and every *.invariants beside it
  aclc prove base.hujson --invariants rules.invariants
  aclc prove --combined                         also for devices with several tags
  aclc explain invariants                       the grammar

An invariant is a line of a file, or a comment `// aclc: never …` in the policy:
  never  tag:guest -> tag:prod:*
  only   group:sre and tag:ci -> tag:db:5432
  always group:dev except bob@example.com -> tag:web:443

It is proved for every possible tailnet: whoever is in it, whatever they own, whichever role they
have. `aclc check` judges invariants as well.

Exit codes: 0 all hold; 1 one does not, or the policy has errors; 2 wrong use, a file that cannot be
read, or no invariant; 3 a bug of ours.";

#[derive(Serialize)]
struct Document<'d> {
    version: u32,
    results: Vec<Answer<'d>>,
}

#[derive(Serialize)]
struct Answer<'d> {
    invariant: &'d str,
    file: &'d str,
    line: u32,
    proved: bool,
    vacuous: bool,
    counterexample: Option<Access>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, color: ColorChoice) -> Result<Exit, Failure> {
    input::stdin_once(std::iter::once(&arguments.file).chain(&arguments.files))?;
    let settings =
        configuration::Configurations::new(&arguments.configuration).of(&arguments.file)?;
    let dialect = arguments.target.dialect(settings.and_then(|it| it.configuration.target));
    let bytes = input::policy(&arguments.file)?;
    let checked = check_bytes(&bytes, &Options { dialect, ..Options::default() });
    let name = shown(&arguments.file);
    let text = checked.tree.text();
    let look = terminal::look(color, &io::stdout());
    let Some(valid) = checked.valid() else {
        let diagnostics = checked.diagnostics.clone();
        let report = FileReport { name, text: text.to_owned(), diagnostics, verdict: None };
        human::write(&mut io::stderr().lock(), &[report], terminal::look(color, &io::stderr()))?;
        return Ok(Exit::Findings);
    };
    let lines = LineIndex::new(text);
    let tags = if arguments.combined { Tags::Several } else { Tags::One };
    let (judged, diagnostics) =
        judging::judge(valid, invariant::read_comments(&checked.tree), Rules::Here, tags);
    let report =
        FileReport { name: name.clone(), text: text.to_owned(), diagnostics, verdict: None };
    let mut files = vec![invariants::File { report, judged }];
    let named = if arguments.files.is_empty() {
        invariants::beside(&arguments.file)
    } else {
        arguments.files.clone()
    };
    for path in &named {
        files.push(invariants::judge(path, valid, &name, &lines, tags)?);
    }
    if files.iter().all(|it| it.judged.is_empty() && it.report.diagnostics.is_empty()) {
        return Err(Failure::usage(
            "there is no invariant to prove",
            "write one a line into `policy.invariants`, or as a comment `// aclc: never …` in the policy",
        ));
    }
    let mut out = io::stdout().lock();
    match arguments.format {
        Form::Json => {
            let answers = files.iter().flat_map(|file| {
                let lines = LineIndex::new(&file.report.text);
                let one = |it| answer(it, file, &lines, valid.policy(), (&name, text));
                file.judged.iter().map(one).collect::<Vec<_>>()
            });
            let document = Document { version: 1, results: answers.collect() };
            serde_json::to_writer(&mut out, &document).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Form::Human => {
            for file in &files {
                for judged in &file.judged {
                    let mark = if judged.proved { "holds" } else { "fails" };
                    writeln!(out, "{mark}  {}", judged.invariant.span.of(&file.report.text))?;
                }
            }
            let reports: Vec<FileReport> = files.iter().map(|it| it.report.clone()).collect();
            if reports.iter().any(|it| !it.diagnostics.is_empty()) {
                out.write_all(b"\n")?;
            }
            human::write(&mut out, &reports, look)?;
        }
    }
    let all_hold = files.iter().all(|file| {
        let unread = file
            .report
            .diagnostics
            .iter()
            .any(|it| it.severity == compiler::diagnostic::Severity::Error);
        !unread && file.judged.iter().all(|it| it.proved)
    });
    Ok(if all_hold { Exit::Clean } else { Exit::Findings })
}

fn answer<'d>(
    judged: &Judged,
    file: &'d invariants::File,
    lines: &LineIndex,
    policy: &Policy,
    (policy_name, policy_text): (&str, &str),
) -> Answer<'d> {
    let span = judged.invariant.span;
    let counterexample = judged.counterexample.as_ref().map(|(row, found)| {
        let rules = RuleAt::all(&row.rules, policy, policy_name, policy_text);
        Access::of(row, rules, found.witness.as_ref().map(|it| it.packet))
    });
    Answer {
        invariant: span.of(&file.report.text),
        file: &file.report.name,
        line: lines.line(span.start).0 + 1,
        proved: judged.proved,
        vacuous: judged.vacuous,
        counterexample,
    }
}
