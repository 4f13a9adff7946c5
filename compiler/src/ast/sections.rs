//! One function per section of the file, or per entry of it: object → what is written in it.
//!
//! This file holds what they share. SOURCE: docs/language.md, "Rules" for the fields and their old
//! names.

mod assertions;
mod capabilities;
mod definitions;
mod derp_map;
mod rules;
mod settings;
mod ssh;

use ipnet::IpNet;

use super::problem::Problem;
use super::reader::{Reader, name_of};
use super::*;
use crate::cst::SyntaxNode;
use crate::diagnostic::{Turn, similar};
use crate::dialect::Dialect;

pub(super) use assertions::{ssh_test, test};
pub use capabilities::GRANTABLE;
pub(super) use definitions::{groups, hosts, ipsets, postures, tag_owners};
pub(super) use derp_map::derp_map;
pub(super) use rules::{acl, grant, node_attr};
pub(super) use settings::{auto_approvers, one_cgnat_route};
pub(super) use ssh::ssh_rule;

type Node<'t> = SyntaxNode<'t>;

/// The entries of a list section, each read by `entry`; an entry of the wrong shape is left out.
pub(super) fn entries<'t, T>(
    reader: &mut Reader<'t>,
    section: Node<'t>,
    entry: fn(&mut Reader<'t>, Node<'t>) -> Option<T>,
) -> Vec<T> {
    let mut nodes = reader.list(Some(section));
    // To headscale an acl that is null is an empty one.
    let empty = reader.dialect == Dialect::Headscale && reader.turn == Turn::Acls;
    nodes.retain(|it| !empty || it.text() != "null");
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
    object: Node<'t>,
    now: (&'static str, Option<Node<'t>>),
    once: (&'static str, Option<Node<'t>>),
) -> Option<Node<'t>> {
    if let (Some(first), Some(second)) = (now.1, once.1) {
        reader.problems.push(Problem::OldNameToo {
            span: name_of(object, second),
            kept: name_of(object, first),
            now: now.0,
            once: once.0,
            turn: reader.turn,
        });
    }
    now.1.or(once.1)
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

/// The opening bracket of an object: where something is said of what it lacks.
pub(super) fn opening(node: Node<'_>) -> Span {
    let start = node.span().start;
    Span::new(start, start + 1)
}

/// Whether an object has an `action`, whatever it is.
fn has_action(object: Node<'_>) -> bool {
    let is_action =
        |it: SyntaxNode<'_>| it.string().is_some_and(|it| it.eq_ignore_ascii_case("action"));
    object.members().any(|it| is_action(it.name))
}

/// That an object has no `action`, or null for one. A name that is nearly it has been reported.
fn no_action(reader: &mut Reader<'_>, object: Node<'_>) {
    let is_misspelt = |it: SyntaxNode<'_>| {
        it.string().is_some_and(|it| {
            !it.eq_ignore_ascii_case("action") && similar(&it, ["action"]).is_some()
        })
    };
    if object.members().any(|it| is_misspelt(it.name)) {
        return;
    }
    let is_null = has_action(object);
    reader.problems.push(Problem::NoAction { span: opening(object), turn: reader.turn, is_null });
}
