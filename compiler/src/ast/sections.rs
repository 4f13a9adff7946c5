//! One function per section of the file, or per entry of it: object → what is written in it.
//!
//! SOURCE: spec/policy-language.md 2 for the fields and their old names.

use ipnet::IpNet;

use super::problem::{Problem, Shape};
use super::reader::{Reader, compact_json, raw};
use super::*;
use crate::cst::{SyntaxKind, SyntaxNode};

type Node<'t> = SyntaxNode<'t>;

/// The entries of a list section, each read by `entry`; an entry of the wrong shape is left out.
pub(super) fn entries<'t, T>(
    reader: &mut Reader<'t>,
    section: Node<'t>,
    entry: fn(&mut Reader<'t>, Node<'t>) -> Option<T>,
) -> Vec<T> {
    let nodes = reader.list(Some(section));
    nodes.into_iter().filter_map(|it| entry(reader, it)).collect()
}

/// The same for a section that may be missing.
pub(super) fn optional_entries<'t, T>(
    reader: &mut Reader<'t>,
    section: Option<Node<'t>>,
    entry: fn(&mut Reader<'t>, Node<'t>) -> Option<T>,
) -> Vec<T> {
    section.map(|it| entries(reader, it, entry)).unwrap_or_default()
}

/// Of a field and its old name, the one that is there; both together are reported.
fn renamed<'t>(
    reader: &mut Reader<'t>,
    now: (&'static str, Option<Node<'t>>),
    once: (&'static str, Option<Node<'t>>),
) -> Option<Node<'t>> {
    if let (Some(first), Some(second)) = (now.1, once.1) {
        reader.problems.push(Problem::OldNameToo {
            span: second.span(),
            kept: first.span(),
            now: now.0,
            once: once.0,
            turn: reader.turn,
        });
    }
    now.1.or(once.1)
}

pub(super) fn acl<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Acl> {
    let names = &["action", "src", "dst", "proto", "srcPosture", "users", "ports"];
    let [action, src, dst, proto, src_posture, users, ports] = reader.fields(node, names)?;
    let action = match action {
        Some(it) => reader.text(it).map(|it| (it.span, it.value)),
        None => Some((opening(node), "".into())),
    };
    if let Some((span, action)) = action.filter(|it| &*it.1 != "accept") {
        reader.problems.push(Problem::AclAction { span, action });
    }
    let src = renamed(reader, ("src", src), ("users", users));
    let dst = renamed(reader, ("dst", dst), ("ports", ports));
    let nodes = reader.list(dst);
    Some(Acl {
        span: node.span(),
        src: reader.selectors(src),
        dst: nodes.into_iter().filter_map(|it| acl_dst(reader, it)).collect(),
        protocol: proto.and_then(|it| protocol(reader, it)),
        src_posture: reader.texts(src_posture),
    })
}

fn acl_dst<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<AclDst> {
    if node.kind() != SyntaxKind::String {
        reader.wrong_type(node, Shape::String);
        return None;
    }
    let (span, entry) = (node.inner_span(), raw(node));
    let turn = reader.turn;
    let Some((host, ports)) = entry.rsplit_once(':') else {
        reader.problems.push(Problem::NoPorts { span, entry: entry.to_owned(), turn });
        return None;
    };
    // A bare IPv6 address has colons of its own, so what looks like ports is the end of the address.
    if !host.ends_with(']') && entry.parse::<std::net::Ipv6Addr>().is_ok() {
        reader.problems.push(Problem::NoPorts { span, entry: entry.to_owned(), turn });
        return None;
    }
    let middle = span.start + host.len() as u32;
    if host.contains(',') {
        let why = "host cannot contain a comma (\",\")".to_owned();
        let span = Span::new(span.start, middle);
        reader.problems.push(Problem::Ports { span, why, entry: Some(entry.to_owned()), turn });
        return None;
    }
    let ports = reader.ports(ports, Span::new(middle + 1, span.end), entry);
    let bracketed = u32::from(host.starts_with('[') && host.ends_with(']'));
    let selector = reader.selector(node, Span::new(span.start + bracketed, middle - bracketed))?;
    Some(AclDst { selector, ports: ports?, span })
}

