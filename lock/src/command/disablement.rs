//! `tlock disablement`: the secrets that switch a lock off, made, derived and checked here, and
//! never sent anywhere.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use lock::secret::{DisablementSecret, DisablementValue};
use serde_json::json;
use zeroize::Zeroizing;

use super::chain::ChainOptions;
use super::failure::Failure;
use super::hidden::{self, SecretOutput};
use super::{Exit, output, random};

/// Make, derive and check the secrets that switch a lock off
#[derive(Args)]
#[command(arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tlock disablement new --count 3 -o secrets.txt       secrets to keep; their values to publish
  tlock disablement kdf @secret.txt                    the value that an authority stores
  tlock disablement check @secret.txt --store DIR      would it switch this lock off

Whoever has one of these secrets can switch the lock of the whole tailnet off. Only values, which are
public, are given to `tlock init` and to the tailnet.";

#[derive(Subcommand)]
enum Command {
    /// Make secrets, and print the values that an authority stores of them
    New(New),
    /// Print the value of a secret
    Kdf(Kdf),
    /// Whether a secret would switch a lock off; exit code 1 where it would not
    Check(Check),
}

#[derive(Args)]
struct New {
    /// How many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=32))]
    count: u8,

    #[command(flatten)]
    output: SecretOutput,

    /// Print the values as JSON
    #[arg(long, conflicts_with = "print_secret")]
    json: bool,
}

#[derive(Args)]
struct Kdf {
    /// The secret: `@FILE`, or `-` for standard input; asked for at the terminal otherwise
    #[arg(value_name = "SECRET")]
    secret: Option<String>,

    /// Print the value as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Check {
    /// The secret: `@FILE`, or `-` for standard input; asked for at the terminal otherwise
    #[arg(value_name = "SECRET")]
    secret: Option<String>,

    #[command(flatten)]
    chain: ChainOptions,

    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::New(it) => new(it),
        Command::Kdf(it) => kdf(it),
        Command::Check(it) => check(it),
    }
}

fn new(arguments: &New) -> Result<Exit, Failure> {
    arguments.output.check()?;
    let mut secrets = Zeroizing::new(String::with_capacity(usize::from(arguments.count) * 128));
    let mut values = Vec::new();
    for _ in 0..arguments.count {
        let secret = DisablementSecret::new(random::bytes::<32>()?.to_vec());
        values.push(value(&secret)?);
        secrets.push_str(&secret.expose_text());
        secrets.push('\n');
    }
    arguments.output.put(secrets.as_bytes())?;
    if arguments.json {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        output::json(&json!({ "version": 1, "values": values }))?;
    } else {
        let mut lines = String::new();
        for value in &values {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{value}");
        }
        output::print(&lines)?;
    }
    Ok(Exit::Clean)
}

fn kdf(arguments: &Kdf) -> Result<Exit, Failure> {
    let value = value(&secret(arguments.secret.as_deref())?)?;
    if arguments.json {
        output::json(&json!({ "version": 1, "value": value.to_string() }))?;
    } else {
        output::print(&format!("{value}\n"))?;
    }
    Ok(Exit::Clean)
}

fn check(arguments: &Check) -> Result<Exit, Failure> {
    let chain = arguments.chain.open()?;
    let secret = secret(arguments.secret.as_deref())?;
    let state = chain.state();
    let accepted = state.is_disabled_by(&secret);
    if arguments.json {
        output::json(
            &json!({ "version": 1, "verdict": if accepted { "accepted" } else { "refused" } }),
        )?;
    } else if accepted {
        output::print("accepted: this secret would switch the lock off\n")?;
    } else {
        output::print(&format!(
            "refused: none of the {} values of the authority is this secret's\n",
            state.disablement_values().count()
        ))?;
    }
    Ok(if accepted { Exit::Clean } else { Exit::Findings })
}

/// The secret in an argument. A value, which is public, is refused: it switches nothing off.
fn secret(given: Option<&str>) -> Result<DisablementSecret, Failure> {
    let text = hidden::argument(given, "a disablement secret")?;
    let text = std::str::from_utf8(&text).unwrap_or_default().trim();
    if text.starts_with("disablement:") {
        return Err(Failure::usage(
            "this is a value, which is public, and no secret",
            "a secret begins with `disablement-secret:`",
        ));
    }
    DisablementSecret::parse(text).ok_or_else(|| {
        Failure::usage(
            "this is no disablement secret",
            "one is `disablement-secret:` and hexadecimal digits",
        )
    })
}

fn value(secret: &DisablementSecret) -> Result<DisablementValue, Failure> {
    secret.value().ok_or_else(|| Failure::plain("this secret is too long"))
}
