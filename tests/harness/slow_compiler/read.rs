//! Plain JSON → rules with their destinations in order, and nodes with their effective routes.
//!
//! SOURCE: docs/language.md, "Ports and protocols" and "From rules to tables" and "Order and merging".

use serde_json::Value;

use super::{Dst, Node, Ports, Rule, World, texts};
use crate::addresses::canonical;

fn ports(written: &str) -> Ports {
    let port = |it: &str| it.parse().unwrap();
    let range = |it: &str| match it.split_once('-') {
        _ if it == "*" => (0, 65535),
        Some((first, last)) => (port(first), port(last)),
        None => (port(it), port(it)),
    };
    written.split(',').map(range).collect()
}

fn protocol(written: &str) -> u64 {
    match written {
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "gre" => 47,
        "sctp" => 132,
        number => number.parse().unwrap(),
    }
}

/// The place of a destination within its unit (5.3).
pub(super) fn kind(selector: &str) -> u8 {
    match selector.split_once(':').map_or(selector, |it| it.0) {
        "*" => 0,
        "group" => 2,
        "tag" => 4,
        "autogroup" | "user" => 5,
        _ if selector.contains('@') => 1,
        _ => 3,
    }
}

impl Rule {
    pub(super) fn acl(entry: &Value, default: &[String]) -> Rule {
        let mut to: Vec<Dst> = Vec::new();
        for written in texts(&entry["dst"]) {
            let (selector, listed) = written.rsplit_once(':').unwrap();
            let selector = selector.trim_matches(['[', ']']);
            match to.iter_mut().find(|it| it.0 == selector) {
                Some(first) => first.1.extend(ports(listed)),
                None => to.push((selector.to_owned(), ports(listed))),
            }
        }
        to.sort_by_key(|it| kind(&it.0));
        let units = vec![(entry["proto"].as_str().map(protocol), to)];
        Rule::with(entry, default, units)
    }

    fn grant(entry: &Value, default: &[String]) -> Rule {
        let mut dst = texts(&entry["dst"]);
        dst.sort_by_key(|it| kind(it));
        let mut by_protocol: Vec<(Option<u64>, Ports)> = Vec::new();
        for item in texts(&entry["ip"]) {
            let (number, listed) = match item.split_once(':') {
                Some((name, listed)) => (Some(protocol(name)), ports(listed)),
                None => (None, ports(&item)),
            };
            match by_protocol.iter_mut().find(|it| it.0 == number) {
                Some(first) => first.1.extend(listed),
                None => by_protocol.push((number, listed)),
            }
        }
        let to = |ports: Ports| dst.iter().map(|it| (it.clone(), ports.clone())).collect();
        let units = by_protocol.into_iter().map(|(number, ports)| (number, to(ports))).collect();
        Rule::with(entry, default, units)
    }

    fn with(entry: &Value, default: &[String], units: Vec<(Option<u64>, Vec<Dst>)>) -> Rule {
        let mut dst = texts(&entry["dst"]);
        dst.sort_by_key(|it| kind(it));
        let own = texts(&entry["srcPosture"]);
        let postures = if own.is_empty() { default.to_vec() } else { own };
        let (src, via) = (texts(&entry["src"]), texts(&entry["via"]));
        Rule { src, dst, units, app: entry["app"].clone(), via, postures }
    }
}

impl<'a> World<'a> {
    pub(super) fn new(policy: &'a Value, inventory: &Value) -> Self {
        let user = |name: &Value| {
            inventory["users"].as_array().unwrap().iter().find(|it| it["name"] == *name)
        };
        let mut nodes = Vec::new();
        for it in inventory["nodes"].as_array().unwrap() {
            let advertised: Vec<String> =
                texts(&it["routableIPs"]).iter().map(|it| canonical(it)).collect();
            let mut approved: Vec<String> =
                texts(&it["approvedRoutes"]).iter().map(|it| canonical(it)).collect();
            approved.sort_unstable();
            approved.dedup();
            let (exits, routes) = approved
                .into_iter()
                .filter(|it| advertised.contains(it))
                .partition(|it| it.ends_with("/0"));
            let tags = texts(&it["tags"]);
            let owner = user(&it["user"]).filter(|_| tags.is_empty());
            nodes.push(Node {
                name: it["name"].as_str().unwrap().to_owned(),
                addresses: [&it["ipv4"], &it["ipv6"]]
                    .iter()
                    .filter_map(|it| it.as_str().map(str::to_owned))
                    .collect(),
                login: owner.and_then(|it| it["email"].as_str()).map(str::to_owned),
                role: owner.and_then(|it| it["role"].as_str()).unwrap_or_default().to_owned(),
                tags,
                routes,
                exits,
                attributes: it["attributes"].clone(),
            });
        }
        let created = |at: &usize| inventory["nodes"][at]["created"].as_str();
        let mut by_age: Vec<usize> = (0..nodes.len()).collect();
        by_age.sort_by_key(|at| (created(at).is_none(), created(at), *at));
        let default = texts(&policy["defaultSrcPosture"]);
        let entries = |section: &str| policy[section].as_array().into_iter().flatten();
        let grants = entries("grants").map(|it| Rule::grant(it, &default));
        let rules = grants.chain(entries("acls").map(|it| Rule::acl(it, &default))).collect();
        let neither = policy["grants"].is_null() && policy["acls"].is_null();
        let domains = texts(&inventory["tailnet"]["domains"]);
        World { policy, domains, nodes, by_age, rules: (!neither).then_some(rules) }
    }
}