fn protocol<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Spanned<Protocol>> {
    let text = reader.text(node)?;
    match ports::read_protocol(&text.value) {
        Ok(protocol) => protocol.map(|it| Spanned::new(it, text.span)),
        Err(why) => {
            reader.problems.push(Problem::Protocol {
                span: text.span,
                written: text.value,
                why,
                turn: reader.turn,
            });
            None
        }
    }
}

pub(super) fn grant<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Grant> {
    let [src, dst, ip, app, via, src_posture] =
        reader.fields(node, &["src", "dst", "ip", "app", "via", "srcPosture"])?;
    let items = reader.texts(ip);
    let before = reader.problems.len();
    let ip: Vec<_> = items.into_iter().filter_map(|it| port_spec(reader, it)).collect();
    let app = app_caps(reader, app, true);
    if ip.is_empty() && app.is_empty() && reader.problems.len() == before {
        reader.problems.push(Problem::GrantsNothing { span: opening(node) });
    }
    Some(Grant {
        span: node.span(),
        src: reader.selectors(src),
        dst: reader.selectors(dst),
        ip,
        app,
        via: reader.selectors(via),
        src_posture: reader.texts(src_posture),
    })
}

fn port_spec(reader: &mut Reader<'_>, text: Spanned<Text>) -> Option<Spanned<PortSpec>> {
    match ports::read_port_spec(&text.value) {
        Ok(spec) => Some(Spanned::new(spec, text.span)),
        Err(why) if why.starts_with("proto name") => {
            let written = text.value.split(':').next().unwrap_or_default().into();
            reader.problems.push(Problem::Protocol {
                span: text.span,
                written,
                why,
                turn: reader.turn,
            });
            None
        }
        Err(why) => {
            reader.problems.push(Problem::Ports {
                span: text.span,
                why,
                entry: None,
                turn: reader.turn,
            });
            None
        }
    }
}

/// The capabilities of `app`; those of a grant have rules for their names.
fn app_caps<'t>(reader: &mut Reader<'t>, node: Option<Node<'t>>, in_grant: bool) -> Vec<AppCap> {
    let mut caps = Vec::new();
    for (name, value) in reader.map(node) {
        if in_grant && let Err(problem) = check_capability(&name) {
            reader.problems.push(problem);
            continue;
        }
        let values = match value {
            None => "null".to_owned(),
            Some(value) if value.kind() == SyntaxKind::Array => compact_json(value),
            Some(value) => {
                reader.wrong_type(value, Shape::List);
                continue;
            }
        };
        caps.push(AppCap { name, values: values.into() });
    }
    caps
}

/// What Tailscale lets users grant of its own capabilities.
///
/// SOURCE: spec/policy-language.md 2.2 (the first four are observed) and 14 item 6 (the rest is documented).
pub const GRANTABLE: [&str; 8] = [
    "tailscale.com/cap/drive",
    "tailscale.com/cap/relay",
    "tailscale.com/cap/webui",
    "tailscale.com/cap/kubernetes",
    "tailscale.com/cap/golink",
    "tailscale.com/cap/tailsql",
    "tailscale.com/cap/tsidp",
    "tailscale.com/cap/secrets",
];

fn check_capability(name: &Spanned<Text>) -> Result<(), Problem> {
    let Spanned { value, span } = name;
    let (domain, path) = value.split_once('/').unwrap_or((value, ""));
    if domain.is_empty() || path.is_empty() || value.contains("://") || !domain.contains('.') {
        return Err(Problem::CapabilityForm { span: *span, name: value.clone() });
    }
    if domain == "tailscale.com" && !GRANTABLE.contains(&&**value) {
        return Err(Problem::ReservedCapability { span: *span, name: value.clone() });
    }
    Ok(())
}

pub(super) fn node_attr<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<NodeAttr> {
    let [target, attr, app, ip_pool] = reader.fields(node, &["target", "attr", "app", "ipPool"])?;
    let pools = reader.texts(ip_pool);
    Some(NodeAttr {
        span: node.span(),
        target: reader.selectors(target),
        attr: reader.texts(attr),
        app: app_caps(reader, app, false),
        ip_pool: pools.into_iter().filter_map(|it| prefix(reader, it)).collect(),
    })
}

