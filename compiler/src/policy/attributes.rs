//! `nodeAttrs` → [`NodeAttr`]s: what is given to which targets, and the pools of addresses checked.
//!
//! SOURCE: docs/language.md, "Node attributes".

use super::names::Names;
use super::problem::{PoolTrouble, Problem};
use super::*;

/// Checks and resolves every entry.
pub(super) fn attributes(names: &mut Names, file: &PolicyFile) -> Vec<NodeAttr> {
    let mut attributes = Vec::with_capacity(file.node_attrs.len());
    for (entry, index) in file.node_attrs.iter().zip(0..) {
        let target = names.resolve_all(Place::NodeAttrTarget, &entry.target);
        for pool in &entry.ip_pool {
            if let Some(why) = pool_trouble(pool.value) {
                names.problems.push(Problem::Pool { span: pool.span, pool: pool.value, why });
            }
        }
        attributes.push(NodeAttr {
            index,
            span: entry.span,
            target,
            attr: entry.attr.clone(),
            app: entry.app.clone(),
            connectors: entry.connectors.clone(),
        });
    }
    attributes
}

/// Why no addresses may be taken from a pool, if so.
fn pool_trouble(pool: IpNet) -> Option<PoolTrouble> {
    const CGNAT: [u8; 4] = [100, 64, 0, 0];
    // SOURCE: docs/language.md, "Node attributes": Tailscale's own addresses, and ChromeOS containers.
    const RESERVED: [([u8; 4], u8); 3] =
        [([100, 100, 0, 0], 24), ([100, 100, 100, 0], 24), ([100, 115, 92, 0], 23)];
    let net = |(address, bits): ([u8; 4], u8)| {
        IpNet::new(IpAddr::from(address), bits).unwrap_or_default()
    };
    if !net((CGNAT, 10)).contains(&pool) {
        return Some(PoolTrouble::Outside);
    }
    RESERVED.iter().any(|it| overlap(&net(*it), &pool)).then_some(PoolTrouble::Reserved)
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}
