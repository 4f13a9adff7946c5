//! The tables of all nodes → whom one of them sees, and who carries which route for it.
//!
//! SOURCE: docs/language.md, "Routes" and "Peers".

use serde_json::{Map, Value, json};

use super::{INTERNET, Node, Rule, Table, World, list, texts, with_length, with_lengths};
use crate::addresses::overlap;

impl World<'_> {
    /// `peers` of a node (8.4 to 8.6).
    pub(super) fn peers(&self, at: usize, tables: &[Table], plain: &[Table]) -> Value {
        let visible: Vec<usize> =
            (0..self.nodes.len()).filter(|it| self.sees(at, *it, tables)).collect();
        let mut routes: Vec<&String> = self.nodes.iter().flat_map(|it| &it.routes).collect();
        routes.sort_unstable();
        routes.dedup();
        let carried: Vec<(&String, usize)> = routes
            .into_iter()
            .filter_map(|it| Some((it, self.carrier(at, it, &visible, plain)?)))
            .filter(|it| visible.contains(&it.1))
            .collect();
        let mut peers = Map::new();
        for peer in visible {
            let node = &self.nodes[peer];
            let own: Vec<&String> =
                carried.iter().filter(|it| it.1 == peer).map(|it| it.0).collect();
            let mut known = node.addresses.clone();
            if self.is_only_ipv6(at) || self.is_only_ipv6(peer) {
                known.retain(|it| it.contains(':'));
            }
            let mut allowed = with_lengths(&known);
            allowed.extend(own.iter().map(|it| with_length(it)));
            let mut entry = json!({});
            if !node.exits.is_empty() && self.may_leave(at, &tables[peer]) {
                let mut exits = node.exits.clone();
                exits.sort_unstable();
                allowed.extend(exits);
                entry["capMap"] = json!({"suggest-exit-node": null});
            }
            entry["allowedIPs"] = json!(allowed);
            if !own.is_empty() {
                let own: Vec<String> = own.into_iter().map(|it| with_length(it)).collect();
                entry["primaryRoutes"] = json!(own);
            }
            peers.insert(node.name.clone(), entry);
        }
        Value::Object(peers)
    }

    /// Whether two nodes see each other (8.6).
    fn sees(&self, one: usize, other: usize, tables: &[Table]) -> bool {
        let lets = |receiver: usize, sender: usize| {
            let from = |rule: &Value| self.lets_in(rule, &self.nodes[sender]);
            tables[receiver].iter().any(from)
        };
        let via = |router: usize, sender: usize| {
            let steers = |rule: &&Rule| {
                self.is_named(sender, rule)
                    && rule.dst.iter().any(|it| {
                        it != "autogroup:internet"
                            && !self.steered(&self.nodes[router], rule, it).is_empty()
                    })
            };
            self.vias().any(|it| steers(&it))
        };
        one != other && (lets(one, other) || lets(other, one) || via(one, other) || via(other, one))
    }

    fn lets_in(&self, rule: &Value, node: &Node) -> bool {
        let own: Vec<&String> = node.addresses.iter().chain(&node.routes).collect();
        texts(&rule["SrcIPs"]).iter().any(|src| own.iter().any(|it| overlap(src, it)))
    }

    fn vias(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().flatten().filter(|it| !it.via.is_empty())
    }

    /// Whether the sources of a rule contain a node's own addresses.
    fn is_named(&self, at: usize, rule: &Rule) -> bool {
        let src = self.sources(&rule.src, &rule.postures);
        src.iter().any(|src| self.nodes[at].addresses.iter().any(|it| overlap(src, it)))
    }

    /// The peer that carries a route for a viewer (8.4, 8.5).
    fn carrier(
        &self,
        viewer: usize,
        route: &str,
        visible: &[usize],
        plain: &[Table],
    ) -> Option<usize> {
        let advertises = |it: &usize| self.nodes[*it].routes.iter().any(|it| it == route);
        let advertisers: Vec<usize> = self.by_age.iter().copied().filter(advertises).collect();
        let primary = *advertisers.first()?;
        if primary == viewer {
            return None;
        }
        let to_route = |rule: &Value| destinations(rule).iter().any(|it| overlap(it, route));
        let lets_in = |rule: &Value| self.lets_in(rule, &self.nodes[viewer]) && to_route(rule);
        let mut others = advertisers.iter().filter(|it| **it != viewer);
        let forward = others.any(|it| plain[*it].iter().any(lets_in));
        let from_route = |rule: &Value| texts(&rule["SrcIPs"]).iter().any(|it| overlap(it, route));
        let reverse = plain[viewer].iter().any(from_route);
        let standby = advertisers.contains(&viewer) && visible.contains(&primary);
        if forward || reverse || standby {
            return Some(primary);
        }
        let steering = |rule: &&Rule| {
            let to = rule.dst.iter().flat_map(|it| self.literals(it).unwrap_or_default());
            self.is_named(viewer, rule) && to.into_iter().any(|it| overlap(&it, route))
        };
        let tags: Vec<&String> = self.vias().filter(steering).flat_map(|it| &it.via).collect();
        let tagged = |it: &usize| self.nodes[*it].tags.iter().any(|it| tags.contains(&it));
        advertisers.into_iter().find(tagged)
    }

    /// Whether a viewer may go to the internet through the node with this table (8.5).
    fn may_leave(&self, viewer: usize, exit: &Table) -> bool {
        let outside = |it: &Value| it["IP"] == "*" || INTERNET.iter().any(|net| it["IP"] == **net);
        let own = |src: &String| self.nodes[viewer].addresses.iter().any(|it| overlap(it, src));
        exit.iter().any(|rule| {
            list(&rule["DstPorts"]).iter().any(outside) && texts(&rule["SrcIPs"]).iter().any(own)
        })
    }
}

/// All addresses that a rule leads to.
fn destinations(rule: &Value) -> Vec<String> {
    let ports =
        list(&rule["DstPorts"]).iter().map(|it| vec![it["IP"].as_str().unwrap().to_owned()]);
    ports.chain(list(&rule["CapGrant"]).iter().map(|it| texts(&it["Dsts"]))).flatten().collect()
}
