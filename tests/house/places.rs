//! The tables of places and selectors in the pages ↔ the one that the compiler checks.

use compiler::Dialect;
use compiler::policy::place::{Kind, Place, allowed_by};
use libtest_mimic::{Failed, Trial};
use tests::{read_text, root};

use crate::none_of;

/// The pages that draw the table, and whose it is.
const PAGES: [(&str, Dialect); 3] = [
    ("docs/language.md", Dialect::Tailscale),
    ("docs/diagnostics/acl-E0401.md", Dialect::Tailscale),
    ("docs/headscale.md", Dialect::Headscale),
];

/// The first cell of the table, by which it is found.
const CORNER: &str = "selector";

/// The columns as a page names them.
const COLUMNS: [(&str, Place); 12] = [
    ("acl `src`", Place::AclSrc),
    ("acl `dst`", Place::AclDst),
    ("grant `src`", Place::GrantSrc),
    ("grant `dst`", Place::GrantDst),
    ("`via`", Place::Via),
    ("ssh `src`", Place::SshSrc),
    ("ssh `dst`", Place::SshDst),
    ("`recorder`", Place::Recorder),
    ("`tagOwners`", Place::TagOwner),
    ("`autoApprovers`", Place::Approver),
    ("`target`", Place::NodeAttrTarget),
    ("`groups`", Place::GroupMember),
];

/// The rows as a page names them.
const ROWS: [(&str, Kind); 18] = [
    ("`*`", Kind::Any),
    ("a login", Kind::User),
    ("`user:*@domain`", Kind::UserDomain),
    ("`group:…`", Kind::Group),
    ("`tag:…`", Kind::Tag),
    ("`autogroup:member`", Kind::Member),
    ("`autogroup:tagged`", Kind::Tagged),
    ("autogroup of a role", Kind::Role),
    ("`autogroup:self`", Kind::OwnDevices),
    ("`autogroup:internet`", Kind::Internet),
    ("`autogroup:danger-all`", Kind::DangerAll),
    ("`autogroup:shared`", Kind::Shared),
    ("`autogroup:nonroot`", Kind::Nonroot),
    ("an address", Kind::Address),
    ("a prefix", Kind::Prefix),
    ("a host", Kind::Host),
    ("`ipset:…`", Kind::Ipset),
    ("`svc:…`", Kind::Service),
];

pub(crate) fn trials() -> Vec<Trial> {
    let page = |(page, dialect): (&'static str, Dialect)| {
        Trial::test(format!("what may stand where, as in {page}"), move || table(page, dialect))
    };
    PAGES.into_iter().map(page).collect()
}

fn table(page: &str, dialect: Dialect) -> Result<(), Failed> {
    let text = read_text(&root().join(page))?;
    let mut rows = text
        .lines()
        .map(cells)
        .skip_while(|it| it.first() != Some(&CORNER) || it.len() != COLUMNS.len() + 1);
    let head = rows.next().ok_or_else(|| format!("{page} has no table of places"))?;
    let names: Vec<&str> = std::iter::once(CORNER).chain(COLUMNS.map(|it| it.0)).collect();
    if head != names {
        return Err(format!("the columns are {head:?}, not {names:?}").into());
    }
    let mut wrong = Vec::new();
    let mut rows = rows.skip(1);
    for (name, kind) in ROWS {
        let row = rows.next().unwrap_or_default();
        let answer = |place| if allowed_by(dialect, place, kind) { "yes" } else { "–" };
        let answers = COLUMNS.map(|(_, place)| answer(place));
        let right: Vec<&str> = std::iter::once(name).chain(answers).collect();
        if row != right {
            wrong.push(format!("the page   {}\nthe table  {}", row.join(" | "), right.join(" | ")));
        }
    }
    if let Some(more) = rows.next().filter(|it| !it.is_empty()) {
        wrong.push(format!("no kind of selector is {more:?}"));
    }
    none_of(wrong)
}

/// The cells of a row; none for a line of anything else.
fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim().strip_prefix('|').and_then(|it| it.strip_suffix('|'));
    inside.map(|it| it.split('|').map(str::trim).collect()).unwrap_or_default()
}
