//! The words of a policy file: the names of the members of each object with what each says, and the
//! attributes that Tailscale knows. Reading, completion, hover and the JSON Schema take them from here.
//!
//! SOURCE: docs/language.md, "Rules", "Node attributes" and "The file".

/// An entry of `acls`; the last two are what `src` and `dst` were once called.
pub const ACL: [&str; 7] = ["action", "src", "dst", "proto", "srcPosture", "users", "ports"];

/// An entry of `grants`.
pub const GRANT: [&str; 6] = ["src", "dst", "ip", "app", "via", "srcPosture"];

/// An entry of `ssh`.
pub const SSH: [&str; 9] = [
    "action",
    "src",
    "dst",
    "users",
    "checkPeriod",
    "acceptEnv",
    "srcPosture",
    "recorder",
    "enforceRecorder",
];

/// The section `autoApprovers`.
pub const AUTO_APPROVERS: [&str; 3] = ["routes", "exitNode", "services"];

/// An entry of `nodeAttrs`.
pub const NODE_ATTR: [&str; 4] = ["target", "attr", "app", "ipPool"];

/// An entry of `tests`; the last two are what `src` and `accept` were once called.
pub const TEST: [&str; 7] = ["src", "proto", "accept", "deny", "srcPostureAttrs", "user", "allow"];

/// An entry of `sshTests`.
pub const SSH_TEST: [&str; 6] = ["src", "dst", "accept", "check", "deny", "srcPostureAttrs"];

/// The section `derpMap`.
pub const DERP_MAP: [&str; 3] = ["OmitDefaultRegions", "Regions", "HomeParams"];

/// `HomeParams` of `derpMap`.
pub const DERP_HOME: [&str; 1] = ["RegionScore"];

/// A region of `derpMap`.
pub const DERP_REGION: [&str; 8] = [
    "RegionID",
    "RegionCode",
    "RegionName",
    "Nodes",
    "Avoid",
    "NoMeasureNoHome",
    "Latitude",
    "Longitude",
];

/// A relay of a region.
pub const DERP_RELAY: [&str; 12] = [
    "HostName",
    "Name",
    "RegionID",
    "CertName",
    "IPv4",
    "IPv6",
    "STUNPort",
    "STUNOnly",
    "DERPPort",
    "InsecureForTests",
    "STUNTestIP",
    "CanPort80",
];

/// What `OneCGNATRoute` may be.
pub const CGNAT_ROUTES: [&str; 3] = ["", "mac-always", "mac-never"];

/// The attributes of devices that Tailscale documents, or that its client reads. Any other text is
/// kept and handed to the device as it is.
pub const ATTRIBUTES: [&str; 29] = [
    "auto-exit-node",
    "cache-network-maps",
    "client-side-reachability",
    "debug-always-stun",
    "debug-disable-upnp",
    "disable-captive-portal-detection",
    "disable-ipv4",
    "disable-relay-client",
    "disable-relay-server",
    "disable-web-client",
    "drive:access",
    "drive:share",
    "funnel",
    "https",
    "https://tailscale.com/cap/file-sharing",
    "linux-netfilter?v=iptables",
    "linux-netfilter?v=nftables",
    "log-exit-flows",
    "magicdns-aaaa",
    "native-ipv4",
    "nextdns:no-device-info",
    "one-cgnat?v=false",
    "one-cgnat?v=true",
    "only-tcp-443",
    "peer-mtu-enable",
    "randomize-client-port",
    "silent-disco",
    "suggest-exit-node",
    "traffic-steering",
];

