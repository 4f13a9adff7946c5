//! What `can`, `why`, `who-can` and `what-can` share: a policy and an inventory, read and lowered, and
//! the ends of a question.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use compiler::analysis::ends::Ends;
use compiler::analysis::subject::Unknown;
use compiler::analysis::written::{Written, WrongPorts};
use compiler::policy::Valid;
use compiler::tables::Tables;
use compiler::tailnet::Tailnet;
use compiler::{Checked, Options, check_bytes};

use super::failure::{Failure, shown};
use super::format::{FileReport, human};
use super::target::Target;
use super::terminal::{self, ColorChoice};
use super::{configuration, input};

/// Against what a question is asked.
#[derive(Args)]
pub(crate) struct Against {
    /// The policy; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    policy: PathBuf,

    /// The inventory: users, devices, routes [default: `nodes` of the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    configuration: configuration::Choice,
}

/// How an answer is given.
#[derive(Args)]
pub(crate) struct Given {
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Form::Human, value_name = "FORM")]
    pub(crate) format: Form,
}

/// A form of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// Sentences
    Human,
    /// For scripts (docs/json.md)
    Json,
}

/// A policy and an inventory in which nothing is wrong.
pub(crate) struct World {
    pub(crate) name: String,
    pub(crate) checked: Checked,
    pub(crate) tailnet: Tailnet,
}

impl Against {
    /// The files that are named.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.policy).chain(&self.nodes)
    }

    /// Reads both; `None` where the policy or the inventory has errors, which have been said.
    pub(crate) fn read(&self, color: ColorChoice) -> Result<Result<World, super::Exit>, Failure> {
        input::stdin_once(self.files())?;
        self.read_policy(&self.policy, color)
    }

    /// The same for a policy that is named elsewhere.
    pub(crate) fn read_policy(
        &self,
        policy: &Path,
        color: ColorChoice,
    ) -> Result<Result<World, super::Exit>, Failure> {
        let settings = configuration::Configurations::new(&self.configuration).of(policy)?;
        let nodes = self.nodes.clone().or_else(|| settings.as_ref().and_then(|it| it.nodes()));
        let Some(nodes) = nodes else {
            return Err(Failure::usage(
                "the question is about the devices of an inventory, and none is named",
                "name it with `--nodes FILE`; `tailscale status --json > nodes.json` writes one; \
                 `aclc prove` needs none",
            ));
        };
        let bytes = input::policy(policy)?;
        let read = input::inventory(&nodes)?;
        let look = terminal::look(color, &io::stderr());
        let show = |report: FileReport| human::write(&mut io::stderr().lock(), &[report], look);
        show(FileReport {
            name: read.name,
            text: read.text,
            diagnostics: read.inventory.diagnostics,
            verdict: None,
        })?;
        let Some(tailnet) = read.inventory.tailnet else { return Ok(Err(super::Exit::Unreadable)) };
        let configured = settings.and_then(|it| it.configuration.target);
        let dialect = self.target.dialect(configured);
        let options = Options { tailnet: Some(&tailnet), dialect, ..Options::default() };
        let checked = check_bytes(&bytes, &options);
        let name = shown(policy);
        if checked.valid().is_none() {
            let diagnostics = checked.diagnostics.clone();
            let text = checked.tree.text().to_owned();
            show(FileReport { name, text, diagnostics, verdict: None })?;
            return Ok(Err(super::Exit::Findings));
        }
        Ok(Ok(World { name, checked, tailnet }))
    }
}

impl World {
    /// The tables of the policy, and the proof that it has no error.
    pub(crate) fn tables(&self) -> Option<(Valid<'_>, Tables<'_>)> {
        let valid = self.checked.valid()?;
        Some((valid, Tables::new(valid, &self.tailnet)))
    }
}

/// One end of a question, or what there is no such thing as.
pub(crate) fn end(tables: &Tables<'_>, written: &str) -> Result<Ends, Failure> {
    Ends::read(tables, written).map_err(|it| unknown(&it))
}

fn unknown(unknown: &Unknown) -> Failure {
    let help = match &unknown.similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => {
            "devices are called as in the inventory, everything else as in the policy".to_owned()
        }
    };
    Failure::usage(unknown.to_string(), help)
}

/// A destination as it is written, with its ports.
pub(crate) fn written(text: &str) -> Result<Written<'_>, Failure> {
    Written::read(text).map_err(|it| wrong_ports(&it))
}

/// What is wrong with the ports of a destination.
pub(crate) fn wrong_ports(wrong: &WrongPorts) -> Failure {
    Failure::usage(wrong.to_string(), wrong.help())
}
