//! What a critic would say of a policy that Tailscale takes: one file for each lint, with its code.
//!
//! A lint is a function from a [`Subject`] to findings. What several of them ask is worked out once,
//! when the first asks: which name is used where, what a selector certainly holds, which access the
//! rules give. No lint is an error, and none guesses: where the facts are missing it is silent.

mod access;
mod atoms;
mod devices;
mod networks;
mod remove;
mod uses;
mod words;

mod everything_open;
mod no_rules;
mod nobody_let_in;
mod port_of_another_protocol;
mod ports_written_out;
mod protocol_as_port;
mod whole_tailnet;
mod wide_ports;

mod covered_in_list;
mod empty_group;
mod empty_ipset;
mod hosts_of_one_address;
mod listed_twice;
mod one_sided_rule;
mod unused_group;
mod unused_host;
mod unused_ipset;
mod unused_posture;
mod unused_tag;

mod address_of_a_device;
mod address_of_nobody;
mod device_without_rules;
mod tag_for_everyone;
mod unowned_tag;
mod unreached_untagged;
mod untagged_behind_wide_rule;

mod default_route_approver;
mod everyone_approves;
mod exit_node_by_tag;
mod exit_node_waiting;
mod network_without_route;
mod no_exit_node;
mod route_waiting;
mod unreached_route;
mod unused_exit_node;
mod via_without_effect;
mod via_without_route;
mod waiting_routes;

mod covered_rule;
mod pair_in_both_sections;
mod repeated_attribute;
mod repeated_rule;

mod accept_behind_check;
mod any_environment;
mod check_period_of_accept;
mod localpart_own_devices;
mod recorder_missing;
mod root_for_everyone;
mod selector_as_user;
mod ssh_without_network;

mod deny_of_nothing;
mod no_tests;
mod only_accepting_tests;
mod tests_of_open_policy;

mod funnel_for_all;
mod idle_attributes;
mod impossible_posture;
mod misspelt_attribute;

mod capability_beside_via;
mod capability_without_network;
mod drive_without_attribute;

mod complex_rule;
mod expired;

use std::cell::OnceCell;

use crate::Options;
use crate::cst::SyntaxTree;
use crate::diagnostic::Diagnostic;
use crate::policy::{Policy, Rule};
use crate::span::Span;
use crate::tables::Tables;
use access::Access;
use atoms::Atoms;
use devices::Devices;
use uses::Uses;

/// What a lint may look at.
#[derive(Debug)]
pub struct Subject<'a> {
    /// A policy without an error.
    pub policy: &'a Policy,
    /// Its text.
    pub tree: &'a SyntaxTree,
    /// Its tables, where there is an inventory.
    pub tables: Option<&'a Tables<'a>>,
    /// What it is checked against.
    pub options: &'a Options<'a>,
    uses: OnceCell<Uses>,
    atoms: OnceCell<Atoms<'a>>,
    access: OnceCell<Access>,
    devices: OnceCell<Option<Devices<'a>>>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        tree: &'a SyntaxTree,
        tables: Option<&'a Tables<'a>>,
        options: &'a Options<'a>,
    ) -> Self {
        let (uses, atoms) = (OnceCell::new(), OnceCell::new());
        let (access, devices) = (OnceCell::new(), OnceCell::new());
        Self { policy, tree, tables, options, uses, atoms, access, devices }
    }

    /// Every rule of `grants` and `acls`; none where the file has neither.
    fn rules(&self) -> &'a [Rule] {
        self.policy.rules.as_deref().unwrap_or_default()
    }

    /// Where each name is used.
    fn uses(&self) -> &Uses {
        self.uses.get_or_init(|| Uses::new(self.policy))
    }

    /// Which selector holds which.
    fn atoms(&self) -> &Atoms<'a> {
        self.atoms.get_or_init(|| Atoms::new(self.policy))
    }

    /// The access that the rules give.
    fn access(&self) -> &Access {
        self.access.get_or_init(|| Access::new(self.rules(), self.atoms()))
    }

    /// What the inventory adds; `None` where there is none.
    fn devices(&self) -> Option<&Devices<'a>> {
        self.devices.get_or_init(|| self.tables.map(Devices::new)).as_ref()
    }

    /// Where the rules are: the name of their section.
    fn rules_section(&self) -> Span {
        self.section(if self.policy.file.grants.is_some() { "grants" } else { "acls" })
    }

    /// Where the name of a section stands; where the file begins if it has none.
    fn section(&self, name: &str) -> Span {
        let sections = &self.policy.file.sections;
        sections.iter().find(|it| it.value == name).map_or_else(|| self.start(), |it| it.span)
    }

    /// The first bracket of the file.
    fn start(&self) -> Span {
        self.tree.root().values().next().map_or(Span::at(0), |it| it.span().opening())
    }
}

/// Everything that the lints find, in no order.
pub(crate) fn run(subject: &Subject<'_>) -> Vec<Diagnostic> {
    LINTS.iter().flat_map(|lint| lint(subject)).collect()
}

/// One lint.
type Lint = fn(&Subject<'_>) -> Vec<Diagnostic>;

/// Every lint, in the order of its code.
const LINTS: &[Lint] = &[
    everything_open::find,
    no_rules::find,
    nobody_let_in::find,
    wide_ports::find,
    ports_written_out::find,
    port_of_another_protocol::find,
    protocol_as_port::find,
    whole_tailnet::find,
    unused_group::find,
    unused_tag::find,
    unused_host::find,
    unused_ipset::find,
    unused_posture::find,
    empty_group::find,
    listed_twice::find,
    covered_in_list::find,
    hosts_of_one_address::find,
    empty_ipset::find,
    one_sided_rule::find,
    untagged_behind_wide_rule::find,
    device_without_rules::find,
    unreached_untagged::find,
    unowned_tag::find,
    address_of_a_device::find,
    address_of_nobody::find,
    tag_for_everyone::find,
    route_waiting::find,
    network_without_route::find,
    exit_node_waiting::find,
    no_exit_node::find,
    waiting_routes::find,
    unused_exit_node::find,
    unreached_route::find,
    default_route_approver::find,
    everyone_approves::find,
    via_without_route::find,
    via_without_effect::find,
    exit_node_by_tag::find,
    covered_rule::find,
    repeated_rule::find,
    repeated_attribute::find,
    pair_in_both_sections::find,
    ssh_without_network::find,
    root_for_everyone::find,
    accept_behind_check::find,
    check_period_of_accept::find,
    any_environment::find,
    selector_as_user::find,
    localpart_own_devices::find,
    recorder_missing::find,
    no_tests::find,
    tests_of_open_policy::find,
    only_accepting_tests::find,
    deny_of_nothing::find,
    funnel_for_all::find,
    idle_attributes::find,
    misspelt_attribute::find,
    impossible_posture::find,
    capability_without_network::find,
    drive_without_attribute::find,
    capability_beside_via::find,
    expired::find,
    complex_rule::find,
];
