//! The shape of a policy file: what may stand at each place of it, as one table.
//!
//! The compiler reads the same shape into types and reports what does not fit. Here a place is looked
//! at while it is being written, in a file that may be broken around it; whatever does not fit has no
//! shape. The names of fields are those of [`compiler::ast::words`].

use compiler::ast::{GRANTABLE, SECTIONS, words};
use compiler::policy::Place;

/// What a value is to be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// An object with fields of its own.
    Object(Form),
    /// An object whose names are data: what a name is, and what its value.
    Map(Slot, &'static Shape),
    /// A list of such values.
    List(&'static Shape),
    /// A string.
    Text(Slot),
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// Whatever is read by others: values of capabilities.
    Foreign,
}

/// An object with fields of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Form {
    /// The file.
    File,
    /// An entry of `acls`.
    Acl,
    /// An entry of `grants`.
    Grant,
    /// An entry of `ssh`.
    Ssh,
    /// `autoApprovers`
    AutoApprovers,
    /// An entry of `nodeAttrs`.
    NodeAttr,
    /// An entry of `tests`.
    Test,
    /// An entry of `sshTests`.
    SshTest,
    /// `derpMap`
    DerpMap,
    /// `HomeParams` of it.
    DerpHome,
    /// A region of it.
    DerpRegion,
    /// A relay of a region.
    DerpRelay,
}

/// What a string is to be.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Slot {
    /// The name of a field of an object.
    Field(Form),
    /// A name that the file defines here.
    Definition(Named),
    /// A selector.
    Selector(Place),
    /// A selector, a colon, ports.
    Destination,
    /// An entry of a grant's `ip`.
    PortSpec,
    /// A protocol.
    Protocol,
    /// The name of a posture.
    Posture,
    /// A condition of a posture.
    Condition,
    /// The name of an attribute, in what a test takes its source to be like.
    AttributeName,
    /// A step of an IP set.
    IpsetStep,
    /// An address or a prefix.
    Address,
    /// A service, or a tag for all services with it.
    ServiceOrTag,
    /// An attribute of devices.
    NodeAttribute,
    /// The name of a capability that a grant gives.
    Capability,
    /// The name of a capability that `nodeAttrs` gives.
    NodeCapability,
    /// A user of a host, as an SSH rule names them.
    HostUser,
    /// A user of a host, as an assertion names them.
    TestedUser,
    /// Who an assertion is about.
    TestSource,
    /// Where an assertion leads, with a port.
    TestDestination,
    /// A device that an assertion about SSH leads to.
    SshTestDestination,
    /// `accept`
    AclAction,
    /// `accept` or `check`
    SshAction,
    /// How long a login lasts.
    CheckPeriod,
    /// What `OneCGNATRoute` may be.
    CgnatRoute,
    /// Any text.
    Plain,
}

/// What sort of name the file defines, or uses without a definition.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Named {
    /// `group:…`
    Group,
    /// `tag:…`
    Tag,
    /// A key of `hosts`.
    Host,
    /// `ipset:…`
    Ipset,
    /// `posture:…`
    Posture,
    /// `svc:…`
    Service,
    /// A login.
    User,
}

impl Named {
    /// What it is to a person.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Tag => "tag",
            Self::Host => "host",
            Self::Ipset => "IP set",
            Self::Posture => "posture",
            Self::Service => "service",
            Self::User => "user",
        }
    }

    /// What every such name begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Group => "group:",
            Self::Tag => "tag:",
            Self::Ipset => "ipset:",
            Self::Posture => "posture:",
            Self::Service => "svc:",
            Self::Host | Self::User => "",
        }
    }
}