/// What a member of an object says, in a sentence; `None` where its name says it all. Objects are named
/// as the definitions of the JSON Schema; the file itself has no name.
#[rustfmt::skip]
pub fn about(object: &str, member: &str) -> Option<&'static str> {
    Some(match (object, member) {
        ("", "acls") => "Rules for the network, in the older form.",
        ("", "grants") => "Rules: who may use which ports and capabilities of which destinations.",
        ("", "ssh") => "Who may log in to which devices by Tailscale SSH.",
        ("", "groups") => "Groups of users, by names such as `group:eng`.",
        ("", "hosts") => "Names for addresses and prefixes that are no devices.",
        ("", "tagOwners") => "Every tag, and who may give it to devices.",
        ("", "ipsets") => "Sets of addresses: what is added and removed, in order.",
        ("", "postures") => "What must hold for a device, by names such as `posture:latest`.",
        ("", "defaultSrcPosture") => "The postures of rules that name none.",
        ("", "autoApprovers") => "Whose routes, exit nodes and services need no approval.",
        ("", "nodeAttrs") => "Attributes of devices.",
        ("", "tests") => "What must be accepted or denied for the policy to be taken.",
        ("", "sshTests") => "The same for SSH.",
        ("", "derpMap") => "Relays of one's own.",
        ("", "disableIPv4") => "Whether devices have no IPv4 address.",
        ("", "OneCGNATRoute") => "Whether devices have one route for all of Tailscale's addresses.",
        ("", "randomizeClientPort") => "Whether devices take any free port instead of 41641.",
        ("", "attrConfig" | "extraDNSRecords") => "Read by nobody here.",

        ("acl", "action") => "What the rule does: always `accept`.",
        ("acl" | "grant", "src") => "Who is let in: one of these is enough.",
        ("acl", "dst") => "Where to, each with ports: `tag:web:443`.",
        ("acl", "proto") => "The protocol by name or number; without it TCP, UDP and ICMP.",
        ("acl" | "grant" | "ssh", "srcPosture") => "The postures one of which a source's device must have; they replace `defaultSrcPosture`.",
        ("acl", "users") => "The old name of `src`.",
        ("acl", "ports") => "The old name of `dst`.",

        ("grant", "dst") => "Where to, without ports: those stand in `ip`.",
        ("grant", "ip") => "The ports that are let through: `443`, `udp:53`, `tcp:8000-8999`, `*`.",
        ("grant", "app") => "Capabilities of applications, each with a list of values that the application reads.",
        ("grant", "via") => "The tags of the routers that the way leads through.",

        ("ssh", "action") => "`accept` lets a session in, `check` asks for a fresh login first. Where both fit, `check` wins.",
        ("ssh", "src") => "Who may log in.",
        ("ssh", "dst") => "On which devices.",
        ("ssh", "users") => "As which users of the device; `autogroup:nonroot` is everybody but root.",
        ("ssh", "checkPeriod") => "How long a fresh login lasts, with `check`: twelve hours unless said. `always` asks each time.",
        ("ssh", "acceptEnv") => "The variables of the environment that a session may bring; `*` and `?` stand for others.",
        ("ssh", "recorder") => "The tags of the devices that record sessions.",
        ("ssh", "enforceRecorder") => "Whether a session ends when it cannot be recorded.",

        ("autoApprovers", "routes") => "Who may have routes within each prefix approved unasked.",
        ("autoApprovers", "exitNode") => "Who may be an exit node unasked.",
        ("autoApprovers", "services") => "Who may offer each service unasked, or every service with a tag.",

        ("nodeAttr", "target") => "Which devices.",
        ("nodeAttr", "attr") => "The attributes they get.",
        ("nodeAttr", "app") => "Capabilities with values, such as those of app connectors.",
        ("nodeAttr", "ipPool") => "The addresses from which theirs are taken.",

        ("test" | "sshTest", "src") => "Whom the assertion is about.",
        ("test", "proto") => "The protocol; without it TCP.",
        ("test", "accept") => "Destinations with a port that the source must reach.",
        ("test", "deny") => "Destinations with a port that the source must not reach.",
        ("test" | "sshTest", "srcPostureAttrs") => "What the source's device is taken to be like.",
        ("test", "user") => "The old name of `src`.",
        ("test", "allow") => "The old name of `accept`.",

        ("sshTest", "dst") => "On which devices.",
        ("sshTest", "accept") => "The users of the device that the source must be able to be.",
        ("sshTest", "check") => "The users that it must be able to be after a fresh login.",
        ("sshTest", "deny") => "The users that it must not be able to be.",

        ("derpMap", "OmitDefaultRegions") => "Whether Tailscale's own relays are left out.",
        ("derpMap", "Regions") => "The regions by number; `null` takes one of Tailscale's away.",
        ("derpMap", "HomeParams") => "How devices choose the region they are reached through.",
        ("derpRegion", "Nodes") => "The relays of the region.",
        ("derpRegion", "Avoid") => "Whether the region is used only where nothing else works.",
        _ => return None,
    })
}
