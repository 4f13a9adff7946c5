//! A problem of the file's shape → what headscale answers, and where its words differ what to do.
//!
//! The decoder stops at the first problem in the order of the file, and names the Go type it was
//! filling and the JSON Pointer of the place. What passes it is validated, and of that all problems
//! are answered together.
//!
//! SOURCE: docs/headscale.md, "What it answers".

use super::{Problem, Shape};
use crate::ast::headscale::AUTOGROUPS;
use crate::ast::ports::{BadPorts, PortFault};
use crate::ast::selector::Malformed;
use crate::cst::{Pointer, SyntaxTree};
use crate::diagnostic::answer::FRAME;
use crate::diagnostic::{Diagnostic, Refusal, Turn, code};
use crate::dialect::{Dialect, HEADSCALE};
use crate::span::Span;

/// Where a problem stands in the document.
pub(crate) struct Site {
    pointer: Pointer,
    written: String,
    /// The JSON type of the innermost value.
    json: &'static str,
}

impl Site {
    pub(crate) fn of(tree: &SyntaxTree, span: Span) -> Self {
        let node = tree.node_at(span.start);
        let json = Shape::of(node).map_or("string", json);
        Self { pointer: Pointer::to(tree, span), written: span.of(tree.text()).to_owned(), json }
    }

    /// The section and, within an entry of it, the field; as headscale compares names.
    pub(crate) fn field(&self) -> (String, String) {
        let plain = |at: usize| {
            let name = self.pointer.tokens.get(at).map_or("", String::as_str);
            name.replace(['_', '-'], "").to_ascii_lowercase()
        };
        let section = plain(0);
        // The members of `autoApprovers` stand in no list.
        let field = if section == "autoapprovers" { plain(1) } else { plain(2) };
        (section, field)
    }

    /// The name or position of the innermost value: in a section that defines names, the name.
    pub(crate) fn defined(&self) -> &str {
        self.pointer.tokens.get(1).map_or("", String::as_str)
    }

    /// The text here.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The decoder stops here, at a value that the type cannot hold.
    pub(crate) fn decode(&self, go: &str, text: &str) -> Refusal {
        self.decode_at(self.pointer.tokens.len(), self.json, go, Some(text))
    }

    /// The decoder stops at the value so many steps from the top.
    pub(crate) fn decode_at(
        &self,
        steps: usize,
        json: &str,
        go: &str,
        text: Option<&str>,
    ) -> Refusal {
        let pointer = self.pointer.upto(steps).to_string();
        let within = if pointer.is_empty() { pointer } else { format!(" within {pointer:?}") };
        let text = text.map_or_else(String::new, |it| format!(": {it}"));
        decoder(&format!("json: cannot unmarshal JSON {json} into Go {go}{within}{text}"))
    }

    /// The Go type of a selector here that is read on its own, or `None` in an acl's destination.
    pub(crate) fn selector(&self, written: &str) -> Refusal {
        let (section, field) = self.field();
        match (&*section, &*field) {
            ("acls", "dst") => {
                self.decode("v2.AliasWithPorts", &format!("invalid alias format: {written:?}"))
            }
            ("tagowners", _) => {
                self.decode("v2.OwnerEnc", &format!("invalid owner format: {written:?}"))
            }
            ("autoapprovers", _) => {
                let text = format!("invalid auto approver format: {written:?}");
                self.decode("v2.AutoApproverEnc", &text)
            }
            ("groups", _) => self.groups(&format!("username must contain @, got: {written:?}")),
            (_, "via") => validator(Turn::Fields, "via can only be a tag"),
            _ => self.decode("v2.AliasEnc", &format!("invalid alias format: {written:?}")),
        }
    }

    /// The decoder stops somewhere in `groups`, and says only that.
    pub(crate) fn groups(&self, text: &str) -> Refusal {
        self.decode_at(1, "object", "v2.Groups", Some(text))
    }