impl Form {
    /// Its fields, the old names among them.
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::File => &SECTIONS,
            Self::Acl => &words::ACL,
            Self::Grant => &words::GRANT,
            Self::Ssh => &words::SSH,
            Self::AutoApprovers => &words::AUTO_APPROVERS,
            Self::NodeAttr => &words::NODE_ATTR,
            Self::Test => &words::TEST,
            Self::SshTest => &words::SSH_TEST,
            Self::DerpMap => &words::DERP_MAP,
            Self::DerpHome => &words::DERP_HOME,
            Self::DerpRegion => &words::DERP_REGION,
            Self::DerpRelay => &words::DERP_RELAY,
        }
    }

    /// The field with this name, in any case, as Tailscale takes them.
    pub fn field(self, written: &str) -> Option<&'static str> {
        self.fields().iter().copied().find(|it| it.eq_ignore_ascii_case(written))
    }

    /// Whether a field is the old name of another, which nobody need write any more.
    pub fn is_old(self, field: &str) -> bool {
        matches!((self, field), (Self::Acl, "users" | "ports") | (Self::Test, "user" | "allow"))
    }

    /// What the value of a field is to be.
    pub fn shape_of(self, field: &str) -> Shape {
        match self {
            Self::File => section(field),
            Self::Acl => match field {
                "action" => Shape::Text(Slot::AclAction),
                "src" | "users" => selectors(Place::AclSrc),
                "dst" | "ports" => Shape::List(&Shape::Text(Slot::Destination)),
                "proto" => Shape::Text(Slot::Protocol),
                _ => POSTURES,
            },
            Self::Grant => match field {
                "src" => selectors(Place::GrantSrc),
                "dst" => selectors(Place::GrantDst),
                "ip" => Shape::List(&Shape::Text(Slot::PortSpec)),
                "app" => Shape::Map(Slot::Capability, &Shape::List(&Shape::Foreign)),
                "via" => selectors(Place::Via),
                _ => POSTURES,
            },
            Self::Ssh => match field {
                "action" => Shape::Text(Slot::SshAction),
                "src" => selectors(Place::SshSrc),
                "dst" => selectors(Place::SshDst),
                "users" => Shape::List(&Shape::Text(Slot::HostUser)),
                "checkPeriod" => Shape::Text(Slot::CheckPeriod),
                "acceptEnv" => PLAIN,
                "recorder" => selectors(Place::Recorder),
                "enforceRecorder" => Shape::Flag,
                _ => POSTURES,
            },
            Self::AutoApprovers => match field {
                "routes" => Shape::Map(Slot::Address, &APPROVERS),
                "services" => Shape::Map(Slot::ServiceOrTag, &APPROVERS),
                _ => APPROVERS,
            },
            Self::NodeAttr => match field {
                "target" => selectors(Place::NodeAttrTarget),
                "attr" => Shape::List(&Shape::Text(Slot::NodeAttribute)),
                "app" => Shape::Map(Slot::NodeCapability, &Shape::List(&Shape::Foreign)),
                _ => Shape::List(&Shape::Text(Slot::Address)),
            },
            Self::Test => match field {
                "src" | "user" => Shape::Text(Slot::TestSource),
                "proto" => Shape::Text(Slot::Protocol),
                "srcPostureAttrs" => Shape::Map(Slot::AttributeName, &Shape::Foreign),
                _ => Shape::List(&Shape::Text(Slot::TestDestination)),
            },
            Self::SshTest => match field {
                "src" => Shape::Text(Slot::TestSource),
                "dst" => Shape::List(&Shape::Text(Slot::SshTestDestination)),
                "srcPostureAttrs" => Shape::Map(Slot::AttributeName, &Shape::Foreign),
                _ => Shape::List(&Shape::Text(Slot::TestedUser)),
            },
            Self::DerpMap => match field {
                "OmitDefaultRegions" => Shape::Flag,
                "Regions" => Shape::Map(Slot::Plain, &Shape::Object(Form::DerpRegion)),
                _ => Shape::Object(Form::DerpHome),
            },
            Self::DerpHome => Shape::Map(Slot::Plain, &Shape::Number),
            Self::DerpRegion => match field {
                "RegionID" | "Latitude" | "Longitude" => Shape::Number,
                "Nodes" => Shape::List(&Shape::Object(Form::DerpRelay)),
                "Avoid" | "NoMeasureNoHome" => Shape::Flag,
                _ => Shape::Text(Slot::Plain),
            },
            Self::DerpRelay => match field {
                "RegionID" | "STUNPort" | "DERPPort" => Shape::Number,
                "STUNOnly" | "InsecureForTests" | "CanPort80" => Shape::Flag,
                _ => Shape::Text(Slot::Plain),
            },
        }
    }
}

