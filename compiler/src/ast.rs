//! Stage 2, tree → policy file: every section as it is written, each leaf with its place.
//!
//! Strings are read here (selectors, ports, durations, assertions), names are not looked up: a tag
//! that nobody defines is as good as any other until stage 3.

pub mod capability;
pub mod duration;
mod from_cst;
pub mod invariant;
pub(crate) mod headscale;
pub mod ports;
pub mod posture;
pub mod problem;
pub(crate) mod reader;
mod sections;
pub mod selector;
pub mod words;

use std::sync::Arc;

use ipnet::IpNet;

use crate::dialect::Dialect;
use crate::span::{LineIndex, Span, Spanned};
pub use duration::Duration;
pub use from_cst::{SECTIONS, read};
pub use ports::{BadPorts, PortRange, PortSpec, Protocol};
pub use problem::Problem;
pub use sections::GRANTABLE;
pub use selector::{Autogroup, Selector};

/// A text of the file, shared by all places where it stands.
pub type Text = Arc<str>;

/// A policy file as written. A missing section is an empty list, except where that differs.
#[derive(Clone, Debug, Default)]
pub struct PolicyFile {
    /// Whose control plane it is written for.
    pub dialect: Dialect,
    /// The bracket that opens it: where something is said of what it lacks.
    pub opening: Span,
    /// `groups`: who belongs to each.
    pub groups: Vec<Definition<Vec<Spanned<Selector>>>>,
    /// `hosts`: the address or prefix of each.
    pub hosts: Vec<Definition<Spanned<IpNet>>>,
    /// `tagOwners`: who may apply each tag.
    pub tag_owners: Vec<Definition<Vec<Spanned<Selector>>>>,
    /// `ipsets`: what is added and removed, in order.
    pub ipsets: Vec<Definition<Vec<Operation>>>,
    /// `postures`: what must hold, all of it.
    pub postures: Vec<Definition<Vec<Spanned<posture::Assertion>>>>,
    /// `defaultSrcPosture`: for rules without a posture of their own.
    pub default_src_posture: Vec<Spanned<Text>>,
    /// `acls`; `None` where the file has no such section, which is not the same as an empty one.
    pub acls: Option<Vec<Acl>>,
    /// `grants`; `None` as for `acls`.
    pub grants: Option<Vec<Grant>>,
    /// `ssh`
    pub ssh: Vec<SshRule>,
    /// `autoApprovers`
    pub auto_approvers: AutoApprovers,
    /// `nodeAttrs`
    pub node_attrs: Vec<NodeAttr>,
    /// `tests`
    pub tests: Vec<Test>,
    /// `sshTests`
    pub ssh_tests: Vec<SshTest>,
    /// Settings of the whole tailnet.
    pub settings: Settings,
    /// The top-level members, in the order of the file: the name and its place.
    pub sections: Vec<Spanned<&'static str>>,
    /// Where each line of the file starts.
    pub lines: LineIndex,
}

/// A member of a section that defines names.
#[derive(Clone, Debug)]
pub struct Definition<T> {
    /// The name with its prefix, where that kind of name has one.
    pub name: Spanned<Text>,
    /// What it stands for.
    pub value: T,
}

/// One entry of `acls`.
#[derive(Clone, Debug)]
pub struct Acl {
    /// The whole object.
    pub span: Span,
    /// `src`, or `users` as it was once called.
    pub src: Vec<Spanned<Selector>>,
    /// `dst`, or `ports` as it was once called.
    pub dst: Vec<AclDst>,
    /// `proto`; `None` is the default.
    pub protocol: Option<Spanned<Protocol>>,
    /// `srcPosture`
    pub src_posture: Vec<Spanned<Text>>,
}

/// A destination of an acl with its ports.
#[derive(Clone, Debug)]
pub struct AclDst {
    /// The part before the last colon.
    pub selector: Spanned<Selector>,
    /// The part behind it, in the order written.
    pub ports: Arc<[PortRange]>,
    /// Both.
    pub span: Span,
}

/// One entry of `grants`.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The whole object.
    pub span: Span,
    /// `src`
    pub src: Vec<Spanned<Selector>>,
    /// `dst`
    pub dst: Vec<Spanned<Selector>>,
    /// `ip`
    pub ip: Vec<Spanned<PortSpec>>,
    /// `app`
    pub app: Vec<AppCap>,
    /// `via`
    pub via: Vec<Spanned<Selector>>,
    /// `srcPosture`
    pub src_posture: Vec<Spanned<Text>>,
}

/// One capability of a grant or of `nodeAttrs`.
#[derive(Clone, Debug)]
pub struct AppCap {
    /// `example.com/cap/name`
    pub name: Spanned<Text>,
    /// The list of its values as compact JSON, otherwise untouched.
    pub values: Arc<str>,
}

/// One entry of `ssh`.
#[derive(Clone, Debug)]
pub struct SshRule {
    /// The whole object.
    pub span: Span,
    /// `action`; `None` where it is missing or wrong, which is reported.
    pub action: Option<Spanned<SshAction>>,
    /// `src`
    pub src: Vec<Spanned<Selector>>,
    /// `dst`
    pub dst: Vec<Spanned<Selector>>,
    /// `users`, as written.
    pub users: Vec<Spanned<Text>>,
    /// `checkPeriod`; `None` is the default of twelve hours.
    pub check_period: Option<Spanned<CheckPeriod>>,
    /// `acceptEnv`
    pub accept_env: Vec<Spanned<Text>>,
    /// `srcPosture`
    pub src_posture: Vec<Spanned<Text>>,
    /// `recorder`
    pub recorder: Vec<Spanned<Selector>>,
    /// `enforceRecorder`
    pub enforce_recorder: bool,
}

