//! One entry of `acls` → the grants that are equal to it.

use super::Obstacle;
use super::list::{Item, List, own_line};
use crate::ast::ports::protocol_name;
use crate::ast::{self, Acl, Autogroup, PortRange, Protocol, Selector};
use crate::cst::{Member, SyntaxKind, SyntaxNode};
use crate::dialect::Dialect;
use crate::span::Span;
use crate::tables::wire::quoted;

/// Destinations of an acl with the same ports: what becomes one grant.
struct Group {
    /// In the order of their numbers.
    ports: Vec<PortRange>,
    /// Whether `*` as a source means the people of the tailnet here: as sources of their own devices a
    /// grant takes nobody else.
    people: bool,
    /// Where each destination stands that is kept, between its quotes.
    kept: Vec<Span>,
    /// Where those stand that name one of them again.
    again: Vec<Span>,
}

/// The members of an acl by what they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Action,
    Src,
    Dst,
    Protocol,
    Posture,
    /// A member that only headscale takes, and does not read.
    Ignored,
}

/// The texts of the grants that an acl becomes, as items in the place of its own.
pub(super) fn grants(
    text: &str,
    item: &Item,
    node: SyntaxNode<'_>,
    acl: &Acl,
    dialect: Dialect,
) -> Result<Vec<Item>, Obstacle> {
    if dialect == Dialect::Headscale {
        let written = acl.dst.iter().find(
            |it| matches!(it.selector.value, Selector::Literal(net) if net.prefix_len() == 0),
        );
        if let Some(dst) = written {
            let written = dst.selector.value.to_string().into();
            return Err(Obstacle::NoEqual { span: dst.span, written });
        }
    }
    let rule = Rule { text, node, acl, dialect };
    let mut groups = rule.groups();
    if groups.is_empty() {
        let ports = vec![PortRange::ALL];
        groups.push(Group { ports, people: false, kept: Vec::new(), again: Vec::new() });
    }
    let mut items = Vec::with_capacity(groups.len());
    for (at, group) in groups.iter().enumerate() {
        if at == 0 {
            let body = rule.in_place(group);
            items.push(Item { body: Some(body), ..item.clone() });
        } else {
            let above = Some(blanks(&item.lead)).filter(|it| it.contains('\n'));
            let lead = own_line(text, node.span().start).or(above).unwrap_or(rule.blank());
            items.push(Item::new(lead, rule.copy(group)));
        }
    }
    Ok(items)
}

struct Rule<'t> {
    text: &'t str,
    node: SyntaxNode<'t>,
    acl: &'t Acl,
    dialect: Dialect,
}