fn prefix(reader: &mut Reader<'_>, text: Spanned<Text>) -> Option<Spanned<IpNet>> {
    match selector::read_literal(&text.value) {
        Ok((net, host_bits)) => {
            if host_bits {
                reader.problems.push(Problem::HostBits { span: text.span, meant: net.to_string() });
            }
            Some(Spanned::new(net, text.span))
        }
        Err(why) => {
            let written = text.value.to_string();
            reader.problems.push(Problem::Selector {
                span: text.span,
                written,
                why,
                turn: reader.turn,
            });
            None
        }
    }
}

pub(super) fn ssh_rule<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<SshRule> {
    let names = &[
        "action",
        "src",
        "dst",
        "users",
        "checkPeriod",
        "acceptEnv",
        "srcPosture",
        "recorder",
        "enforceRecorder",
    ];
    let [
        action,
        src,
        dst,
        users,
        check_period,
        accept_env,
        src_posture,
        recorder,
        enforce_recorder,
    ] = reader.fields(node, names)?;
    let action = ssh_action(reader, node, action);
    let users = match users {
        Some(it) => reader.texts(Some(it)),
        None => Vec::new(),
    };
    if users.is_empty() {
        reader.problems.push(Problem::NoSshUsers { span: opening(node) });
    }
    for user in users.iter().filter(|it| matches!(&*it.value, "" | "*")) {
        reader.problems.push(Problem::SshUser { span: user.span, user: user.value.clone() });
    }
    let accept_env = reader.texts(accept_env);
    for pattern in accept_env.iter().filter(|it| it.value.is_empty()) {
        reader.problems.push(Problem::EmptyEnvironment { span: pattern.span });
    }
    Some(SshRule {
        span: node.span(),
        action,
        src: reader.selectors(src),
        dst: reader.selectors(dst),
        users,
        check_period: check_period.and_then(|it| period(reader, it)),
        accept_env,
        src_posture: reader.texts(src_posture),
        recorder: reader.selectors(recorder),
        enforce_recorder: reader.bool(enforce_recorder),
    })
}

fn ssh_action<'t>(
    reader: &mut Reader<'t>,
    rule: Node<'t>,
    node: Option<Node<'t>>,
) -> Option<Spanned<SshAction>> {
    let text = match node {
        Some(it) => reader.text(it)?,
        None => Spanned::new("".into(), opening(rule)),
    };
    // SOURCE: spec/policy-language.md 1.3.5: blanks around it do not matter.
    let action = match text.value.trim_matches([' ', '\t']) {
        "accept" => SshAction::Accept,
        "check" => SshAction::Check,
        _ => {
            reader.problems.push(Problem::SshAction { span: text.span, action: text.value });
            return None;
        }
    };
    Some(Spanned::new(action, text.span))
}

fn period<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Spanned<CheckPeriod>> {
    let text = reader.text(node)?;
    if &*text.value == "always" {
        return Some(Spanned::new(CheckPeriod::Always, text.span));
    }
    let why = match Duration::read(&text.value) {
        None => format!("time: invalid duration {:?}", text.value),
        Some(it) if it < Duration(0) => format!("checkPeriod {it} must be a positive duration"),
        Some(it) if it > Duration::WEEK => format!("checkPeriod {it} is above the max (168h)"),
        Some(it) => return Some(Spanned::new(CheckPeriod::For(it), text.span)),
    };
    reader.problems.push(Problem::Period { span: text.span, written: text.value, why });
    None
}

pub(super) fn test<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Test> {
    let names = &["src", "proto", "accept", "deny", "srcPostureAttrs", "user", "allow"];
    let [src, proto, accept, deny, attrs, user, allow] = reader.fields(node, names)?;
    let src = renamed(reader, ("src", src), ("user", user));
    let accept = renamed(reader, ("accept", accept), ("allow", allow));
    Some(Test {
        span: node.span(),
        src: src.and_then(|it| reader.text(it)),
        proto: proto.and_then(|it| reader.text(it)),
        accept: reader.texts(accept),
        deny: reader.texts(deny),
        src_posture_attrs: posture_attrs(reader, attrs),
    })
}

pub(super) fn ssh_test<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<SshTest> {
    let [src, dst, accept, check, deny, attrs] =
        reader.fields(node, &["src", "dst", "accept", "check", "deny", "srcPostureAttrs"])?;
    Some(SshTest {
        span: node.span(),
        src: src.and_then(|it| reader.text(it)),
        dst: reader.texts(dst),
        accept: reader.texts(accept),
        check: reader.texts(check),
        deny: reader.texts(deny),
        src_posture_attrs: posture_attrs(reader, attrs),
    })
}

