//! W1008: a prefix in a rule that holds the addresses of all devices.

use ipnet::IpNet;

use super::Subject;
use super::atoms::{DEVICES_V4, DEVICES_V6};
use crate::diagnostic::{Diagnostic, code};
use crate::policy::{Rule, Target};
use crate::span::Span;

/// One report for each rule: whoever writes one family writes the other beside it.
pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    subject.rules().iter().filter_map(|rule| report(subject, rule)).collect()
}

fn report(subject: &Subject<'_>, rule: &Rule) -> Option<Diagnostic> {
    let src = rule.src.iter().map(|it| (it.value, it.span));
    let mut all = src.chain(rule.dst.iter().map(|it| (it.target, it.span)));
    let (target, net, span): (Target, IpNet, Span) = all.find_map(|(target, span)| {
        let net = subject.policy.net(target)?;
        let whole = match net {
            IpNet::V4(net) => net.contains(&DEVICES_V4),
            IpNet::V6(net) => net.contains(&DEVICES_V6),
        };
        whole.then_some((target, net, span))
    })?;
    let family = if net.addr().is_ipv4() { "IPv4" } else { "IPv6" };
    let written = subject.policy.describe(target);
    let found = Diagnostic::new(
        code::W1008,
        format!("`{written}` holds the {family} address of every device"),
        span,
    );
    Some(found.help(
        "write `autogroup:member` for the devices of people, `autogroup:tagged` for all others, or `*` for both; they hold for IPv4 and IPv6",
    ))
}
