//! Policy and tailnet side by side: names that stand for nobody, and what must be left open.

use rustc_hash::FxHashSet;

use super::address_book::AddressBook;
use super::members::Members;
use super::problem::Problem;
use super::resolver::Resolver;
use super::{Autogroup, Policy, Routes, Tailnet, Target, headscale};
use crate::ast::Selector;
use crate::diagnostic::similar;
use crate::dialect::Dialect;
use crate::span::{Span, Spanned};

/// At most so many names are listed in one message.
const MAX_NAMES: usize = 3;

/// At most so many logins are reported one by one: more of them have one cause, the inventory.
const MAX_LOGINS: usize = 100;

/// At most so many pairs of logins are compared for a "did you mean".
const MAX_COMPARED: usize = 300_000;

/// What the facts say about a policy that may be partial; without a tailnet, what they would decide.
///
/// The second answer is whether the control plane's verdict depends on what is not known.
pub fn check_facts(policy: &Policy, tailnet: Option<&Tailnet>) -> (Vec<Problem>, bool) {
    let mut problems = Vec::new();
    let assertions =
        [("tests", policy.file.tests.is_empty()), ("sshTests", policy.file.ssh_tests.is_empty())];
    let mut undecided = false;
    for (section, empty) in assertions {
        if let Some(span) = section_span(policy, section).filter(|_| !empty && tailnet.is_none()) {
            undecided = true;
            problems.push(Problem::NotJudged { span, section });
        }
    }
    let headscale = policy.file.dialect == Dialect::Headscale;
    // To headscale every domain is as good as any other.
    let domains = if headscale { Vec::new() } else { ssh_domains(policy) };
    match tailnet {
        Some(tailnet) => {
            users(policy, tailnet, &mut problems);
            synced_groups(policy, &mut problems);
            shared_devices(policy, &mut problems);
            services(policy, tailnet, &mut problems);
            roles(policy, tailnet, &mut problems);
            postures(policy, tailnet, &mut problems);
            if headscale {
                headscale::check(policy, tailnet, &mut problems);
            }
            if let Some(known) = tailnet.domains() {
                let known: FxHashSet<&str> = known.iter().map(|it| &**it).collect();
                let foreign = domains.iter().filter(|it| !known.contains(it.domain));
                problems.extend(foreign.map(SshDomain::report));
            }
        }
        None => {
            if let Some(span) = section_span(policy, "ssh").filter(|_| !domains.is_empty()) {
                undecided = true;
                problems.push(Problem::NotJudged { span, section: "ssh" });
            }
        }
    }
    (problems, undecided)
}

fn section_span(policy: &Policy, section: &str) -> Option<Span> {
    policy.file.sections.iter().find(|it| it.value == section).map(|it| it.span)
}

fn users(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let mut comparisons = MAX_COMPARED;
    let members = Members::new(policy, tailnet);
    let mut unknown =
        (0..).zip(&policy.logins).filter(|it| members.is_unknown(it.0)).map(|it| it.1);
    for Spanned { value: login, span } in unknown.by_ref().take(MAX_LOGINS) {
        comparisons = comparisons.saturating_sub(tailnet.users().len());
        let known = tailnet.users().iter().filter(|_| comparisons > 0).map(|it| &*it.login);
        let similar = similar_login(login, known);
        problems.push(Problem::UnknownUser { span: *span, login: login.to_string(), similar });
    }
    if let Some(Spanned { span, .. }) = unknown.next() {
        problems.push(Problem::MoreUnknownUsers { span: *span, more: 1 + unknown.count() });
    }
}

/// The login that was most likely meant. What all logins of a domain share would make any two of
/// them look alike, so only the parts before the `@` are compared.
pub(super) fn similar_login<'a>(
    login: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let (name, domain) = login.rsplit_once('@')?;
    let names =
        known.filter_map(|it| it.rsplit_once('@')).filter(|it| it.1 == domain).map(|it| it.0);
    similar(name, names).map(|it| format!("{it}@{domain}"))
}

fn synced_groups(policy: &Policy, problems: &mut Vec<Problem>) {
    let synced = policy.groups.iter().filter(|it| it.synced).map(|it| &it.name);
    problems.extend(
        synced.map(|it| Problem::SyncedGroup { span: it.span, name: it.value.to_string() }),
    );
}