fn posture_attrs<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<(Spanned<Text>, Text)> {
    let members = reader.map(node);
    members
        .into_iter()
        .map(|(name, value)| (name, value.map_or("null".into(), |it| compact_json(it).into())))
        .collect()
}

pub(super) fn groups<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<Selector>>>> {
    named(reader, node, "group:", |reader, value| reader.selectors(value))
}

pub(super) fn tag_owners<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<Selector>>>> {
    let mut owners = Vec::new();
    for (name, value) in reader.map(node) {
        let checked = match name.value.strip_prefix("tag:") {
            Some(rest) => selector::check_tag_name(rest),
            None => Err("tags must start with 'tag:'"),
        };
        match checked {
            Ok(()) => {
                let lower = name.map(|it| {
                    if it.bytes().any(|b| b.is_ascii_uppercase()) {
                        it.to_ascii_lowercase().into()
                    } else {
                        it
                    }
                });
                owners.push(Definition { name: lower, value: reader.selectors(value) });
            }
            Err(why) => {
                reader.problems.push(Problem::TagName { span: name.span, name: name.value, why })
            }
        }
    }
    owners
}

pub(super) fn hosts<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Spanned<IpNet>>> {
    let mut hosts = Vec::new();
    for (name, value) in reader.map(node) {
        if name.value.contains(['@', ':']) {
            reader.problems.push(Problem::HostName { span: name.span, name: name.value });
            continue;
        }
        let Some(value) = value else { continue };
        let text = reader.text(value);
        if let Some(value) = text.and_then(|it| prefix(reader, it)) {
            hosts.push(Definition { name, value });
        }
    }
    hosts
}

/// A section whose names must begin with `start`.
fn named<'t, T>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
    start: &'static str,
    read: impl Fn(&mut Reader<'t>, Option<Node<'t>>) -> T,
) -> Vec<Definition<T>> {
    let mut definitions = Vec::new();
    for (name, value) in reader.map(node) {
        let value = read(reader, value);
        if name.value.strip_prefix(start).is_some_and(|rest| !rest.is_empty()) {
            definitions.push(Definition { name, value });
        } else {
            reader.problems.push(Problem::NamePrefix {
                span: name.span,
                name: name.value,
                start,
                turn: reader.turn,
            });
        }
    }
    definitions
}

pub(super) fn ipsets<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Operation>>> {
    named(reader, node, "ipset:", |reader, value| {
        let texts = reader.texts(value);
        texts.into_iter().filter_map(|it| operation(reader, it)).collect()
    })
}

fn operation(reader: &mut Reader<'_>, text: Spanned<Text>) -> Option<Operation> {
    use pest::Parser;
    use selector::{Grammar, Rule};
    let Spanned { value, span } = text;
    let parsed = Grammar::parse(Rule::operation, &value).ok().and_then(|mut it| it.next());
    let mut remove = false;
    for part in parsed.into_iter().flat_map(|it| it.into_inner()) {
        let target = match part.as_rule() {
            Rule::remove => {
                remove = true;
                continue;
            }
            Rule::range => ip_range(part.as_str()),
            Rule::member => ipset_member(part.as_str()),
            _ => continue,
        };
        if let Some(target) = target {
            let prefix = if part.as_str().starts_with("host:") { "host:".len() } else { 0 };
            let (start, end) = (part.as_span().start() + prefix, part.as_span().end());
            // With escapes, bytes of the text and of the value are not the same.
            let name = if value.len() as u32 == span.end - span.start {
                Span::new(span.start + start as u32, span.start + end as u32)
            } else {
                span
            };
            return Some(Operation { span, remove, target, name });
        }
    }
    reader.problems.push(Problem::IpsetOperation { span, written: value });
    None
}

fn ip_range(text: &str) -> Option<IpsetTarget> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (std::net::IpAddr, std::net::IpAddr) =
        (first.parse().ok()?, last.parse().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(IpsetTarget::Range(first, last))
}

