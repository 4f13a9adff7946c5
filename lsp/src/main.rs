//! The language server `aclc-lsp`: speaks the protocol on standard input and output.
#![allow(
    clippy::disallowed_methods,
    reason = "the program is the edge: it alone reads files and the clock"
)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(it) if it == "--version" => say(concat!("aclc-lsp ", env!("CARGO_PKG_VERSION"), "\n")),
        Some(it) if it == "--help" || it == "-h" => say(HELP),
        // What clients add without being asked.
        Some(it) if it == "--stdio" => lsp::server::serve(),
        None => lsp::server::serve(),
        Some(other) => {
            let other = other.to_string_lossy();
            use std::io::Write;
            let _ = write!(std::io::stderr(), "error: unknown argument `{other}`\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

const HELP: &str = "\
The language server for tailnet policy files.

Usage: aclc-lsp [--stdio]

It speaks the Language Server Protocol on standard input and output, and is started by an editor:
docs/editors.md says how. Settings stand in the editor, or in aclc.toml beside the policy: docs/lsp.md.

      --stdio    nothing: there is no other way
      --version  print the version
  -h, --help     print this
";