/// The first use of `autogroup:shared`: nobody in an inventory is of another tailnet.
fn shared_devices(policy: &Policy, problems: &mut Vec<Problem>) {
    let shared = Target::Autogroup(Autogroup::Shared);
    let mut src = policy.rules.iter().flatten().flat_map(|it| &it.src);
    problems.extend(src.find(|it| it.value == shared).map(|it| Problem::Shared { span: it.span }));
}

fn services(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let known: FxHashSet<&str> = tailnet.services().iter().map(|it| &*it.name).collect();
    let unknown = policy.services.iter().filter(|it| !known.contains(&*it.value));
    problems.extend(
        unknown.map(|it| Problem::UnknownService { span: it.span, name: it.value.to_string() }),
    );
}

/// A rule for a role, where the inventory does not say who has it.
fn roles(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    let of_role = |it: &Target| matches!(it, Target::Autogroup(it) if it.is_role());
    let unknown: Vec<&str> = tailnet
        .users()
        .iter()
        .filter(|it| it.role.is_none() && !it.has_left())
        .map(|it| &*it.login)
        .collect();
    if unknown.is_empty() {
        return;
    }
    let rules = policy.rules.iter().flatten();
    let src = rules.clone().flat_map(|it| &it.src);
    let src = src.chain(policy.ssh.iter().flat_map(|it| &it.src));
    let named = src.chain(policy.node_attrs.iter().flat_map(|it| &it.target));
    let mut places = named
        .map(|it| (it.value, it.span))
        .chain(rules.flat_map(|it| it.dst.iter().map(|it| (it.target, it.span))));
    if let Some((_, span)) = places.find(|(target, _)| of_role(target)) {
        let names = unknown.iter().take(MAX_NAMES).map(|it| (*it).to_owned()).collect();
        problems.push(Problem::UnknownRole {
            span,
            names,
            more: unknown.len().saturating_sub(MAX_NAMES),
        });
    }
}

/// A login domain that an SSH rule names.
struct SshDomain<'a> {
    domain: &'a str,
    span: Span,
    /// In `users`, as `localpart:*@…`; else in `src`, as `user:*@…`.
    in_users: bool,
}

impl SshDomain<'_> {
    fn report(&self) -> Problem {
        Problem::ForeignDomain {
            span: self.span,
            domain: self.domain.to_owned(),
            in_users: self.in_users,
        }
    }
}

fn ssh_domains(policy: &Policy) -> Vec<SshDomain<'_>> {
    let mut domains = Vec::new();
    for rule in &policy.file.ssh {
        for Spanned { value, span } in &rule.src {
            if let Selector::UserDomain(domain) = value {
                domains.push(SshDomain { domain, span: *span, in_users: false });
            }
        }
        for Spanned { value, span } in &rule.users {
            if let Some(domain) = value.strip_prefix("localpart:*@").filter(|it| !it.is_empty()) {
                domains.push(SshDomain { domain, span: *span, in_users: true });
            }
        }
    }
    domains
}

/// Sources of which nobody knows whether they meet a rule's posture: lowering leaves them out.
fn postures(policy: &Policy, tailnet: &Tailnet, problems: &mut Vec<Problem>) {
    if !policy.has_postures() {
        return;
    }
    let (routes, book) =
        (Routes::new(tailnet, policy.file.dialect), AddressBook::new(policy, tailnet));
    let resolver = Resolver::new(policy, tailnet, &routes, &book);
    let mut seen = FxHashSet::default();
    let rules = policy.rules.iter().flatten().map(|it| (&it.src, &it.postures, it.span));
    let rules = rules.chain(policy.ssh.iter().map(|it| (&it.src, &it.postures, it.span)));
    for (src, postures, rule) in rules.filter(|it| !it.1.is_empty()) {
        let span = src.first().map_or(rule, |it| it.span);
        let src: Vec<Target> = src.iter().map(|it| it.value).collect();
        // Other rules with the same sources have the same cause.
        if !seen.insert((src.clone(), postures)) {
            continue;
        }
        let (few, count) = resolver.undecided(src.into_iter(), postures, MAX_NAMES);
        if count == 0 {
            continue;
        }
        let names = few.into_iter().filter_map(|it| tailnet.node(it));
        let names: Vec<String> = names.map(|it| it.name.to_string()).collect();
        let more = count - names.len();
        problems.push(Problem::UnknownPosture { span, names, more });
    }
}
