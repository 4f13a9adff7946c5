//! What stands at a place: what a name expands to, what a word means, what a rule reaches.

mod devices;

use compiler::analysis::subject::Subject;
use compiler::ast::ports::read_protocol;
use compiler::ast::{Autogroup, PortRange, Selector, selector, words};
use compiler::cst::SyntaxNode;
use compiler::policy::Target;
use compiler::span::Span;

use super::analysis::Analysis;
use super::pieces::{self, Meaning, Piece};
use super::shape::{Form, Named, Shape, Slot};
use super::site::{self, Expected, Site};
use super::words::{count, service_at};

/// What is shown for a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// Markdown.
    pub markdown: String,
}

/// What stands at `offset`; `None` where there is nothing to say.
pub fn hover(analysis: &Analysis, offset: u32) -> Option<Hover> {
    let site = site::at(analysis.tree(), offset)?;
    let leaf = site.leaf?;
    let text = leaf.string()?;
    let slot = match site.expected {
        Expected::Name(slot) | Expected::Value(Shape::Text(slot)) => Some(slot),
        _ => None,
    };
    let pieces = slot.map_or_else(|| pieces::foreign(&text), |it| pieces::pieces(it, &text));
    let placed = |it: Piece| (pieces::place(leaf, &text, it.range.clone()), it);
    let mut touching = pieces.into_iter().map(placed).filter(|(span, _)| span.touches(offset));
    let (span, piece) = touching.next()?;
    let written = text.get(piece.range).unwrap_or_default();
    let markdown = explain(analysis, &piece.meaning, written, slot, site, leaf)?;
    Some(Hover { span, markdown })
}

fn explain(
    analysis: &Analysis,
    meaning: &Meaning,
    written: &str,
    slot: Option<Slot>,
    site: Site<'_>,
    leaf: SyntaxNode<'_>,
) -> Option<String> {
    match meaning {
        Meaning::Field(form) => {
            let field = form.field(written)?;
            let mut text = format!("**{field}**");
            if let Some(about) = about_field(*form, field) {
                text.push_str(&format!(" · {about}"));
            }
            if let Some(reached) = devices::of_rule(analysis, *form, site.around) {
                text.push_str(&format!("\n\n{reached}"));
            }
            Some(text)
        }
        Meaning::Name(Named::Posture) | Meaning::Definition(Named::Posture) => {
            posture(analysis, written)
        }
        Meaning::Definition(named) => devices::of_selector(analysis, &named.selector(written)?),
        Meaning::Name(Named::Host) if slot == Some(Slot::IpsetStep) => {
            devices::of_selector(analysis, &Selector::Host(written.into()))
        }
        Meaning::Name(_)
        | Meaning::Autogroup(_)
        | Meaning::Any
        | Meaning::Domain
        | Meaning::Address => match selector::read(written) {
            Ok(read) => devices::of_selector(analysis, &read.selector),
            Err(_) => None,
        },
        Meaning::Ports => ports(written),
        Meaning::Protocol => {
            let number = read_protocol(written).ok()??;
            let name = compiler::ast::ports::protocol_name(number);
            Some(format!("**{name}** · protocol {number}"))
        }
        Meaning::Attribute => {
            let values = compiler::ast::posture::attributes::values(written)?;
            let _ = leaf;
            Some(format!("**{written}** · {}", super::completion::about_values(values)))
        }
        Meaning::Word | Meaning::Capability | Meaning::Operand => None,
    }
}

impl Named {
    /// The selector that a name of this sort is; `None` for a posture, which selects nobody.
    fn selector(self, name: &str) -> Option<Selector> {
        Some(match self {
            Self::Group => Selector::Group(name.into()),
            Self::Tag => Selector::Tag(name.to_ascii_lowercase().into()),
            Self::Host => Selector::Host(name.into()),
            Self::Ipset => Selector::Ipset(name.into()),
            Self::Service => Selector::Service(name.into()),
            Self::User => Selector::User(name.into()),
            Self::Posture => return None,
        })
    }
}

fn posture(analysis: &Analysis, name: &str) -> Option<String> {
    let posture = analysis.policy().postures.iter().find(|it| &*it.name.value == name)?;
    let conditions = posture.assertions.iter().map(|it| format!("\n- `{}`", it.value));
    Some(format!(
        "**{name}** · all of this must hold of a device\n{}",
        conditions.collect::<String>()
    ))
}

/// The services behind ports.
fn ports(written: &str) -> Option<String> {
    if written == "*" {
        return Some("**\\*** · every port".to_owned());
    }
    let ranges = compiler::ast::ports::read_ports(written).ok()?;
    let mut lines = Vec::new();
    for range in ranges {
        let PortRange { first, last } = range;
        match service_at(first).filter(|_| first == last) {
            Some(service) => lines.push(format!("**{first}** · {}", service.about)),
            None if first == last => {}
            None => {
                let number = usize::from(last - first) + 1;
                let inside = super::words::SERVICES.iter().filter(|it| range.contains(it.port));
                let known: Vec<String> =
                    inside.take(8).map(|it| format!("{} {}", it.port, it.about)).collect();
                let known = if known.is_empty() {
                    String::new()
                } else {
                    format!(": among them {}", known.join(", "))
                };
                lines.push(format!("**{range}** · {}{known}", count(number, "port")));
            }
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n\n"))
}

/// What a field says, in a sentence.
pub fn about_field(form: Form, field: &str) -> Option<&'static str> {
    let object = match form {
        Form::File => "",
        Form::Acl => "acl",
        Form::Grant => "grant",
        Form::Ssh => "ssh",
        Form::AutoApprovers => "autoApprovers",
        Form::NodeAttr => "nodeAttr",
        Form::Test => "test",
        Form::SshTest => "sshTest",
        Form::DerpMap => "derpMap",
        Form::DerpRegion => "derpRegion",
        Form::DerpHome | Form::DerpRelay => return None,
    };
    words::about(object, field)
}

/// Whom an autogroup stands for, in a few words.
pub const fn about_autogroup(autogroup: Autogroup) -> &'static str {
    match autogroup {
        Autogroup::Member | Autogroup::Members => {
            "everybody in the tailnet, on devices without tags"
        }
        Autogroup::Tagged => "every device with a tag",
        Autogroup::OwnDevices => "the devices of whoever asks",
        Autogroup::Internet => "the internet, through an exit node",
        Autogroup::DangerAll => "everybody everywhere, other tailnets included",
        Autogroup::Shared => "those with whom a device is shared",
        Autogroup::Owner => "the owner of the tailnet",
        Autogroup::Admin => "the admins and the owner",
        Autogroup::NetworkAdmin => "the network admins",
        Autogroup::ItAdmin => "the IT admins",
        Autogroup::BillingAdmin => "the billing admins",
        Autogroup::Auditor => "the auditors",
        Autogroup::Nonroot => "every user of the host but root",
    }
}

/// What a selector means in the policy of an analysis, where it is defined.
pub(super) fn target(analysis: &Analysis, selector: &Selector) -> Option<Target> {
    match Subject::of(analysis.policy(), selector) {
        Ok(Subject::Target(target)) => Some(target),
        _ => None,
    }
}