    /// An autogroup that may not stand here, or that there is not.
    pub(crate) fn autogroup(&self, written: &str) -> Refusal {
        let (section, field) = self.field();
        let list = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|it| format!("autogroup:{it}")).collect();
            names.join(" ")
        };
        let known =
            AUTOGROUPS.iter().any(|it| written.strip_prefix("autogroup:") == Some(it.name()));
        let not_in = |turn, what: &str, names: &[&str]| {
            let names = list(names);
            validator(
                turn,
                &format!("autogroup not supported for {what}: {written:?}, can be [{names}]"),
            )
        };
        let only_dst = "autogroup:internet can only be used in ACL destinations";
        let (src, dst) =
            (["member", "tagged", "danger-all"], ["internet", "member", "tagged", "self"]);
        match (&*section, &*field) {
            ("acls", "dst") if !known => {
                let all = list(&AUTOGROUPS.map(|it| it.name()));
                let text = format!("invalid autogroup: got {written:?}, must be one of [{all}]");
                self.decode("v2.AliasWithPorts", &text)
            }
            ("acls" | "grants", "dst") if written == "autogroup:danger-all" => {
                validator(turn(&section), "cannot use autogroup:danger-all as a dst")
            }
            ("acls" | "grants", "dst") => not_in(turn(&section), "ACL destinations", &dst),
            ("acls" | "grants" | "ssh", "src" | "dst") if written == "autogroup:internet" => {
                validator(turn(&section), only_dst)
            }
            ("acls" | "grants", "src") if written == "autogroup:self" => {
                validator(turn(&section), "\"autogroup:self\" not valid on the src side of a rule")
            }
            ("acls" | "grants", "src") => not_in(turn(&section), "ACL sources", &src),
            ("ssh", "src") => not_in(Turn::Ssh, "SSH sources", &["member", "tagged"]),
            ("ssh", "dst") => not_in(Turn::Ssh, "SSH destinations", &["member", "tagged", "self"]),
            ("nodeattrs", _) => {
                let names = list(&["member", "tagged"]);
                let what = "nodeAttrs target does not support this autogroup";
                validator(Turn::NodeAttrs, &format!("{what}: {written:?}, can be [{names}]"))
            }
            _ => self.selector(written),
        }
    }

    /// A value of the wrong JSON type.
    fn wrong_type(&self, found: Shape) -> Option<Refusal> {
        let tokens = &self.pointer.tokens;
        let (section, field) = self.field();
        match (&*section, tokens.len(), &*field, found) {
            ("acls" | "grants", 4, "src" | "dst", Shape::Null)
                if (&*section, &*field) != ("acls", "dst") =>
            {
                return Some(validator(turn(&section), "host not defined in policy: \"\""));
            }
            ("grants", 2, _, Shape::Null) => {
                return Some(validator(Turn::Grants, "ip and app can not both be empty"));
            }
            ("ssh", 2, _, Shape::Null) => {
                let text =
                    "multiple errors:\n\taction must be specified\n\tusers must be specified";
                return Some(validator(Turn::Ssh, text));
            }
            ("groups", 2, ..) => {
                let got = match found {
                    Shape::String => format!("string: {:?}", self.written.trim_matches('"')),
                    _ => go_type(found).to_owned(),
                };
                let group = self.defined();
                return Some(self.groups(&format!(
                    "group value must be an array of users: group {group:?} got {got}"
                )));
            }
            ("groups", 3, ..) => {
                let (group, got) = (self.defined(), go_type(found));
                let what = "invalid group member type";
                return Some(
                    self.groups(&format!("{what}: group {group:?} expected string but got {got}")),
                );
            }
            ("hosts", 2, _, Shape::Null) => {
                let host = self.defined();
                let text =
                    format!("hostname contains invalid IP address: hostname {host:?} address \"\"");
                return Some(self.decode_at(1, "object", "v2.Hosts", Some(&text)));
            }
            _ => {}
        }
        let text = format!("type not supported: {}", go_type(found));
        let go = match (&*section, tokens.len(), &*field) {
            (_, 0, _) => "v2.Policy",
            ("acls", 1, _) => "[]v2.ACL",
            ("grants", 1, _) => "[]v2.Grant",
            ("ssh", 1, _) => "[]v2.SSH",
            ("nodeattrs", 1, _) => "[]v2.NodeAttrGrant",
            ("groups", 1, _) => "map[string]interface {}",
            ("hosts", 1, _) => "map[string]string",
            ("tagowners", 1, _) => "v2.TagOwners",
            ("autoapprovers", 1, _) => "v2.AutoApproverPolicy",
            ("randomizeclientport", 1, _) => "bool",
            ("acls", 2, _) => "map[string]interface {}",
            ("grants", 2, _) => "v2.Grant",
            ("ssh", 2, _) => "v2.SSH",
            ("nodeattrs", 2, _) => "v2.NodeAttrGrant",
            ("hosts", 2, _) => "string",
            ("tagowners", 2, _) => "[]v2.OwnerEnc",
            ("tagowners", 3, _) => "string",
            ("acls", 3, "dst") => "[]v2.AliasWithPorts",
            ("acls", 4, "dst") => {
                return Some(self.decode_at(4, json(found), "v2.AliasWithPorts", Some(&text)));
            }
            ("acls" | "grants" | "ssh", 3, "src" | "dst") => "[]v2.AliasEnc",
            ("nodeattrs", 3, "target") => "[]v2.AliasEnc",
            ("grants", 3, "via") => "[]v2.Tag",
            ("grants", 3, "ip") => "[]v2.ProtocolPort",
            ("grants", 3, "app") => "tailcfg.PeerCapMap",
            ("ssh", 3, "users") => "v2.SSHUsers",
            ("ssh", 4, "users") => "v2.SSHUser",
            ("ssh", 3, "acceptenv") => "[]string",
            ("nodeattrs", 3, "attr") => "[]tailcfg.NodeCapability",
            (
                "acls" | "grants" | "ssh" | "nodeattrs",
                4,
                "src" | "dst" | "target" | "acceptenv",
            ) => "string",
            _ => return None,
        };
        Some(self.decode_at(tokens.len(), json(found), go, None))
    }
}