impl<'t> Rule<'t> {
    /// Destinations by their ports, in the order of the first of each.
    fn groups(&self) -> Vec<Group> {
        struct Reached<'t> {
            selector: &'t Selector,
            ports: Vec<PortRange>,
            kept: Span,
            again: Vec<Span>,
        }
        let mut reached: Vec<Reached<'_>> = Vec::new();
        for dst in &self.acl.dst {
            let selector = &dst.selector.value;
            match reached.iter_mut().find(|it| it.selector == selector) {
                Some(first) => {
                    first.ports.extend(dst.ports.iter());
                    first.again.push(dst.span);
                }
                None => {
                    let ports = dst.ports.to_vec();
                    reached.push(Reached { selector, ports, kept: dst.span, again: Vec::new() });
                }
            }
        }
        let any = self.acl.src.iter().any(|it| it.value == Selector::Any);
        let mut groups: Vec<Group> = Vec::new();
        for Reached { selector, mut ports, kept, again } in reached {
            ports.sort_unstable();
            ports.dedup();
            if ports.contains(&PortRange::ALL) {
                ports = vec![PortRange::ALL];
            }
            let people = any && *selector == Selector::Autogroup(Autogroup::OwnDevices);
            match groups.iter_mut().find(|it| it.ports == ports && it.people == people) {
                Some(group) => {
                    group.kept.push(kept);
                    group.again.extend(again);
                }
                None => groups.push(Group { ports, people, kept: vec![kept], again }),
            }
        }
        groups
    }

    /// What stands behind colons and commas: nothing in the JSON of programs.
    fn blank(&self) -> &'static str {
        let tight = |it: Member<'_>| {
            it.value.is_some_and(|value| value.span().start == it.name.span().end + 1)
        };
        if self.node.members().next().is_some_and(tight) { "" } else { " " }
    }

    fn part(&self, member: &Member<'_>) -> Part {
        let name = member.name.string().unwrap_or_default();
        let is = |field: &str| match self.dialect {
            Dialect::Tailscale => name.eq_ignore_ascii_case(field),
            Dialect::Headscale => ast::headscale::is_field(&name, field),
        };
        match () {
            () if name.starts_with('#') => Part::Ignored,
            () if is("action") => Part::Action,
            () if is("src") || is("users") => Part::Src,
            () if is("dst") || is("ports") => Part::Dst,
            () if is("proto") => Part::Protocol,
            () => Part::Posture,
        }
    }

    /// The acl itself, made a grant of the first group: all else of it stays where it stands.
    fn in_place(&self, group: &Group) -> String {
        let mut list = List::of(self.text, self.node);
        let members: Vec<Member<'_>> = self.node.members().collect();
        let ip = self.ip(group);
        let mut written = false;
        let mut items = Vec::with_capacity(list.items.len() + 1);
        // Where the protocol has comments, what it becomes stands by them.
        let at_protocol = |item: &Item, part: Part| part == Part::Protocol && item.has_comments();
        let has_place = list
            .items
            .iter()
            .zip(&members)
            .any(|(item, member)| at_protocol(item, self.part(member)));
        for (mut item, member) in list.items.into_iter().zip(&members) {
            let part = self.part(member);
            match part {
                Part::Protocol if at_protocol(&item, part) => {
                    item.body = Some(ip.clone());
                    written = true;
                }
                Part::Action | Part::Protocol => item.body = None,
                Part::Ignored => {
                    let words = member.node.text().replace("*/", "* /");
                    item.lead = format!("{}/* {words} */", item.lead);
                    item.body = None;
                }
                Part::Src => item.body = Some(self.member("src", member, self.src(group, member))),
                Part::Dst => {
                    let dst = self.dst(group, member, true);
                    item.body = Some(self.member("dst", member, dst));
                }
                Part::Posture => {}
            }
            items.push(item);
            if part == Part::Dst && !has_place {
                let lead = own_line(self.text, member.node.span().start).unwrap_or(self.blank());
                items.push(Item::new(lead, ip.clone()));
                written = true;
            }
        }
        if !written {
            items.push(Item::new(if items.is_empty() { "" } else { self.blank() }, ip));
        }
        list.items = items;
        list.render()
    }

    /// A further grant, of another group: the comments of the acl stay with the first.
    fn copy(&self, group: &Group) -> String {
        let members: Vec<Member<'_>> = self.node.members().collect();
        let line = |it: &Member<'_>| own_line(self.text, it.node.span().start);
        let lead = members.iter().find_map(line);
        let mut items = Vec::new();
        for part in [Part::Src, Part::Dst, Part::Posture] {
            let Some(member) = members.iter().find(|it| self.part(it) == part) else { continue };
            let value = match part {
                Part::Src => self.plain(group, member),
                Part::Dst => self.dst(group, member, false),
                _ => self.plain(group, member),
            };
            let name = match part {
                Part::Src => "src",
                Part::Dst => "dst",
                _ => "srcPosture",
            };
            let lead = lead.unwrap_or(if items.is_empty() { "" } else { self.blank() });
            items.push(Item::new(lead, format!("\"{name}\":{}{value}", self.blank())));
            if part == Part::Dst {
                let lead = if lead.is_empty() { self.blank() } else { lead };
                items.push(Item::new(lead, self.ip(group)));
            }
        }
        let own = List::of(self.text, self.node);
        let bracket = self.node.span().end.saturating_sub(1);
        let close = own_line(self.text, bracket).unwrap_or_default().to_owned() + "}";
        List { open: "{".to_owned(), items, close, trailing: own.trailing }.render()
    }

    /// A member under the name that grants have for it.
    fn member(&self, name: &str, member: &Member<'_>, value: String) -> String {
        let Some(old) = member.value else { return member.node.text().to_owned() };
        let written = member.name.string().unwrap_or_default();
        let legacy = ["users", "ports"].iter().any(|it| written.eq_ignore_ascii_case(it));
        let name = if legacy { format!("\"{name}\"") } else { member.name.text().to_owned() };
        let between = Span::new(member.name.span().end, old.span().start).of(self.text);
        name + between + &value
    }

    /// The sources, as they are written.
    fn src(&self, group: &Group, member: &Member<'_>) -> String {
        let Some(value) = member.value else { return "[]".to_owned() };
        if !group.people || value.kind() != SyntaxKind::Array {
            return value.text().to_owned();
        }
        let mut list = List::of(self.text, value);
        for (item, node) in list.items.iter_mut().zip(value.values()) {
            item.body = Some(person(node, group));
        }
        list.render()
    }

    /// A list on one line, without comments.
    fn plain(&self, group: &Group, member: &Member<'_>) -> String {
        let values = member.value.into_iter().flat_map(SyntaxNode::values);
        let values: Vec<String> = values.map(|it| person(it, group)).collect();
        format!("[{}]", values.join(&format!(",{}", self.blank())))
    }

    /// The destinations of a group without their ports, each with its comments; `first` where the
    /// comments of no destination stay, too.
    fn dst(&self, group: &Group, member: &Member<'_>, first: bool) -> String {
        let Some(value) = member.value else { return "[]".to_owned() };
        if value.kind() != SyntaxKind::Array {
            return value.text().to_owned();
        }
        let mut list = List::of(self.text, value);
        for (item, node) in list.items.iter_mut().zip(value.values()) {
            let span = node.inner_span();
            if group.kept.contains(&span) {
                item.body = Some(host(node));
            } else if group.again.contains(&span) {
                item.body = None;
            } else {
                *item = Item { lead: blanks(&item.lead).to_owned(), ..Item::default() };
            }
        }
        if !first {
            list.close = blanks(&list.close).to_owned() + "]";
        }
        list.render()
    }

    /// `"ip": ["tcp:443"]`
    fn ip(&self, group: &Group) -> String {
        let protocol = self.acl.protocol.map(|it| self.protocol(it.value));
        let one = |ports: &PortRange| match &protocol {
            Some(protocol) => format!("\"{protocol}:{ports}\""),
            None => format!("\"{ports}\""),
        };
        let all: Vec<String> = group.ports.iter().map(one).collect();
        let blank = self.blank();
        format!("\"ip\":{blank}[{}]", all.join(&format!(",{blank}")))
    }

    /// A protocol by its name, where the control plane knows that in a grant.
    fn protocol(&self, protocol: Protocol) -> String {
        match (self.dialect, protocol) {
            (Dialect::Headscale, 33 | 99) => protocol.to_string(),
            _ => protocol_name(protocol),
        }
    }
}

/// The blanks that a text begins with, up to a comment.
fn blanks(text: &str) -> &str {
    let rest = text.trim_start();
    text.get(..text.len() - rest.len()).unwrap_or_default()
}

/// A source as a grant has it.
fn person(node: SyntaxNode<'_>, group: &Group) -> String {
    match node.string() {
        Some(text) if group.people && text.trim() == "*" => "\"autogroup:member\"".to_owned(),
        _ => node.text().to_owned(),
    }
}

/// A destination without its ports, and without the brackets of an address.
fn host(node: SyntaxNode<'_>) -> String {
    let entry = node.string().unwrap_or_default();
    let host = entry.rsplit_once(':').map_or(&*entry, |it| it.0);
    match host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((address, length)) => quoted(&format!("{address}{length}")),
        None => quoted(host),
    }
}
