//! Entries of `acls`, `grants` and `nodeAttrs` → what is written in them: selectors, ports and
//! protocols.

use super::super::ports::{self, PortFault};
use super::super::problem::Shape;
use super::super::reader::part;
use super::capabilities::{app_caps, connectors};
use super::*;
use crate::dialect::Dialect;

pub(in crate::ast) fn acl<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Acl> {
    let [action, src, dst, proto, src_posture, users, ports] = reader.fields(node, &words::ACL)?;
    match action {
        None if reader.dialect == Dialect::Headscale && !has_action(node) => {
            reader.problems.push(Problem::AcceptsAnyway { span: opening(node) });
        }
        None => no_action(reader, node),
        Some(it) => {
            if let Some(Spanned { value: action, span }) = reader.text(it)
                && &*action != "accept"
            {
                reader.problems.push(Problem::AclAction { span, action });
            }
        }
    }
    let src = renamed(reader, node, ("src", src), ("users", users));
    let dst = renamed(reader, node, ("dst", dst), ("ports", ports));
    let nodes = reader.list(dst);
    Some(Acl {
        span: node.span(),
        src: reader.selectors(src),
        dst: nodes.into_iter().filter_map(|it| acl_dst(reader, it)).collect(),
        protocol: proto.and_then(|it| protocol(reader, it)),
        src_posture: reader.texts(src_posture),
    })
}

/// A destination: the last colon separates the selector from its ports.
fn acl_dst<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<AclDst> {
    let Spanned { value: entry, span } = reader.text(node)?;
    let turn = reader.turn;
    let Some((host, ports)) = entry.rsplit_once(':') else {
        let api = Some("hostport must contain a colon (\":\")".to_owned());
        reader.problems.push(Problem::NoPorts { span, entry, api, turn });
        return None;
    };
    let middle = host.len();
    if reader.dialect == Dialect::Headscale && host.is_empty() {
        reader.problems.push(Problem::NoPorts { span, entry, api: None, turn });
        return None;
    }
    if reader.dialect == Dialect::Tailscale && host.contains(',') {
        let bad = BadPorts { piece: host.to_owned(), start: 0, fault: PortFault::Hosts };
        let span = part(span, &entry, 0..middle);
        reader.problems.push(Problem::Ports { span, bad, entry: Some(entry), turn });
        return None;
    }
    let read = reader.ports(ports);
    if lacks_ports(&entry, host, read.is_ok()) {
        let api = read.err().map(|it| it.to_string());
        reader.problems.push(Problem::NoPorts { span, entry, api, turn });
        return None;
    }
    if reader.dialect == Dialect::Headscale && host.starts_with('[') {
        return bracketed(reader, &entry, span, read);
    }
    let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bracket = usize::from(inner.is_some());
    let place = part(span, &entry, bracket..middle - bracket);
    let selector = reader.selector(inner.unwrap_or(host), place);
    match read {
        Ok(written_ports) => {
            if reader.dialect == Dialect::Headscale {
                let place = part(span, &entry, middle + 1..entry.len());
                let text = Spanned::new(Text::from(ports), place);
                reader.only_headscale(&text, || ports::read_ports(ports));
            }
            Some(AclDst { selector: selector?, ports: written_ports, span })
        }
        Err(bad) => {
            let start = middle + 1 + bad.start;
            let span = part(span, &entry, start..start + bad.piece.len());
            reader.problems.push(Problem::Ports { span, bad, entry: Some(entry), turn });
            None
        }
    }
}

/// A destination with an address in brackets, as headscale reads it.
fn bracketed(
    reader: &mut Reader<'_>,
    entry: &Text,
    span: Span,
    ports: Result<Arc<[PortRange]>, BadPorts>,
) -> Option<AclDst> {
    let host = entry.rsplit_once(':').map_or(&**entry, |it| it.0);
    let (place, turn) = (part(span, entry, 0..host.len()), reader.turn);
    let selector = match headscale::without_brackets(host) {
        Ok(host) => reader.selector(&host, place),
        Err(why) => {
            let written = host.to_owned();
            reader.problems.push(Problem::Selector { span: place, written, why, turn });
            None
        }
    };
    match ports {
        Ok(ports) => Some(AclDst { selector: selector?, ports, span }),
        Err(bad) => {
            let entry = Some(Arc::clone(entry));
            reader.problems.push(Problem::Ports { span, bad, entry, turn });
            None
        }
    }
}

/// Whether the last colon of a destination belongs to its selector: `tag:db`, `fd00::1`.
fn lacks_ports(entry: &str, host: &str, reads: bool) -> bool {
    let kind = matches!(host, "group" | "tag" | "autogroup" | "ipset" | "svc");
    if kind && !reads {
        return true;
    }
    // `fd00::1:443` is port 443 of `fd00::1`, and would be an address as well.
    let is_address = |text: &str| selector::read_literal(text).is_ok();
    is_address(entry) && !(reads && is_address(host))
}

fn protocol<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Spanned<Protocol>> {
    let text = match reader.dialect {
        // Numbers may stand there without quotes.
        Dialect::Headscale if Shape::of(node) == Some(Shape::Number) => {
            Spanned::new(node.text().into(), node.span())
        }
        _ => reader.text(node)?,
    };
    match reader.protocol(&text.value) {
        Ok(protocol) => {
            reader.only_headscale(&text, || ports::read_protocol(&text.value));
            protocol.map(|it| Spanned::new(it, text.span))
        }
        Err(bad) => {
            let (span, turn) = (text.span, reader.turn);
            reader.problems.push(Problem::Ports { span, bad, entry: None, turn });
            None
        }
    }
}

pub(in crate::ast) fn grant<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Grant> {
    let [src, dst, ip, app, via, src_posture] = reader.fields(node, &words::GRANT)?;
    // A grant of nothing is reported only where nothing else is wrong with what it gives.
    let before = reader.problems.len();
    let items = reader.texts(ip);
    let ip: Vec<_> = items.into_iter().flat_map(|it| port_specs(reader, it)).collect();
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

fn port_specs(reader: &mut Reader<'_>, text: Spanned<Text>) -> Vec<Spanned<PortSpec>> {
    match reader.port_specs(&text.value) {
        Ok(specs) => {
            reader.only_headscale(&text, || ports::read_port_spec(&text.value));
            specs.iter().map(|it| Spanned::new(*it, text.span)).collect()
        }
        Err(bad) => {
            let span = part(text.span, &text.value, bad.start..bad.start + bad.piece.len());
            reader.problems.push(Problem::Ports { span, bad, entry: None, turn: reader.turn });
            Vec::new()
        }
    }
}

pub(in crate::ast) fn node_attr<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<NodeAttr> {
    let [target, attr, app, ip_pool] = reader.fields(node, &words::NODE_ATTR)?;
    let pools = reader.texts(ip_pool);
    Some(NodeAttr {
        span: node.span(),
        target: reader.selectors(target),
        attr: reader.texts(attr),
        app: app_caps(reader, app, false),
        connectors: connectors(app),
        ip_pool: pools.into_iter().filter_map(|it| prefix(reader, it)).collect(),
    })
}
