//! The golden answers of Tailscale's control plane, where a checkout has them (`ACLC_SHARED`): one
//! trial a category, one printed row a field. Every answer is compared as the control plane gave
//! it, lists in their order; what the captures themselves lost is said below.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value gives null where there is nothing"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use compiler::diagnostic::Diagnostic;
use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{self, Tailnet};
use compiler::{Checked, policy};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value};
use tests::findings::Lints;
use tests::{entries, findings, name, read_text, shared};

/// The members of a node's answer, in the order they are shown.
const FIELDS: &[&str] = &["filterRules", "filterMatches", "sshRules", "capMap", "peers", "whois"];

/// Members of a capability map that the tailnet's own state adds and no inventory decides.
const STATE_CAPS: &[&str] = &[
    "default-auto-update",
    "https://tailscale.com/cap/is-owner",
    "https://tailscale.com/cap/is-admin",
    "tailnet-display-name",
];

/// Members whose keys mean something even where the value is null or empty.
const MAPS: &[&str] = &["CapMap", "capMap", "sshUsers"];

/// Cases that the capture damaged, and the field that is not compared (none: the whole case).
/// `acl-k03` was taken while a route was being approved; in the other two an address of the policy
/// was given to a node afterwards.
const DAMAGED: &[(&str, Option<&str>)] = &[
    ("acl-k03", Some("peers")),
    ("sshtest-malformed-dst-bare-ipv6", None),
    ("policytest-allpass-grants-only-tag-src-ipv6-literal-dst", None),
];

/// A message that still showed a name from before it was replaced, and how it reads now.
const RENAMED: (&str, &str, &str) = ("ssh-e1", "PASSKEY is not", "EXAMPLE.COM is not");

/// How many wrong cases a failure shows.
const SHOWN: usize = 5;

fn main() -> Result<std::process::ExitCode, String> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    match shared("conformance") {
        Ok(Some(folder)) => {
            for category in entries(&folder)?.into_iter().filter(|it| it.is_dir()) {
                trials.push(Trial::test(name(&category).to_owned(), move || run(&category)));
            }
        }
        Ok(None) => say("golden cases: not here"),
        Err(error) => trials.push(Trial::test("golden cases", || Err(error.into()))),
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

#[expect(clippy::print_stdout, reason = "the score is for the reader of the test's output")]
fn say(text: &str) {
    println!("{text}");
}

/// How many answers of one kind are exact, how many at least hold the same, of how many.
#[derive(Default)]
struct Tally {
    exact: usize,
    same: usize,
    all: usize,
}

/// Scores one category and prints its rows.
fn run(category: &Path) -> Result<(), Failed> {
    let mut tally = BTreeMap::new();
    let (mut whole, mut all) = (0, 0);
    let mut wrong = Vec::new();
    let files: Vec<PathBuf> = entries(category)?;
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let case: Value = serde_json::from_str(&read_text(file)?).map_err(|it| it.to_string())?;
        let id = case["id"].as_str().unwrap_or_default().to_owned();
        if DAMAGED.contains(&(&id, None)) {
            continue;
        }
        let differences = judge(&id, &case, &mut tally);
        all += 1;
        if differences.is_empty() {
            whole += 1;
        } else {
            wrong.push(format!("{id}\n    {}", differences.join("\n    ")));
        }
    }
    let name = name(category);
    let mut rows = String::new();
    for (field, Tally { exact, same, all }) in &tally {
        rows.push_str(&format!(
            "{name:11} {field:14} exact {exact:4}/{all:<4} same {same:4}/{all}\n"
        ));
    }
    say(&format!("{rows}{name:11} cases wholly exact: {whole}/{all}"));
    if wrong.is_empty() && all > 0 {
        return Ok(());
    }
    let rest = wrong.len().saturating_sub(SHOWN);
    wrong.truncate(SHOWN);
    Err(format!("\n{}\nand {rest} more cases", wrong.join("\n")).into())
}

/// Compares one case with its answer and counts it; a sentence for each difference.
fn judge(id: &str, case: &Value, tally: &mut BTreeMap<String, Tally>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut count = |field: &str, exact: bool, same: bool| {
        let row = tally.entry(field.to_owned()).or_default();
        row.all += 1;
        row.exact += usize::from(exact);
        row.same += usize::from(same);
    };
    let inventory = tailnet::read(&case["inventory"].to_string());
    let Some(tailnet) = &inventory.tailnet else {
        count("accepted", false, false);
        let first = inventory.diagnostics.first().map_or("no word", |it| &it.message);
        return vec![format!("the inventory is not read: {first}")];
    };
    let policy = case["policy"].as_str().unwrap_or_default();
    let (checked, diagnostics) = findings::check(policy.as_bytes(), Some(tailnet), Lints::All);

    let refused = diagnostics.iter().any(|it| it.refusal.is_some());
    let accepted = if checked.undecided && !refused { Value::Null } else { Value::Bool(!refused) };
    let right = accepted == case["expect"]["accepted"];
    count("accepted", right, right);
    if !right {
        let found: Vec<String> =
            diagnostics.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
        differences.push(format!("accepted is {accepted}: {}", found.join("; ")));
    }
    if case["expect"]["accepted"] == Value::Bool(false) {
        let mut wanted = case["expect"]["message"].as_str().unwrap_or_default().to_owned();
        if id == RENAMED.0 {
            wanted = wanted.replace(RENAMED.1, RENAMED.2);
        }
        let answer = api(&diagnostics);
        let among = diagnostics.iter().filter_map(message).any(|it| *it == wanted);
        count("message", answer == Some(&wanted), among);
        if answer != Some(&wanted) {
            differences
                .push(format!("message {answer:?}, not {wanted:?}; among the findings: {among}"));
        }
        return differences;
    }
    let nodes = Map::new();
    let nodes = case["expect"]["nodes"].as_object().unwrap_or(&nodes);
    let answers = answers(&checked, tailnet, nodes);
    for field in FIELDS.iter().filter(|it| !DAMAGED.contains(&(id, Some(it)))) {
        let (mut exact, mut same) = (true, true);
        for (node, expected) in nodes {
            // Not captured for this node.
            if ["capMap", "peers", "whois"].contains(field) && expected.get(*field).is_none() {
                continue;
            }
            let answer = answers.get(node).unwrap_or(&Value::Null);
            let wanted = normal(case, field, &expected[*field], &expected[*field]);
            let given = normal(case, field, &answer[*field], &expected[*field]);
            if wanted == given {
                continue;
            }
            exact = false;
            if unordered(wanted.clone()) == unordered(given.clone()) {
                differences.push(format!("{field} of {node}: another order"));
            } else {
                same = false;
                differences.push(format!(
                    "{field} of {node}: {}, not {}",
                    short(&given),
                    short(&wanted)
                ));
            }
        }
        count(field, exact, same);
    }
    differences
}

