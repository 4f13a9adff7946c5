//! The list of all codes, a line each: name, severity, title. A published code is never reused or
//! renumbered. Each has a page in `docs/diagnostics` and a folder in `tests/diagnostics`; one that is
//! retired, because nothing is found of that kind any more, keeps its line and its page.
//!
//! The hundred says which stage finds it: 00 limits and encoding, 01 HuJSON text, 02 shape of the
//! file, 03 names, 04 meaning, 05 assertions, 06 facts of the tailnet, 07 inventories, 08 configuration,
//! 10 to 19 what a critic would say.

use std::fmt;

use super::Severity;

/// A stable code such as `acl/E0301`. Compares as it is numbered.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(&'static str);

impl Code {
    /// `E0301`, without the `acl/` in front.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// How grave a finding with this code is unless configured otherwise.
    pub fn severity(self) -> Severity {
        self.entry().map_or(Severity::Error, |it| it.severity)
    }

    /// The stage that finds it, the hundred of its number; 10 and above for lints.
    pub fn stage(self) -> u8 {
        self.0.get(1..3).and_then(|it| it.parse().ok()).unwrap_or_default()
    }

    /// What it is about, as a heading: "unknown tag".
    pub fn title(self) -> &'static str {
        self.entry().map_or("", |it| it.title)
    }

    /// The code that `text` names, as `acl/E0301` or `E0301`, in any case.
    pub fn parse(text: &str) -> Option<Code> {
        let name = text
            .get(..4)
            .filter(|it| it.eq_ignore_ascii_case("acl/"))
            .map_or(text, |_| text.get(4..).unwrap_or_default());
        ALL.iter().find(|it| it.code.0.eq_ignore_ascii_case(name)).map(|it| it.code)
    }

    fn entry(self) -> Option<&'static Entry> {
        ALL.iter().find(|it| it.code == self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acl/{}", self.0)
    }
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Its severity unless configured otherwise.
    pub severity: Severity,
    /// What it is about, as a heading.
    pub title: &'static str,
    /// Whether nothing gives it any more.
    pub retired: bool,
}

macro_rules! codes {
    ($($name:ident $severity:ident $title:literal $($retired:ident)?;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(stringify!($name));
        )*
        /// Every code, in the order of the numbers.
        pub const ALL: &[Entry] = &[
            $(Entry {
                code: $name,
                severity: Severity::$severity,
                title: $title,
                retired: <[&str]>::len(&[$(stringify!($retired))?]) > 0,
            },)*
        ];
    };
}

