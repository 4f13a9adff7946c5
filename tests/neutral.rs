//! Policies under neutral names: who reaches whom stays, and no name is left.

use std::path::Path;

use compiler::emit::neutral::neutral;
use compiler::tables::{Summary, Tables};
use compiler::tailnet::{self, Tailnet};
use compiler::{check, policy::Policy};
use tests::{entries, read_text, root};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Every policy of the cases about tables and of the examples that has an inventory and no error.
fn policies() -> Result<Vec<(String, String, Tailnet)>> {
    let mut found = Vec::new();
    for folder in [root().join("tests/tables"), root().join("examples")] {
        for case in entries(&folder)? {
            let nodes = ["tailnet.json", "nodes.json"].map(|it| case.join(it));
            let Some(nodes) = nodes.iter().find(|it| it.is_file()) else { continue };
            let Some(tailnet) = tailnet::read(&read_text(nodes)?).tailnet else { continue };
            found.push((shown(&case), read_text(&case.join("policy.hujson"))?, tailnet));
        }
    }
    Ok(found)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// How much there is of everything, the same for the same access.
fn counts(text: &str, tailnet: &Tailnet) -> Option<Summary> {
    let checked = check(text, Some(tailnet));
    let all = Tables::new(checked.valid()?, tailnet).summary();
    // Into how many prefixes a set falls hangs on which addresses are neighbours.
    Some(Summary { bytes: 0, destinations: 0, ..all })
}

/// Everything that says whose policy it is.
fn names(policy: &Policy, tailnet: &Tailnet) -> Vec<String> {
    let users = tailnet.users().iter().map(|it| it.login.to_string());
    let nodes = tailnet.nodes().iter();
    let addresses = nodes.clone().flat_map(|it| it.addresses()).map(|it| format!("\"{it}\""));
    let groups = policy.groups.iter().map(|it| format!("\"{}\"", it.name.value));
    let tags = policy.tags.iter().map(|it| format!("\"{}\"", it.name.value));
    let names = nodes.map(|it| format!("\"{}\"", it.name));
    users.chain(addresses).chain(groups).chain(tags).chain(names).collect()
}

#[test]
fn access_stays() -> Result<()> {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, text, tailnet) in policies()? {
        let Some(before) = counts(&text, &tailnet) else { continue };
        let checked = check(&text, Some(&tailnet));
        for seed in [0, 1, 0xfeed] {
            let new = neutral(&checked.tree, &checked.policy, Some(&tailnet), seed);
            let after = new.tailnet.as_ref().and_then(|it| counts(&new.policy, it));
            if after != Some(before) {
                wrong.push(format!("{name}: {before:?} became {after:?}\n{}", new.policy));
            }
            tried += 1;
        }
    }
    assert!(tried > 90, "only {tried}");
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

#[test]
fn no_name_is_left() -> Result<()> {
    for example in ["homelab", "company", "headscale"] {
        let folder = root().join("examples").join(example);
        let text = read_text(&folder.join("policy.hujson"))?;
        let tailnet = tailnet::read(&read_text(&folder.join("nodes.json"))?).tailnet;
        let tailnet = tailnet.ok_or("an inventory")?;
        let checked = check(&text, Some(&tailnet));
        let new = neutral(&checked.tree, &checked.policy, Some(&tailnet), 5);
        let nodes = new.tailnet.as_ref().map(tailnet::write).unwrap_or_default();
        let left: Vec<String> = names(&checked.policy, &tailnet)
            .into_iter()
            .filter(|it| new.policy.contains(it.as_str()) || nodes.contains(it.as_str()))
            .collect();
        assert!(left.is_empty(), "{example}: {left:?}\n{}", new.policy);
        assert!(!new.policy.contains("//"), "{example} has comments\n{}", new.policy);
    }
    Ok(())
}
