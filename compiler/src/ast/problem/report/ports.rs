//! Ports and protocols that cannot be read → what to write instead.

use crate::ast::Problem;
use crate::ast::ports::{BadPorts, PROTOCOLS, PortFault};
use crate::diagnostic::{Diagnostic, Edit, Turn, code, similar};
use crate::span::Span;

/// Services that people name where a port must stand.
const SERVICES: [(&str, u16); 13] = [
    ("dns", 53),
    ("domain", 53),
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("imap", 143),
    ("mysql", 3306),
    ("ntp", 123),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("rdp", 3389),
    ("smtp", 25),
    ("ssh", 22),
];

/// The report of `problem`, a piece of a port list or a protocol at `span`; `entry` is the whole
/// destination of an acl.
pub(super) fn report(
    problem: &Problem,
    span: Span,
    bad: &BadPorts,
    entry: Option<&str>,
    turn: Turn,
) -> Diagnostic {
    let api = entry.map_or_else(|| bad.to_string(), |it| format!("dst={it:?}: {bad}"));
    if bad.fault == PortFault::Protocol {
        let it = Diagnostic::new(code::E0210, problem, span).refused(turn, api);
        return protocol(it, span, &bad.piece);
    }
    let it = Diagnostic::new(code::E0208, problem, span).refused(turn, api);
    match instead(bad, entry.is_none()) {
        Some(text) => it.help(format!("write `{text}`")).fix(
            format!("write `{text}`"),
            false,
            Edit { span, text },
        ),
        None => it.help(help(bad)),
    }
}

fn protocol(it: Diagnostic, span: Span, written: &str) -> Diagnostic {
    // Nobody is meant to write `tsmp`, Tailscale's own.
    let names = PROTOCOLS.iter().map(|it| it.1).filter(|it| *it != "tsmp");
    match similar(written, names) {
        Some(near) => it.help(format!("did you mean `{near}`?")).fix(
            format!("write `{near}`"),
            false,
            Edit { span, text: near.to_owned() },
        ),
        None => it.help("use a name such as `tcp`, `udp` or `icmp`, or a number from 1 to 255"),
    }
}

/// What was certainly meant by a piece.
fn instead(bad: &BadPorts, in_grant: bool) -> Option<String> {
    let piece = &bad.piece;
    match bad.fault {
        PortFault::Reversed => piece.split_once('-').map(|(first, last)| format!("{last}-{first}")),
        PortFault::Zero if matches!(&**piece, "0" | "0-65535") => Some("*".to_owned()),
        PortFault::First => {
            let service = SERVICES.iter().find(|it| it.0 == piece).map(|it| it.1.to_string());
            let known = || PROTOCOLS.iter().any(|it| it.1 == piece);
            service
                .or_else(|| (in_grant && bad.start == 0 && known()).then(|| format!("{piece}:*")))
        }
        _ => None,
    }
}

fn help(bad: &BadPorts) -> &'static str {
    match bad.fault {
        PortFault::Zero => "write the first port from 1 on, or `*` for every port",
        PortFault::Colons => "write an entry for each protocol",
        PortFault::TooGreat => "ports end at 65535",
        PortFault::Dashes => "a range is two ports with one `-` between them",
        PortFault::Hosts => "write one destination for each host",
        PortFault::NoProtocol => {
            "write `tcp`, `udp` or another protocol there, or leave the colon out"
        }
        PortFault::Nothing | PortFault::NoPorts => {
            "write `*` for every port, a port such as `443`, or a range such as `8000-8080`"
        }
        PortFault::First if bad.piece.contains(',') => {
            "write an entry for each port; only an acl lists ports with commas"
        }
        _ if bad.piece.starts_with('-') || bad.piece.ends_with('-') => {
            "a range has a port on both sides of its `-`"
        }
        _ if bad.piece.bytes().all(|it| it.is_ascii_digit() || it == b'-') => "ports end at 65535",
        _ => "write its number, a range such as `8000-8080`, or `*` for every port",
    }
}

/// A destination with every port.
pub(super) fn with_all(entry: &str) -> String {
    if entry.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{entry}]:*")
    } else {
        format!("{entry}:*")
    }
}
