//! `aclc can` and `aclc why`: whether one end reaches the other; and by which rules, or what is missing.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use compiler::analysis::why::{self, Answer, Question, Verdict};
use compiler::analysis::written::TCP;
use compiler::ast::Protocol;
use compiler::ast::ports::protocol_name;
use compiler::emit::why::Why;

use super::Exit;
use super::failure::Failure;
use super::input;
use super::locked;
use super::question::{Against, Form, Given, World, end, written, wrong_ports};
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

    /// Where the chain of Tailnet Lock is kept: looks also whether the devices are signed
    #[arg(long, value_name = "STORE", value_hint = ValueHint::AnyPath)]
    lock: Option<PathBuf>,

    #[command(flatten)]
    against: Against,

    #[command(flatten)]
    given: Given,
}

const EXAMPLES: &str = "\
Examples:
  aclc can laptop nas:445 --nodes nodes.json         one device to another, TCP
  aclc can ada@example.com tag:db:5432               every device of a user to every device of a tag
  aclc why group:dev 10.20.7.15:udp:53               a protocol before the port
  aclc why laptop autogroup:internet:443             through an exit node
  aclc why laptop nas:445 --lock /var/lib/tailscale  also whether both are signed under Tailnet Lock

Of several devices every one must be able to. `why` says the rules, or which rules came near and what
is missing, and looks past the policy: a route or an exit node that nobody approved, an expired key,
a device that is offline or not approved yet, no address family in common.

Exit codes: 0 allowed; 1 denied, or it depends on what the inventory does not say, or the policy has
errors; 2 wrong use, an unknown name, or a file that cannot be read; 3 a bug of ours.";

/// Runs `can`, or `why`, which explains.
pub(crate) fn run(
    arguments: &Arguments,
    color: ColorChoice,
    explain: bool,
) -> Result<Exit, Failure> {
    let written = written(&arguments.dst)?;
    let world = match arguments.against.read(color)? {
        Ok(world) => world,
        Err(exit) => return Ok(exit),
    };
    let Some((valid, tables)) = world.tables() else { return Ok(Exit::Findings) };
    let (src, dst) = (end(&tables, &arguments.src)?, end(&tables, written.name)?);
    let (protocol, ports) = written.traffic().map_err(|it| wrong_ports(&it))?;
    let now = Some(input::now());
    let mut answer = why::ask(valid, &tables, &src, &dst, Question { protocol, ports, now });
    if let (Some(store), Some(pair)) = (&arguments.lock, &answer.pair) {
        answer.beyond.extend(locked::unsigned(store, &world.tailnet, pair)?);
    }
    let why = Why::of(&answer, valid.policy(), &world.name, world.checked.tree.text());
    let told = Told { world: &world, answer: &answer, why: &why, arguments, protocol };
    let mut out = io::stdout().lock();
    match arguments.given.format {
        Form::Human => out.write_all(told.sentences(explain).as_bytes())?,
        Form::Json => {
            serde_json::to_writer(&mut out, &why).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(if answer.verdict == Verdict::Allowed { Exit::Clean } else { Exit::Findings })
}

/// An answer, and what it takes to say it.
struct Told<'a> {
    world: &'a World,
    answer: &'a Answer,
    why: &'a Why,
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
        for rule in &self.why.rules {
            text += &format!("  {by} {}:{}: {}\n", rule.file, rule.line, rule.text);
        }
        for near in &self.why.nearest {
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
}
