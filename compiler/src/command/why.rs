//! `aclc can` and `aclc why`: whether one end reaches the other; and by which rules, or what is missing.

use std::io::{self, Write as _};

use clap::Args;
use compiler::analysis::why::{self, Answer, Question, Verdict};
use compiler::ast::ports::protocol_name;
use compiler::ast::{PortRange, Protocol};
use compiler::span::LineIndex;
use serde::Serialize;

use super::Exit;
use super::failure::Failure;
use super::question::{Against, Form, World, Written, end};
use super::terminal::ColorChoice;

/// Say whether one end can reach the other
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Who: a device, an address, or any selector of the policy
    #[arg(value_name = "SRC")]
    src: String,

    /// Whom, with a port: `nas:445`, `tag:db:udp:53`, `10.0.0.7:22`, `nas:*`
    #[arg(value_name = "DST:PORT")]
    dst: String,

    #[command(flatten)]
    against: Against,
}

const EXAMPLES: &str = "\
Examples:
  aclc can laptop nas:445 --nodes nodes.json         one device to another, TCP
  aclc can ada@example.com tag:db:5432               every device of a user to every device of a tag
  aclc why group:dev 10.20.7.15:udp:53               a protocol before the port
  aclc why laptop autogroup:internet:443             through an exit node

Of several devices every one must be able to. `why` says the rules, or which rules came near and what
is missing, and looks past the policy: a route or an exit node that nobody approved, an expired key,
a device that is offline or not approved yet, no address family in common.

Exit codes: 0 allowed; 1 denied, or it depends on what the inventory does not say, or the policy has
errors; 2 wrong use, an unknown name, or a file that cannot be read; 3 a bug of ours.";

#[derive(Serialize)]
struct Document {
    version: u32,
    verdict: &'static str,
    rules: Vec<RuleText>,
    depends: Vec<String>,
    nearest: Vec<NearRule>,
    beyond: Vec<Beyond>,
    pairs: usize,
    allowed: usize,
}

#[derive(Serialize)]
struct RuleText {
    file: String,
    line: u32,
    text: String,
}

#[derive(Serialize)]
struct NearRule {
    file: String,
    line: u32,
    fails: Vec<&'static str>,
    sentence: String,
}

#[derive(Serialize)]
struct Beyond {
    kind: &'static str,
    sentence: String,
}

/// TCP, which is what people mean who name no protocol.
const TCP: Protocol = 6;