fn ipset_member(text: &str) -> Option<IpsetTarget> {
    let selector = match text.strip_prefix("host:") {
        Some(name) => Selector::Host(name.into()),
        None => selector::read(text).ok()?.selector,
    };
    let allowed = matches!(
        selector,
        Selector::Host(_)
            | Selector::Literal(_)
            | Selector::Ipset(_)
            | Selector::Autogroup(Autogroup::Internet)
    );
    let plain_host = matches!(selector, Selector::Host(_)) && !text.starts_with("host:");
    (allowed && !plain_host).then_some(IpsetTarget::Selector(selector))
}

pub(super) fn postures<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<Definition<Vec<Spanned<posture::Assertion>>>> {
    named(reader, node, "posture:", |reader, value| {
        let texts = reader.texts(value);
        let mut assertions = Vec::new();
        for text in texts {
            match posture::read(&text.value) {
                Some(it) => assertions.push(Spanned::new(it, text.span)),
                None => reader
                    .problems
                    .push(Problem::Assertion { span: text.span, written: text.value }),
            }
        }
        assertions
    })
}

pub(super) fn auto_approvers<'t>(reader: &mut Reader<'t>, node: Option<Node<'t>>) -> AutoApprovers {
    let Some(node) = node else { return AutoApprovers::default() };
    let Some([routes, exit_node, services]) =
        reader.fields(node, &["routes", "exitNode", "services"])
    else {
        return AutoApprovers::default();
    };
    let mut approvers =
        AutoApprovers { exit_node: reader.selectors(exit_node), ..AutoApprovers::default() };
    for (name, value) in reader.map(routes) {
        let who = reader.selectors(value);
        approvers.routes.extend(prefix(reader, name).map(|it| (it, who)));
    }
    for (name, value) in reader.map(services) {
        let who = reader.selectors(value);
        match selector::read(&name.value) {
            Ok(read) if matches!(read.selector, Selector::Service(_) | Selector::Tag(_)) => {
                approvers.services.push((Spanned::new(read.selector, name.span), who));
            }
            _ => reader.problems.push(Problem::ServiceName { span: name.span, name: name.value }),
        }
    }
    approvers
}

pub(super) fn one_cgnat_route<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Option<Spanned<Text>> {
    let text = reader.text(node?)?;
    if matches!(&*text.value, "" | "mac-always" | "mac-never") {
        return Some(text);
    }
    reader.problems.push(Problem::CgnatRoute { span: text.span, written: text.value });
    None
}

pub(super) fn derp_map<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<DerpMap> {
    let [omit, regions, _home] =
        reader.fields(node, &["OmitDefaultRegions", "Regions", "HomeParams"])?;
    let mut map = DerpMap { omit_default_regions: reader.bool(omit), regions: Vec::new() };
    for (key, value) in reader.map(regions) {
        match key.value.parse::<u64>() {
            Ok(id) if id > 0 => {
                let region = value.and_then(|it| derp_region(reader, it, id));
                map.regions.push((Spanned::new(id, key.span), region));
            }
            _ => reader.problems.push(Problem::RegionId { span: key.span, written: key.value }),
        }
    }
    Some(map)
}

fn derp_region<'t>(reader: &mut Reader<'t>, node: Node<'t>, id: u64) -> Option<DerpRegion> {
    let names = &[
        "RegionID",
        "RegionCode",
        "RegionName",
        "Nodes",
        "Avoid",
        "NoMeasureNoHome",
        "Latitude",
        "Longitude",
    ];
    let [region_id, code, _name, nodes, ..] = reader.fields(node, names)?;
    if let Some(it) = region_id.filter(|it| it.text() != id.to_string()) {
        reader.problems.push(Problem::RegionMismatch {
            span: it.span(),
            key: id,
            found: it.text().into(),
        });
    }
    let mut hosts = Vec::new();
    for relay in reader.list(nodes) {
        let names = &[
            "HostName",
            "Name",
            "RegionID",
            "CertName",
            "IPv4",
            "IPv6",
            "STUNPort",
            "STUNOnly",
            "DERPPort",
            "InsecureForTests",
            "STUNTestIP",
            "CanPort80",
        ];
        if let Some([host, ..]) = reader.fields(relay, names) {
            hosts.extend(host.and_then(|it| reader.text(it)));
        }
    }
    Some(DerpRegion { code: code.and_then(|it| reader.text(it)), hosts })
}

/// The opening bracket of an object: where something is said of what it lacks.
fn opening(node: Node<'_>) -> Span {
    let start = node.span().start;
    Span::new(start, start + 1)
}
