//! Tree → [`PolicyFile`]: the top level of the file, section by section.

use super::problem::{Problem, Shape};
use super::reader::{Reader, name_of};
use super::{PolicyFile, Settings, sections};
use crate::cst::{SyntaxNode, SyntaxTree};
use crate::diagnostic::Turn;
use crate::dialect::Dialect;
use crate::span::{LineIndex, Spanned};

/// Every top-level member, spelled as Tailscale does.
pub const SECTIONS: [&str; 19] = [
    "acls",
    "grants",
    "ssh",
    "groups",
    "hosts",
    "tagOwners",
    "ipsets",
    "postures",
    "defaultSrcPosture",
    "autoApprovers",
    "nodeAttrs",
    "tests",
    "sshTests",
    "derpMap",
    "disableIPv4",
    "OneCGNATRoute",
    "randomizeClientPort",
    "attrConfig",
    // Some tailnets have it by arrangement with Tailscale; nobody here reads it.
    "extraDNSRecords",
];

/// Reads a policy file from its tree as a control plane does, and what is wrong with its shape.
///
/// Never fails: what cannot be understood is reported and left out. A text without any value has
/// been reported by the stage before.
pub fn read(tree: &SyntaxTree, dialect: Dialect) -> (PolicyFile, Vec<Problem>) {
    let mut reader = Reader::new(dialect);
    let lines = LineIndex::new(tree.text());
    let mut file = PolicyFile { dialect, lines, ..PolicyFile::default() };
    if let Some(top) = tree.root().values().next() {
        read_top(&mut reader, top, &mut file);
    }
    (file, reader.problems)
}

fn read_top<'t>(reader: &mut Reader<'t>, top: SyntaxNode<'t>, file: &mut PolicyFile) {
    if reader.dialect == Dialect::Headscale && top.text() == "null" {
        return;
    }
    if top.kind() != crate::cst::SyntaxKind::Object {
        if let Some(found) = Shape::of(top) {
            reader.problems.push(Problem::NotAnObject { span: top.span(), found });
        }
        return;
    }
    file.opening = sections::opening(top);
    let Some(values) = reader.fields(top, &SECTIONS) else { return };
    for member in top.members() {
        let name = member.name.string().unwrap_or_default();
        if let Some(known) = SECTIONS.iter().find(|it| reader.is_field(&name, it)) {
            file.sections.push(Spanned::new(known, member.name.inner_span()));
        }
    }
    let [
        acls,
        grants,
        ssh,
        groups,
        hosts,
        tag_owners,
        ipsets,
        postures,
        default_src_posture,
        auto_approvers,
        node_attrs,
        tests,
        ssh_tests,
        derp_map,
        disable_ipv4,
        one_cgnat_route,
        randomize_client_port,
        attr_config,
        extra_dns_records,
    ] = values;

    reader.turn = Turn::Groups;
    file.groups = sections::groups(reader, groups);
    reader.turn = Turn::TagOwners;
    file.tag_owners = sections::tag_owners(reader, tag_owners);
    reader.turn = Turn::Hosts;
    file.hosts = sections::hosts(reader, hosts);
    reader.turn = Turn::Grants;
    file.grants = grants.map(|it| sections::entries(reader, it, sections::grant));
    reader.turn = Turn::Acls;
    file.acls = acls.map(|it| sections::entries(reader, it, sections::acl));
    reader.turn = Turn::NodeAttrs;
    file.node_attrs = sections::optional_entries(reader, node_attrs, sections::node_attr);
    reader.turn = Turn::Ssh;
    file.ssh = sections::optional_entries(reader, ssh, sections::ssh_rule);
    reader.turn = Turn::Others;
    file.ipsets = sections::ipsets(reader, ipsets);
    file.postures = sections::postures(reader, postures);
    file.default_src_posture = reader.texts(default_src_posture);
    file.auto_approvers = sections::auto_approvers(reader, auto_approvers);
    reader.turn = Turn::Tests;
    file.tests = sections::optional_entries(reader, tests, sections::test);
    reader.turn = Turn::SshTests;
    file.ssh_tests = sections::optional_entries(reader, ssh_tests, sections::ssh_test);
    reader.turn = Turn::Others;
    file.settings = Settings {
        derp_map: derp_map.and_then(|it| sections::derp_map(reader, it)),
        disable_ipv4: reader.bool(disable_ipv4),
        one_cgnat_route: sections::one_cgnat_route(reader, one_cgnat_route),
        randomize_client_port: reader.bool(randomize_client_port),
    };
    for (name, node) in [("attrConfig", attr_config), ("extraDNSRecords", extra_dns_records)] {
        if let Some(node) = node {
            reader.problems.push(Problem::WithoutEffect { name, span: name_of(top, node) });
        }
    }
}
