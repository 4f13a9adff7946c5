//! The words of a policy file: the names of the members of each object, and the attributes that
//! Tailscale knows. Reading, completion and the JSON Schema take them from here.
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