/// When the validator comes to a section.
fn turn(section: &str) -> Turn {
    match section {
        "acls" => Turn::Acls,
        "grants" => Turn::Grants,
        "ssh" => Turn::Ssh,
        "nodeattrs" => Turn::NodeAttrs,
        "tagowners" => Turn::TagOwners,
        _ => Turn::Others,
    }
}

/// What Go makes of a value whose type it does not know.
const fn go_type(shape: Shape) -> &'static str {
    match shape {
        Shape::Object => "map[string]interface {}",
        Shape::List => "[]interface {}",
        Shape::String => "string",
        Shape::Number => "float64",
        Shape::Bool => "bool",
        Shape::Null => "<nil>",
    }
}

const fn json(shape: Shape) -> &'static str {
    match shape {
        Shape::Object => "object",
        Shape::List => "array",
        Shape::String => "string",
        Shape::Number => "number",
        Shape::Bool => "boolean",
        Shape::Null => "null",
    }
}

/// The decoder stops with these words.
fn decoder(text: &str) -> Refusal {
    let message = format!("{FRAME}parsing policy from bytes: {text}");
    Refusal { by: Dialect::Headscale, turn: Turn::Fields, message: Some(message) }
}

/// One of what the validator finds; with [`Turn::Fields`] what stops the decoder without its frame.
pub(crate) fn validator(turn: Turn, text: &str) -> Refusal {
    Refusal { by: Dialect::Headscale, turn, message: Some(format!("{FRAME}{text}")) }
}

/// A refusal of which only the fact is known.
pub(crate) fn in_other_words(tailscale: Refusal) -> Refusal {
    Refusal { by: Dialect::Headscale, message: None, ..tailscale }
}

/// That it is refused in words nobody has seen.
fn somehow(turn: Turn) -> Option<Refusal> {
    Some(Refusal { by: Dialect::Headscale, turn, message: None })
}

/// A finding in the text itself as headscale answers it, given that of Tailscale: both use one library.
pub(crate) fn reword(mut it: Diagnostic, tree: &SyntaxTree) -> Diagnostic {
    if it.code == code::E0110 {
        it.refusal = Some(duplicate(tree, it.span));
    } else if it.code == code::E0005 && tree.text().is_empty() {
        // It is taken, and the old rules stay in force.
        it.refusal = None;
        it.help =
            Some("write `{}`: for an empty file the server keeps the rules that it has".to_owned());
    } else if let Some(refusal) = &mut it.refusal {
        refusal.by = Dialect::Headscale;
        let library = |it: &mut String| *it = format!("{FRAME}parsing HuJSON: hujson: {it}");
        refusal.message.iter_mut().for_each(library);
    }
    it
}