/// What an SSH rule does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SshAction {
    /// Lets the session in.
    Accept,
    /// Lets it in after a fresh login.
    Check,
}

/// How long a fresh login lasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CheckPeriod {
    /// `always`: each session asks.
    Always,
    /// So long.
    For(Duration),
}

/// The section `autoApprovers`.
#[derive(Clone, Debug, Default)]
pub struct AutoApprovers {
    /// Who may have a route within each prefix approved.
    pub routes: Vec<(Spanned<IpNet>, Vec<Spanned<Selector>>)>,
    /// Who may be an exit node.
    pub exit_node: Vec<Spanned<Selector>>,
    /// Who may offer each service, or each service with a tag.
    pub services: Vec<(Spanned<Selector>, Vec<Spanned<Selector>>)>,
}

/// One entry of `nodeAttrs`.
#[derive(Clone, Debug)]
pub struct NodeAttr {
    /// The whole object.
    pub span: Span,
    /// `target`
    pub target: Vec<Spanned<Selector>>,
    /// `attr`
    pub attr: Vec<Spanned<Text>>,
    /// `app`
    pub app: Vec<AppCap>,
    /// What of `app` is about connectors, one by one.
    pub connectors: Vec<Connector>,
    /// `ipPool`
    pub ip_pool: Vec<Spanned<IpNet>>,
}

/// The capability of `nodeAttrs` that makes devices connectors of applications.
pub const APP_CONNECTORS: &str = "tailscale.com/app-connectors";

/// One value of [`APP_CONNECTORS`].
#[derive(Clone, Debug)]
pub struct Connector {
    /// The tags of the connectors, or `*`.
    pub on: Vec<Text>,
    /// The whole value as compact JSON.
    pub json: Text,
}

/// One entry of `tests`. What stands in it is judged when it is evaluated, as the control plane does.
#[derive(Clone, Debug)]
pub struct Test {
    /// The whole object.
    pub span: Span,
    /// `src`, or `user` as it was once called.
    pub src: Option<Spanned<Text>>,
    /// `proto`
    pub proto: Option<Spanned<Text>>,
    /// `accept`, or `allow` as it was once called.
    pub accept: Vec<Spanned<Text>>,
    /// `deny`
    pub deny: Vec<Spanned<Text>>,
    /// `srcPostureAttrs`: what the source is taken to be like; `None` is not set.
    pub src_posture_attrs: Vec<(Spanned<Text>, Option<posture::Operand>)>,
}

/// One entry of `sshTests`.
#[derive(Clone, Debug)]
pub struct SshTest {
    /// The whole object.
    pub span: Span,
    /// `src`
    pub src: Option<Spanned<Text>>,
    /// `dst`
    pub dst: Vec<Spanned<Text>>,
    /// `accept`: host users that must be let in.
    pub accept: Vec<Spanned<Text>>,
    /// `check`: host users that must be let in after a fresh login.
    pub check: Vec<Spanned<Text>>,
    /// `deny`: host users that must not be let in.
    pub deny: Vec<Spanned<Text>>,
    /// `srcPostureAttrs`: what the source is taken to be like; `None` is not set.
    pub src_posture_attrs: Vec<(Spanned<Text>, Option<posture::Operand>)>,
}

/// One step of an IP set.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The whole text.
    pub span: Span,
    /// `false` adds, `true` takes away.
    pub remove: bool,
    /// What.
    pub target: IpsetTarget,
    /// The name or address alone, without `host:`; the whole text where that has escapes.
    pub name: Span,
}

/// What an IP set adds or takes away.
#[derive(Clone, Debug)]
pub enum IpsetTarget {
    /// An address, a prefix, `autogroup:internet` or another set; `host:x` is a host.
    Selector(Selector),
    /// Addresses, inclusive at both ends, of one family.
    Range(std::net::IpAddr, std::net::IpAddr),
}

/// Settings of the whole tailnet.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `derpMap`
    pub derp_map: Option<DerpMap>,
    /// `disableIPv4`
    pub disable_ipv4: bool,
    /// `OneCGNATRoute`: `""`, `mac-always` or `mac-never`.
    pub one_cgnat_route: Option<Spanned<Text>>,
    /// `randomizeClientPort`
    pub randomize_client_port: bool,
}

/// The section `derpMap`: relays of one's own.
#[derive(Clone, Debug)]
pub struct DerpMap {
    /// `OmitDefaultRegions`
    pub omit_default_regions: bool,
    /// `Regions`: by id; `None` takes a default region away.
    pub regions: Vec<(Spanned<u64>, Option<DerpRegion>)>,
}

/// A region of relays.
#[derive(Clone, Debug)]
pub struct DerpRegion {
    /// `RegionCode`
    pub code: Option<Spanned<Text>>,
    /// The host names of its relays.
    pub hosts: Vec<Spanned<Text>>,
}