/// The message of Tailscale's API for one finding.
fn message(diagnostic: &Diagnostic) -> Option<&String> {
    diagnostic.refusal.as_ref()?.message.as_ref()
}

/// The one message the API would answer with: that of the first step which stops.
fn api(diagnostics: &[Diagnostic]) -> Option<&String> {
    let refused =
        diagnostics.iter().filter_map(|it| Some((it.refusal.as_ref()?.turn, it.span, it)));
    refused.min_by_key(|(turn, span, _)| (*turn, *span)).and_then(|it| message(it.2))
}

/// Our answer for each of the wanted nodes; none where there is no table.
fn answers(
    checked: &Checked,
    tailnet: &Tailnet,
    wanted: &Map<String, Value>,
) -> BTreeMap<String, Value> {
    let Some(valid): Option<policy::Valid<'_>> = checked.valid() else { return BTreeMap::new() };
    let tables = Tables::new(valid, tailnet);
    let answer = |name: &String| {
        let mut json = b"{".to_vec();
        write_table(&tables, tailnet.node_named(name)?, Fields::ALL, &mut json);
        json.push(b'}');
        Some((name.clone(), serde_json::from_slice(&json).ok()?))
    };
    wanted.keys().filter_map(answer).collect()
}

/// One field of one node, so that equal answers are equal values.
fn normal(case: &Value, field: &str, value: &Value, expected: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(members) = &mut value {
        match field {
            "capMap" => members.retain(|name, _| !STATE_CAPS.contains(&name.as_str())),
            // Asked for the addresses that were captured only.
            "whois" => members.retain(|name, it| !empty(it) && expected.get(name).is_some()),
            _ => {}
        }
    }
    undisturbed(case, field, &mut value);
    match field {
        // Who is seen matters, even where nothing else is said of the peer.
        "peers" => each(value, |it| strip(it, false)),
        "whois" => each(value, |it| strip(it, true)),
        "capMap" => strip(each(value, |it| if empty(&it) { Value::Null } else { it }), true),
        _ if empty(&value) => Value::Null,
        _ => strip(value, false),
    }
}

/// Drops the order that the captures lost: of capabilities in a match (map order in the client),
/// and of what was sorted before the addresses of some cases were renumbered.
fn undisturbed(case: &Value, field: &str, value: &mut Value) {
    let mut nodes = case["inventory"]["nodes"].as_array().into_iter().flatten();
    let renumbered =
        nodes.any(|it| it["ipv4"].as_str().is_some_and(|it| it.starts_with("100.64.0.")));
    let renumbered_attributes = renumbered && case["category"] == "nodeattrs";
    let lists: &[&str] = match field {
        "filterMatches" if renumbered_attributes => &["Caps", "Srcs"],
        "filterMatches" => &["Caps"],
        "sshRules" if renumbered => &["principals"],
        "filterRules" if renumbered_attributes => &["SrcIPs"],
        _ => &[],
    };
    for rule in value.as_array_mut().into_iter().flatten() {
        for list in lists {
            if let Some(Value::Array(list)) = rule.get_mut(*list) {
                list.sort_by_cached_key(Value::to_string);
            }
        }
    }
}

/// Null, absent and empty are the same on the wire, but not below the keys of a map (`keep`).
fn strip(value: Value, keep: bool) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, it)| keep || !empty(it));
            let kept: Map<_, _> = kept
                .map(|(name, it)| {
                    let stripped = strip(it, MAPS.contains(&name.as_str()));
                    (name, stripped)
                })
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|it| strip(it, false)).collect()),
        other => other,
    }
}

/// The values of an object changed one by one; an absent object has none.
fn each(value: Value, change: impl Fn(Value) -> Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, it)| (name, change(it))).collect())
        }
        _ => Value::Object(Map::new()),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The same value with every list sorted, to tell a wrong order from a wrong answer.
fn unordered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, it)| (name, unordered(it))).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(unordered).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        other => other,
    }
}

/// The beginning of a value, for a sentence.
fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}
