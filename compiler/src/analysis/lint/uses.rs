//! Where each name that the policy defines is used, in one walk over the file.

use rustc_hash::FxHashMap;

use super::words;
use crate::ast::{AppCap, PolicyFile, Selector, Text};
use crate::diagnostic::{Code, Diagnostic};
use crate::policy::Policy;
use crate::span::{Span, Spanned};

/// Where a name is used first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Use {
    /// As a source of a rule.
    pub(super) src: Option<Span>,
    /// As a destination of a rule.
    pub(super) dst: Option<Span>,
    /// Anywhere else: `via`, `ssh`, owners, approvers, attributes, capabilities, assertions.
    pub(super) elsewhere: Option<Span>,
}

impl Use {
    /// Whether a rule of `grants` or `acls` selects by it.
    pub(super) fn in_rule(&self) -> Option<Span> {
        self.src.or(self.dst)
    }

    /// Whether anything uses it.
    pub(super) fn any(&self) -> Option<Span> {
        self.in_rule().or(self.elsewhere)
    }
}

/// Every name with its uses.
#[derive(Debug, Default)]
pub(super) struct Uses(FxHashMap<Text, Use>);

/// In which way a name is used.
#[derive(Clone, Copy)]
enum Role {
    Src,
    Dst,
    Elsewhere,
}

impl Uses {
    pub(super) fn new(policy: &Policy) -> Self {
        let mut uses = Self::default();
        uses.define(policy);
        uses.rules(&policy.file);
        uses.others(&policy.file);
        uses.assertions(&policy.file);
        uses
    }

    /// The uses of a name, with its prefix.
    pub(super) fn of(&self, name: &str) -> Use {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// Only names that the file defines are of interest.
    fn define(&mut self, policy: &Policy) {
        let file = &policy.file;
        let names = file.groups.iter().map(|it| &it.name);
        let names = names.chain(file.hosts.iter().map(|it| &it.name));
        let names = names.chain(file.tag_owners.iter().map(|it| &it.name));
        let names = names.chain(file.ipsets.iter().map(|it| &it.name));
        let names = names.chain(file.postures.iter().map(|it| &it.name));
        self.0.extend(names.map(|it| (it.value.clone(), Use::default())));
    }

    fn note(&mut self, name: &str, span: Span, role: Role) {
        let Some(uses) = self.0.get_mut(name) else { return };
        let slot = match role {
            Role::Src => &mut uses.src,
            Role::Dst => &mut uses.dst,
            Role::Elsewhere => &mut uses.elsewhere,
        };
        slot.get_or_insert(span);
    }

    fn selectors<'a>(
        &mut self,
        selectors: impl IntoIterator<Item = &'a Spanned<Selector>>,
        role: Role,
    ) {
        for Spanned { value, span } in selectors {
            match value {
                Selector::Group(name)
                | Selector::Tag(name)
                | Selector::Ipset(name)
                | Selector::Host(name) => self.note(name, *span, role),
                _ => {}
            }
        }
    }

    fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a Spanned<Text>>) {
        for Spanned { value, span } in texts {
            self.note(value, *span, Role::Elsewhere);
        }
    }

    fn rules(&mut self, file: &PolicyFile) {
        for acl in file.acls.iter().flatten() {
            self.selectors(&acl.src, Role::Src);
            self.selectors(acl.dst.iter().map(|it| &it.selector), Role::Dst);
            self.texts(&acl.src_posture);
        }
        for grant in file.grants.iter().flatten() {
            self.selectors(&grant.src, Role::Src);
            self.selectors(&grant.dst, Role::Dst);
            self.selectors(&grant.via, Role::Elsewhere);
            self.texts(&grant.src_posture);
            self.capabilities(&grant.app);
        }
        self.texts(&file.default_src_posture);
    }

    fn others(&mut self, file: &PolicyFile) {
        for rule in &file.ssh {
            self.selectors(rule.src.iter().chain(&rule.dst).chain(&rule.recorder), Role::Elsewhere);
            self.texts(&rule.src_posture);
        }
        for tag in &file.tag_owners {
            // A tag may own itself; that is no use of it.
            let own = |it: &&Spanned<Selector>| matches!(&it.value, Selector::Tag(name) if *name == tag.name.value);
            self.selectors(tag.value.iter().filter(|it| !own(it)), Role::Elsewhere);
        }
        let approvers = &file.auto_approvers;
        self.selectors(&approvers.exit_node, Role::Elsewhere);
        self.selectors(approvers.routes.iter().flat_map(|it| &it.1), Role::Elsewhere);
        for (service, who) in &approvers.services {
            self.selectors(std::iter::once(service).chain(who), Role::Elsewhere);
        }
        for entry in &file.node_attrs {
            self.selectors(&entry.target, Role::Elsewhere);
            self.capabilities(&entry.app);
        }
        for step in file.ipsets.iter().flat_map(|it| &it.value) {
            if let crate::ast::IpsetTarget::Selector(Selector::Host(name) | Selector::Ipset(name)) =
                &step.target
            {
                self.note(name, step.name, Role::Elsewhere);
            }
        }
        for assertion in file.postures.iter().flat_map(|it| &it.value) {
            for name in quoted(assertion.value.operands(), "ipset:") {
                self.note(name, assertion.span, Role::Elsewhere);
            }
        }
    }

    /// Values of capabilities name tags and groups, as those of recorders do.
    fn capabilities(&mut self, app: &[AppCap]) {
        for cap in app {
            let texts = cap.values.split('"').skip(1).step_by(2);
            for name in texts.filter(|it| it.contains(':')) {
                self.note(name, cap.name.span, Role::Elsewhere);
            }
        }
    }

    /// Assertions are read when they are evaluated; here it is enough what they might name.
    fn assertions(&mut self, file: &PolicyFile) {
        for test in &file.tests {
            self.texts(&test.src);
            for Spanned { value, span } in test.accept.iter().chain(&test.deny) {
                let name = value.rsplit_once(':').map_or(&**value, |(name, _)| name);
                self.note(name, *span, Role::Elsewhere);
            }
        }
        for test in &file.ssh_tests {
            self.texts(test.src.iter().chain(&test.dst));
        }
    }
}

/// The texts among operands that begin so.
fn quoted<'a>(
    operands: impl Iterator<Item = &'a crate::ast::posture::Operand>,
    prefix: &'static str,
) -> impl Iterator<Item = &'a str> {
    operands.filter_map(move |it| match it {
        crate::ast::posture::Operand::Text(text) => {
            Some(&**text).filter(|it| it.starts_with(prefix))
        }
        _ => None,
    })
}

/// The report of all names of one section that nothing uses: at the first of them, for they have
/// one cause.
pub(super) fn unused<'a>(
    uses: &Uses,
    names: impl Iterator<Item = &'a Spanned<Text>>,
    code: Code,
    what: &str,
) -> Option<Diagnostic> {
    let unused: Vec<&Spanned<Text>> =
        names.filter(|it| uses.of(&it.value).any().is_none()).collect();
    let (first, others) = unused.split_first()?;
    let name = &first.value;
    let found = match others.len() {
        0 => Diagnostic::new(code, format!("nothing uses the {what} `{name}`"), first.span),
        _ => {
            let all: Vec<&str> = unused.iter().map(|it| &*it.value).collect();
            let message = format!("nothing uses the {what}s {}", words::names(&all));
            let shown = others.iter().take(MAX_RELATED);
            shown.fold(Diagnostic::new(code, message, first.span), |found, it| {
                found.related(it.span, "nor this")
            })
        }
    };
    Some(found.help(format!("use the {what} in a rule, or take it out")))
}

/// At most so many further names are pointed at.
const MAX_RELATED: usize = 8;
