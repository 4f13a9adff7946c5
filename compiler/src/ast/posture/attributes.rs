//! The attributes of devices that Tailscale and the services it works with set, and their values.
//!
//! Names in `custom:` are a tailnet's own, those in `fleetPolicy:` are names of policies. Checking,
//! completion and the language page read this one table.
//!
//! SOURCE: docs/language.md, "Posture attributes".

use super::Operand;

/// What an attribute may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Values {
    /// True or false.
    Flag,
    /// A number.
    Number,
    /// A version, as a text, compared field by field.
    Version,
    /// Any text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// The code of a country: two capital letters.
    Country,
}

const SYSTEMS: Values = Values::OneOf(&[
    "macos", "windows", "linux", "ios", "android", "freebsd", "openbsd", "illumos", "js",
]);
const DISK: Values = Values::OneOf(&[
    "ALL_ENCRYPTED",
    "SOME_ENCRYPTED",
    "BOOT_ENCRYPTED",
    "NOT_ENCRYPTED",
    "NOT_APPLICABLE",
]);
const PROTECTION: Values =
    Values::OneOf(&["NOT_COLLECTED", "NOT_AVAILABLE", "DISABLED", "ENABLED"]);

/// Every attribute with a name of its own.
#[rustfmt::skip]
pub const ATTRIBUTES: [(&str, Values); 33] = [
    ("node:os",                           SYSTEMS),
    ("node:osVersion",                    Values::Version),
    ("node:tsVersion",                    Values::Version),
    ("node:tsReleaseTrack",               Values::OneOf(&["stable", "unstable"])),
    ("node:tsAutoUpdate",                 Values::Flag),
    ("node:tsStateEncrypted",             Values::Flag),
    ("ip:country",                        Values::Country),
    ("ip:publicAddress",                  Values::Text),
    ("falcon:ztaScore",                   Values::Number),
    ("sentinelOne:operationalState",      Values::Text),
    ("sentinelOne:activeThreats",         Values::Number),
    ("sentinelOne:agentVersion",          Values::Version),
    ("sentinelOne:encryptedApplications", Values::Flag),
    ("sentinelOne:firewallEnabled",       Values::Flag),
    ("sentinelOne:infected",              Values::Flag),
    ("kolide:authState",                  Values::Text),
    ("fleet:present",                     Values::Flag),
    ("huntress:defenderStatus",           Values::Text),
    ("huntress:defenderPolicyStatus",     Values::Text),
    ("huntress:firewallStatus",           Values::Text),
    ("kandji:mdmEnabled",                 Values::Flag),
    ("kandji:agentInstalled",             Values::Flag),
    ("jamfPro:remoteManaged",             Values::Flag),
    ("jamfPro:supervised",                Values::Flag),
    ("jamfPro:firewallEnabled",           Values::Flag),
    ("jamfPro:fileVaultStatus",           DISK),
    ("jamfPro:SIPEnabled",                PROTECTION),
    ("intune:complianceState",            Values::Text),
    ("intune:azureADRegistered",          Values::Flag),
    ("intune:deviceRegistrationState",    Values::Text),
    ("intune:isSupervised",               Values::Flag),
    ("intune:isEncrypted",                Values::Flag),
    ("intune:managedDeviceOwnerType",     Values::Text),
];

/// What people call some systems, and their values of `node:os`.
pub const OTHER_NAMES: [(&str, &str); 8] = [
    ("mac", "macos"),
    ("osx", "macos"),
    ("darwin", "macos"),
    ("win", "windows"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("ipados", "ios"),
    ("ubuntu", "linux"),
];

/// The namespaces whose names nobody can list.
const OPEN: [&str; 2] = ["custom", "fleetPolicy"];

/// What an attribute may be; `None` where that is not known.
pub fn values(attribute: &str) -> Option<Values> {
    ATTRIBUTES.iter().find(|it| it.0 == attribute).map(|it| it.1)
}

/// Whether there may be such an attribute although it is not in the list.
pub fn is_open(attribute: &str) -> bool {
    attribute.split_once(':').is_some_and(|it| OPEN.contains(&it.0))
}

impl Values {
    /// Whether an attribute can be equal to an operand.
    pub fn can_be(self, operand: &Operand) -> bool {
        match (self, operand) {
            (Values::Flag, Operand::Bool(_)) | (Values::Number, Operand::Number(_)) => true,
            (Values::Version | Values::Text, Operand::Text(_)) => true,
            (Values::OneOf(all), Operand::Text(text)) => all.contains(&&**text),
            (Values::Country, Operand::Text(text)) => {
                text.len() == 2 && text.bytes().all(|it| it.is_ascii_uppercase())
            }
            _ => false,
        }
    }
}