/// Runs `can`, or `why`, which explains.
pub(crate) fn run(
    arguments: &Arguments,
    color: ColorChoice,
    explain: bool,
) -> Result<Exit, Failure> {
    let written = Written::read(&arguments.dst)?;
    let world = match arguments.against.read(color)? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((valid, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let (src, dst) = (end(&tables, &arguments.src)?, end(&tables, written.name)?);
    let protocol = written.protocol.unwrap_or(TCP);
    let portless = !compiler::ast::ports::has_ports(protocol);
    let ports = match written.ports {
        _ if portless => PortRange { first: 0, last: 0 },
        Some(ports) => ports,
        None => {
            return Err(Failure::usage(
                format!("`{}` names no port", arguments.dst),
                format!("write `{0}:443`, or `{0}:*` for every port", arguments.dst),
            ));
        }
    };
    let now = Some(jiff::Timestamp::now());
    let answer = why::ask(valid, &tables, &src, &dst, Question { protocol, ports, now });
    let told = Told { world: &world, answer: &answer, arguments, protocol };
    let mut out = io::stdout().lock();
    match arguments.against.format {
        Form::Human => out.write_all(told.sentences(explain).as_bytes())?,
        Form::Json => {
            serde_json::to_writer(&mut out, &told.document()).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(if answer.verdict == Verdict::Allowed { Exit::Clean } else { Exit::Findings })
}

/// An answer, and what it takes to say it.
struct Told<'a> {
    world: &'a World,
    answer: &'a Answer,
    arguments: &'a Arguments,
    protocol: Protocol,
}

impl Told<'_> {
    fn sentences(&self, explain: bool) -> String {
        let Answer { verdict, pairs: (all, through), .. } = self.answer;
        let Arguments { src, dst, .. } = self.arguments;
        let protocol = if self.protocol == TCP {
            String::new()
        } else {
            format!(" ({})", protocol_name(self.protocol))
        };
        let mut text = match verdict {
            Verdict::Allowed => format!("yes: `{src}` can reach `{dst}`{protocol}\n"),
            Verdict::Denied => format!("no: `{src}` cannot reach `{dst}`{protocol}\n"),
            Verdict::Depends => {
                format!("it depends: whether `{src}` can reach `{dst}`{protocol}\n")
            }
        };
        if *all > 1 {
            text += &format!("  {through} of {all} pairs of devices are let through\n");
        }
        if !explain {
            return text;
        }
        if *all > 1
            && *verdict != Verdict::Allowed
            && let Some((from, to)) = self.pair()
        {
            text += &format!("  for example not `{from}` to `{to}`:\n");
        }
        for it in &self.answer.depends {
            text += &format!("  it depends on {it}\n");
        }
        let by = match verdict {
            Verdict::Allowed => "let through by",
            _ => "a rule would let it through,",
        };
        for rule in self.rules() {
            text += &format!("  {by} {}:{}: {}\n", rule.file, rule.line, rule.text);
        }
        for near in self.nearest() {
            text += &format!("  {}\n", near.sentence);
        }
        if self.answer.nearest.is_empty()
            && *verdict == Verdict::Denied
            && self.answer.rules.is_empty()
        {
            text += "  no rule names either of the two for such traffic\n";
        }
        for it in &self.answer.beyond {
            text += &format!(
                "  {}{}\n",
                if *verdict == Verdict::Allowed { "but " } else { "" },
                it.sentence
            );
        }
        text
    }

    /// The names of the pair that is explained.
    fn pair(&self) -> Option<(String, String)> {
        let pair = self.answer.pair?;
        let name = |id: Option<compiler::tailnet::NodeId>, address: std::net::IpAddr| {
            let node = id.and_then(|it| self.world.tailnet.node(it));
            node.map_or_else(|| address.to_string(), |it| it.name.to_string())
        };
        Some((name(pair.src, pair.src_address), name(pair.dst, pair.dst_address)))
    }

    fn rules(&self) -> Vec<RuleText> {
        let (text, policy) = (self.world.checked.tree.text(), &self.world.checked.policy);
        let lines = LineIndex::new(text);
        let all = policy.rules.as_deref().unwrap_or_default();
        let rules = self.answer.rules.iter().filter_map(|it| all.get(*it as usize));
        let text = |rule: &compiler::policy::Rule| RuleText {
            file: self.world.name.clone(),
            line: lines.line(rule.span.start).0 + 1,
            text: one_line(rule.span.of(text)),
        };
        rules.map(text).collect()
    }

    fn nearest(&self) -> Vec<NearRule> {
        let lines = LineIndex::new(self.world.checked.tree.text());
        let near = |it: &compiler::tables::assertions::Near| {
            let line = lines.line(it.span.start).0 + 1;
            NearRule {
                file: self.world.name.clone(),
                line,
                fails: it.fails.clone(),
                sentence: format!("the rule at {}:{line} {}", self.world.name, it.why),
            }
        };
        self.answer.nearest.iter().map(near).collect()
    }

    fn document(&self) -> Document {
        let beyond = self.answer.beyond.iter();
        Document {
            version: 1,
            verdict: match self.answer.verdict {
                Verdict::Allowed => "allowed",
                Verdict::Denied => "denied",
                Verdict::Depends => "depends",
            },
            rules: self.rules(),
            depends: self.answer.depends.clone(),
            nearest: self.nearest(),
            beyond: beyond
                .map(|it| Beyond { kind: it.kind, sentence: it.sentence.clone() })
                .collect(),
            pairs: self.answer.pairs.0,
            allowed: self.answer.pairs.1,
        }
    }
}

/// A rule on one line, shortened where it is long.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
