//! `aclc preview`: serves the page of the preview on this machine, with the files loaded into it and
//! loaded again when they change.

mod files;
mod page;
mod serve;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::configuration::{self, Configurations};
use super::failure::Failure;
use super::target::Target;
use super::{Exit, input};
use files::Files;
use page::Page;
use serve::Server;

/// Serve a page that shows who reaches whom, while you edit
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The policy
    #[arg(value_name = "FILE", default_value = "policy.hujson", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The inventory: users, devices, routes [default: `nodes` of the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    nodes: Option<PathBuf>,

    /// The folder of the built page [default: beside the program]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    page: Option<PathBuf>,

    /// The port on this machine; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    configuration: configuration::Choice,
}

const EXAMPLES: &str = "\
Examples:
  aclc preview --nodes nodes.json                     policy.hujson; the first line is the address
  aclc preview staging.hujson --nodes nodes.json --port 8080
  aclc preview --page target/preview                  the page as `wasm/build` has just made it

Edit the files in your own editor: the page follows. It listens on this machine alone, and only
who knows the address sees anything: part of it is made up anew at each start. Ctrl-C ends it.

Exit codes: 2 wrong use, no page, a port that is taken, or a file that cannot be read; 3 a bug of ours.";

/// Runs the command until it is interrupted.
pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = Configurations::new(&arguments.configuration).of(&arguments.file)?;
    let nodes = arguments.nodes.clone().or_else(|| settings.as_ref().and_then(|it| it.nodes()));
    if [Some(&arguments.file), nodes.as_ref()].into_iter().flatten().any(|it| input::is_stdin(it)) {
        return Err(Failure::usage("standard input cannot be followed", "name the files"));
    }
    let dialect = arguments.target.dialect(settings.and_then(|it| it.configuration.target));
    let files = Files::new(arguments.file.clone(), nodes, dialect);
    files.read()?;
    let page = Page::find(arguments.page.as_deref())?;
    let listener = listen(arguments.port)?;
    let port = listener.local_addr().map_err(no_address)?.port();
    let token = token()?;
    let mut out = io::stdout().lock();
    writeln!(out, "http://127.0.0.1:{port}/{token}/")?;
    out.flush()?;
    Server { page, files, port, token }.run(&listener)
}

/// Loopback alone: what a tailnet allows is nobody else's business.
fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::usage(
            format!("port {port} is taken by another program"),
            "name another with `--port`, or leave it out for one that is free",
        ),
        io::ErrorKind::PermissionDenied => Failure::usage(
            format!("port {port} is not for everybody"),
            "ports from 1024 on are; leave `--port` out for one that is free",
        ),
        _ => no_address(error),
    })
}

fn no_address(error: io::Error) -> Failure {
    Failure::usage(
        format!("this machine gives no address to listen on: {error}"),
        "loopback (127.0.0.1) must be up",
    )
}

/// 128 bits that nobody guesses: other programs and pages on this machine must not read along.
fn token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::usage(
            format!("the system gives no random bytes: {error}"),
            "without them anybody could read along; nothing is served",
        )
    })?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}