/// The capabilities that a grant may give.
pub const CAPABILITIES: [&str; 8] = GRANTABLE;

const PLAIN: Shape = Shape::List(&Shape::Text(Slot::Plain));
const POSTURES: Shape = Shape::List(&Shape::Text(Slot::Posture));
const APPROVERS: Shape = selectors(Place::Approver);

/// A list of selectors at a place.
const fn selectors(place: Place) -> Shape {
    Shape::List(match place {
        Place::AclSrc => &Shape::Text(Slot::Selector(Place::AclSrc)),
        Place::AclDst => &Shape::Text(Slot::Selector(Place::AclDst)),
        Place::GrantSrc => &Shape::Text(Slot::Selector(Place::GrantSrc)),
        Place::GrantDst => &Shape::Text(Slot::Selector(Place::GrantDst)),
        Place::Via => &Shape::Text(Slot::Selector(Place::Via)),
        Place::SshSrc => &Shape::Text(Slot::Selector(Place::SshSrc)),
        Place::SshDst => &Shape::Text(Slot::Selector(Place::SshDst)),
        Place::Recorder => &Shape::Text(Slot::Selector(Place::Recorder)),
        Place::TagOwner => &Shape::Text(Slot::Selector(Place::TagOwner)),
        Place::Approver => &Shape::Text(Slot::Selector(Place::Approver)),
        Place::NodeAttrTarget => &Shape::Text(Slot::Selector(Place::NodeAttrTarget)),
        Place::GroupMember => &Shape::Text(Slot::Selector(Place::GroupMember)),
    })
}

fn section(name: &str) -> Shape {
    const MEMBERS: Shape = selectors(Place::GroupMember);
    const OWNERS: Shape = selectors(Place::TagOwner);
    match name {
        "acls" => Shape::List(&Shape::Object(Form::Acl)),
        "grants" => Shape::List(&Shape::Object(Form::Grant)),
        "ssh" => Shape::List(&Shape::Object(Form::Ssh)),
        "groups" => Shape::Map(Slot::Definition(Named::Group), &MEMBERS),
        "hosts" => Shape::Map(Slot::Definition(Named::Host), &Shape::Text(Slot::Address)),
        "tagOwners" => Shape::Map(Slot::Definition(Named::Tag), &OWNERS),
        "ipsets" => {
            Shape::Map(Slot::Definition(Named::Ipset), &Shape::List(&Shape::Text(Slot::IpsetStep)))
        }
        "postures" => Shape::Map(
            Slot::Definition(Named::Posture),
            &Shape::List(&Shape::Text(Slot::Condition)),
        ),
        "defaultSrcPosture" => POSTURES,
        "autoApprovers" => Shape::Object(Form::AutoApprovers),
        "nodeAttrs" => Shape::List(&Shape::Object(Form::NodeAttr)),
        "tests" => Shape::List(&Shape::Object(Form::Test)),
        "sshTests" => Shape::List(&Shape::Object(Form::SshTest)),
        "derpMap" => Shape::Object(Form::DerpMap),
        "disableIPv4" | "randomizeClientPort" => Shape::Flag,
        "OneCGNATRoute" => Shape::Text(Slot::CgnatRoute),
        _ => Shape::Foreign,
    }
}