codes! {
    E0001 Error   "file too large";
    E0002 Error   "nested too deep";
    E0003 Error   "invalid UTF-8";
    E0004 Error   "byte-order mark";
    E0005 Error   "empty file";

    E0101 Error   "unclosed bracket";
    E0102 Error   "unclosed string";
    E0103 Error   "missing comma";
    E0104 Error   "unexpected text";
    E0105 Error   "text after the end";
    E0106 Error   "missing colon";
    E0107 Error   "missing value";
    E0108 Error   "extra comma";
    E0109 Error   "member name is not a string";
    E0110 Error   "duplicate member";
    E0111 Error   "control character in a string";
    E0112 Error   "bad escape";
    E0113 Error   "bad number or word";
    E0114 Error   "unclosed comment";
    E0115 Error   "comment at the end without a line end";
    E0116 Error   "JSON5 syntax";
    E0117 Error   "wrong closing bracket";
    E0118 Error   "line separator in a comment";

    E0201 Error   "policy is not an object";
    E0202 Error   "unknown field";
    W0203 Warning "unusual spelling of a field";
    E0204 Error   "wrong type";
    E0205 Error   "field and its old name together";
    E0206 Error   "missing field";
    E0207 Error   "malformed selector";
    E0208 Error   "malformed ports";
    E0209 Error   "destination without ports";
    E0210 Error   "unknown protocol";
    E0211 Error   "malformed tag name";
    E0212 Error   "malformed address";
    E0213 Error   "unknown action";
    E0214 Error   "grant that grants nothing";
    E0215 Error   "malformed capability name";
    E0216 Error   "reserved capability";
    E0217 Error   "malformed name";
    E0218 Error   "malformed duration";
    E0219 Error   "malformed SSH user";
    E0220 Error   "empty environment pattern";
    E0221 Error   "malformed posture assertion";
    E0222 Error   "malformed IP set operation";
    W0223 Note    "section without effect on tables";
    W0224 Warning "prefix with host bits";
    E0225 Error   "unknown value of a setting";
    E0226 Error   "malformed relay map";
    E0227 Error   "address pool outside the allowed range";
    E0228 Error   "field that headscale does not have";
    W0229 Warning "field that headscale ignores";
    W0230 Warning "acl that accepts without an action";
    W0231 Warning "text that headscale alone takes";
    W0232 Warning "unknown parameter of a capability";
    W0233 Warning "parameter of the wrong type";
    W0234 Warning "unknown value of a parameter";
    W0235 Warning "unusual relay map";

    E0301 Error   "unknown tag";
    E0302 Error   "unknown group";
    E0303 Error   "unknown host";
    E0304 Error   "unknown IP set";
    E0305 Error   "unknown posture";
    E0306 Error   "unknown autogroup";

    E0401 Error   "selector not allowed here";
    E0402 Error   "autogroup:self with other sources than people";
    E0403 Error   "default route as destination";
    E0404 Error   "application grant to the internet";
    E0405 Error   "ports for a protocol without ports";
    E0406 Error   "group within a group";
    E0407 Error   "IP sets in a circle";
    E0408 Error   "SSH destination of another user";
    E0409 Error   "SSH check from a tag";
    E0410 Error   "both spellings of autogroup:member";
    W0411 Note    "old spelling of autogroup:member";
    E0412 Error   "IP sets too large";
    W0413 Warning "posture condition that decides nothing";
    W0414 Warning "unknown posture attribute";
    E0450 Error   "feature that headscale does not support";
    E0451 Error   "domain that headscale does not know";
    E0452 Error   "SSH check that nobody can approve";
    E0453 Error   "check period without a check";
    E0454 Error   "SSH test of too many addresses";
    W0455 Warning "rule that headscale alone takes";
    W0456 Warning "more access on headscale";
    W0457 Warning "less effect on headscale";

    E0501 Error   "assertion of access that the policy does not give";
    E0502 Error   "assertion of a refusal that the policy does not make";
    E0503 Error   "assertion about nobody";
    E0504 Error   "malformed destination of an assertion";
    E0505 Error   "assertion that asserts nothing";
    E0506 Error   "assertion with an unknown protocol";
    E0507 Error   "SSH assertion that does not hold";
    E0508 Error   "selector not allowed in an SSH assertion";
    E0509 Error   "SSH assertion without a user";
    W0510 Warning "assertion that depends on an unknown fact";
    W0511 Warning "rule that no assertion makes use of";
    W0512 Warning "change that no assertion notices";

    W0601 Warning "unknown user";
    E0602 Error   "domain of another tailnet";
    W0603 Note    "not judged without an inventory";
    W0604 Warning "posture that depends on an unknown fact";
    W0605 Warning "unknown service";
    W0606 Note    "assertions not evaluated" retired;
    W0607 Note    "section not compiled" retired;
    W0608 Warning "role that the inventory does not say";
    W0609 Warning "group whose members are not known";
    W0610 Warning "devices of other tailnets";
    E0611 Error   "login of several users";
    E0612 Error   "attributes for an unknown user";
    W0613 Warning "local part of nobody";
    W0614 Warning "exit node that every rule offers";
    W0615 Warning "exit node that nobody is told of";

    E0701 Error   "inventory is not JSON";
    E0702 Error   "not an inventory";
    E0703 Error   "wrong type in an inventory";
    E0704 Error   "malformed address in an inventory";
    E0705 Error   "two nodes of one name";
    E0706 Error   "two nodes with one address";
    E0707 Error   "node without a name";
    E0708 Error   "node of an unknown user";
    E0709 Error   "malformed time in an inventory";
    E0710 Error   "unknown role";
    E0711 Error   "two users of one name";
    E0712 Error   "node with both a user and tags";
    W0713 Note    "routes that the inventory cannot tell";
    W0714 Warning "unknown field in an inventory";
    W0715 Warning "node of a user that the inventory does not name";
    E0716 Error   "malformed tag in an inventory";
    W0717 Warning "route with host bits in an inventory";

    W0801 Warning "suppression that suppresses nothing";
    W0802 Warning "suppression of an unknown code";
    W0803 Warning "error that cannot be suppressed";
    E0804 Error   "configuration is not TOML or JSON5";
    W0805 Warning "unknown setting";
    E0806 Error   "wrong value of a setting";
    W0807 Warning "level of an unknown code";
    W0808 Warning "level of an error";
    E0810 Error   "definition in two fragments";
    E0811 Error   "setting in two fragments";
    E0812 Error   "malformed contract";
    E0813 Error   "fragment without a contract";
    E0814 Error   "section against a contract";
    E0815 Error   "definition against a contract";
    E0816 Error   "destination against a contract";

    E0901 Error   "malformed invariant";
    E0902 Error   "unknown name in an invariant";
    W0903 Warning "invariant about nobody";
    E0904 Error   "invariant that does not hold";

    W1001 Warning "everything open to everyone";
    W1002 Warning "no rules, so everything is open";
    W1003 Warning "no rule lets anybody in";
    W1004 Warning "wide range of ports";
    W1005 Note    "every port written out";
    W1006 Warning "protocol that the service does not speak";
    W1007 Warning "protocol number written as a port";
    W1008 Warning "prefix that is the whole tailnet";

    W1101 Note    "group that nothing uses";
    W1102 Note    "tag that nothing uses";
    W1103 Note    "host that nothing uses";
    W1104 Note    "IP set that nothing uses";
    W1105 Note    "posture that nothing uses";
    W1106 Warning "group without members";
    W1107 Note    "listed twice";
    W1108 Note    "covered by its neighbour";
    W1109 Note    "two hosts with one address";
    W1110 Warning "IP set without addresses";
    W1111 Warning "rule without sources or destinations";

    W1201 Warning "device that nobody tagged behind a wide rule";
    W1202 Warning "device that no rule speaks of";
    W1203 Note    "device that nobody tagged and no rule reaches";
    W1204 Warning "tag on a device that the policy does not define";
    W1205 Note    "address of a device in a rule";
    W1206 Warning "address that no device has";
    W1207 Warning "tag that anyone may apply";

    W1301 Warning "route that nobody approved";
    W1302 Warning "network to which no route leads";
    W1303 Warning "exit node that nobody approved";
    W1304 Note    "internet without an exit node";
    W1305 Note    "routes that wait for approval";
    W1306 Warning "exit node that nobody may use";
    W1307 Warning "route that no rule lets anybody use";
    W1308 Warning "tag of a router for the network behind it";
    W1309 Warning "every route approved";
    W1310 Warning "routes of anyone approved";
    W1311 Warning "via without a route";
    W1312 Warning "via that steers nothing";
    W1313 Warning "tag of an exit node for the internet";

    W1401 Warning "rule that others cover";
    W1402 Warning "repeated rule";
    W1403 Note    "attribute given twice";
    W1404 Note    "pair in both sections of rules";

    W1501 Warning "SSH rule without the network";
    W1502 Warning "root for everyone";
    W1503 Note    "root without a fresh login";
    W1504 Warning "SSH accept behind a check";
    W1505 Warning "check period without a check";
    W1506 Warning "any environment variable";
    W1507 Warning "selector as an SSH user";
    W1508 Warning "local part that opens one's own devices";
    W1509 Warning "recording enforced without a recorder";

    W1601 Note    "many rules without tests";
    W1602 Warning "tests that cannot fail";
    W1603 Note    "tests without a denial";
    W1604 Warning "denial of what is not there";

    W1701 Warning "Funnel for every device";
    W1702 Warning "node attributes without effect";
    W1703 Warning "unknown node attribute";
    W1704 Warning "posture that no device can have";

    W1801 Warning "capability without the network";
    W1802 Warning "shared folders without their attributes";
    W1803 Warning "capability beside via";

    W1901 Warning "expired";
    W1902 Warning "expiry without a day";
    W1903 Note    "rule too complex for one sentence";
}