/// What headscale answers to a name that stands twice in an object.
fn duplicate(tree: &SyntaxTree, span: Span) -> Refusal {
    let mut pointer = Pointer::to(tree, span);
    let name = pointer.tokens.pop().unwrap_or_default();
    let within = pointer.to_string();
    let within = if within.is_empty() { within } else { format!(" within {within:?}") };
    decoder(&format!("jsontext: duplicate object member name {name:?}{within}"))
}

/// The words of headscale for ports and protocols that it cannot read.
fn ports(bad: &BadPorts) -> String {
    let piece = &bad.piece;
    let why = match bad.fault {
        PortFault::Protocol if piece == "*" => {
            return "proto name \"*\" not known; use protocol number 0-255 or protocol name (icmp, tcp, udp, etc.)".to_owned();
        }
        PortFault::Protocol => return protocol(piece),
        PortFault::Colons => {
            let parts: Vec<&str> = piece.split(':').collect();
            return format!(
                "expected only one colon in Internet protocol and port type, got: [{}]({})",
                parts.join(" "),
                parts.len()
            );
        }
        PortFault::Dashes => "invalid port range format",
        PortFault::Zero => "first port must be >0, or use '*' for wildcard",
        PortFault::Reversed => "invalid port range: first port is greater than last port",
        PortFault::TooGreat => "port number out of range",
        _ => "invalid first integer",
    };
    format!("port range {piece:?}: {why}")
}

fn protocol(piece: &str) -> String {
    let digits = !piece.is_empty() && piece.bytes().all(|it| it.is_ascii_digit());
    if digits && piece.starts_with('0') {
        format!("leading 0 not permitted in protocol number: {piece:?}")
    } else if digits {
        format!("protocol number out of range (0-255): {piece}")
    } else {
        format!(
            "invalid protocol number: {piece:?} must be a known protocol name or valid protocol number 0-255"
        )
    }
}

impl Problem {
    /// The report of a problem in a file that is to go to headscale; without a tree its answer is
    /// left open.
    pub(crate) fn report_for_headscale(&self, tree: Option<&SyntaxTree>) -> Diagnostic {
        let mut it = self.report();
        it.refusal = match tree {
            Some(tree) => self.headscale_refusal(&Site::of(tree, it.span), tree, it.refusal.take()),
            None => it.refusal.map(in_other_words),
        };
        if matches!(self, Self::Selector { why: Malformed::Autogroup, .. }) {
            let names = AUTOGROUPS.map(|it| format!("`autogroup:{}`", it.name())).join(", ");
            it.help = Some(format!("{HEADSCALE} has only {names}"));
            it.fixes.clear();
        }
        it
    }

    fn headscale_refusal(
        &self,
        site: &Site,
        tree: &SyntaxTree,
        tailscale: Option<Refusal>,
    ) -> Option<Refusal> {
        let same = |turn| {
            let message = tailscale.as_ref().and_then(|it| it.message.as_deref())?;
            Some(validator(turn, message))
        };
        match self {
            Self::NotInHeadscale { name, .. } | Self::UnknownField { name, .. } => {
                Some(validator(Turn::Fields, &format!("unknown field: {name:?}")))
            }
            Self::IgnoredField { .. }
            | Self::AcceptsAnyway { .. }
            | Self::OnlyHeadscale { .. }
            | Self::UnusualSpelling { .. }
            | Self::CapMember { .. }
            | Self::CapType { .. }
            | Self::CapValue { .. }
            | Self::HostBits { .. }
            | Self::WithoutEffect { .. } => None,
            Self::Repeated { span, .. } => Some(duplicate(tree, *span)),
            Self::NotAnObject { found, .. } => site.wrong_type(*found),
            Self::WrongType { found, .. } => {
                site.wrong_type(*found).or_else(|| somehow(Turn::Fields))
            }
            Self::Selector { written, why: Malformed::Autogroup, .. } => {
                Some(site.autogroup(written))
            }
            Self::Selector { why: Malformed::Brackets, .. } => somehow(Turn::Fields),
            Self::Selector { written, .. } => self.hosts_address(site, written),
            Self::Ports { bad, entry: Some(_), .. } if bad.fault == PortFault::NoPorts => {
                Some(site.decode("v2.AliasWithPorts", "input cannot end with a colon character"))
            }
            Self::Ports { bad, entry: Some(entry), .. } => Some(
                site.decode("v2.AliasWithPorts", &format!("dst={:?}: {}", &**entry, ports(bad))),
            ),
            Self::Ports { bad, entry: None, .. } => {
                let (section, _) = site.field();
                let go = if section == "grants" { "v2.ProtocolPort" } else { "v2.Protocol" };
                Some(site.decode(go, &ports(bad)))
            }
            Self::NoPorts { entry, .. } => {
                let text = match entry.rfind(':') {
                    None => "hostport must contain a colon".to_owned(),
                    Some(0) => "input cannot start with a colon character".to_owned(),
                    Some(last) if last + 1 == entry.len() => {
                        "input cannot end with a colon character".to_owned()
                    }
                    Some(last) => {
                        let piece = entry.get(last + 1..).unwrap_or_default().to_owned();
                        let bad = BadPorts { piece, start: 0, fault: PortFault::First };
                        format!("dst={:?}: {}", &**entry, ports(&bad))
                    }
                };
                Some(site.decode("v2.AliasWithPorts", &text))
            }
            Self::TagName { name, .. } if !name.starts_with("tag:") => {
                Some(site.decode("v2.Tag", &format!("tag must start with 'tag:', got: {name:?}")))
            }
            Self::TagName { .. } => same(Turn::Fields),
            Self::NamePrefix { name, .. } => {
                Some(site.groups(&format!("group must start with 'group:', got: {name:?}")))
            }
            Self::HostName { name, .. } => {
                let text = format!("invalid hostname: {name:?}");
                Some(site.decode_at(1, "object", "v2.Hosts", Some(&text)))
            }
            Self::AclAction { action, .. } => {
                let text = format!("action={action:?} is not supported: invalid ACL action");
                Some(site.decode("v2.Action", &text))
            }
            Self::SshAction { action, .. } if action.is_empty() => same(Turn::Ssh),
            Self::SshAction { action, .. } => {
                Some(site.decode("v2.SSHAction", &format!("{action:?} is not a valid action")))
            }
            Self::Period { why, .. } if why.starts_with("time:") => {
                Some(site.decode("v2.SSHCheckPeriod", why))
            }
            Self::NoAction { turn: Turn::Acls, .. } => {
                let pointer = format!("{}/action", site.pointer);
                Some(decoder(&format!(
                    "json: cannot unmarshal JSON null into Go v2.Action within {pointer:?}: action=\"null\" is not supported: invalid ACL action"
                )))
            }
            Self::NoAction { .. }
            | Self::NoSshUsers { .. }
            | Self::SshUser { .. }
            | Self::EmptyEnvironment { .. }
            | Self::Period { .. } => same(Turn::Ssh),
            Self::GrantsNothing { .. } | Self::ReservedCapability { .. } => same(Turn::Grants),
            Self::CapabilityForm { .. } => {
                Some(validator(Turn::Grants, "capability name must have the form {domain}/{path}"))
            }
            // What the release knows no field for cannot be malformed.
            Self::OldNameToo { .. }
            | Self::ServiceName { .. }
            | Self::Assertion { .. }
            | Self::IpsetOperation { .. }
            | Self::IpsetWithoutWord { .. }
            | Self::CgnatRoute { .. }
            | Self::RegionId { .. }
            | Self::RelayMap { .. }
            | Self::RegionMismatch { .. } => None,
        }
    }

    /// A malformed address: in `hosts`, as the key of a route, in a pool, or as a selector.
    fn hosts_address(&self, site: &Site, written: &str) -> Option<Refusal> {
        let (section, field) = site.field();
        match (&*section, &*field) {
            ("hosts", _) => {
                let name = site.pointer.tokens.get(1).map_or("", String::as_str);
                let text = format!(
                    "hostname contains invalid IP address: hostname {name:?} address {written:?}"
                );
                Some(site.decode_at(1, "object", "v2.Hosts", Some(&text)))
            }
            ("autoapprovers", "routes") if site.pointer.to_name => match written.contains('/') {
                true => somehow(Turn::Fields),
                false => {
                    let text = format!("netip.ParsePrefix({written:?}): no '/'");
                    Some(site.decode("netip.Prefix", &text))
                }
            },
            ("nodeattrs", "ippool") => somehow(Turn::Fields),
            _ => Some(site.selector(written)),
        }
    }
}
