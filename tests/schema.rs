//! The JSON Schema of policies: it is one, it takes every policy that has no error, and it refuses
//! what an editor should underline.

#![expect(clippy::unwrap_used, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test over many texts says how many")]

use compiler::cst::{self, SyntaxKind};
use compiler::diagnostic::Severity;
use compiler::emit::schema::schema;
use jsonschema::Validator;
use serde_json::{Value, json};
use tests::texts;

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

#[test]
fn is_a_schema() {
    let schema = schema();
    let validated = jsonschema::draft202012::meta::validate(&schema);
    assert!(validated.is_ok(), "{:?}", validated.err().map(|it| it.to_string()));
}

#[test]
fn takes_every_policy_without_an_error() {
    let validator = validator();
    let (mut taken, mut wrong) = (0, Vec::new());
    for text in texts::seeds().unwrap() {
        let Ok(text) = String::from_utf8(text) else { continue };
        let checked = compiler::check(&text, None);
        if checked.diagnostics.iter().any(|it| it.severity == Severity::Error) {
            continue;
        }
        let policy = standard(&checked.tree);
        taken += 1;
        if let Some(error) = validator.iter_errors(&policy).next() {
            wrong.push(format!("{}: {error}\n  in {text:?}", error.instance_path()));
        }
    }
    eprintln!("{taken} policies without an error");
    wrong.sort_by_key(String::len);
    let some: Vec<String> = wrong.iter().take(8).cloned().collect();
    assert!(wrong.is_empty(), "{} are refused:\n{}", wrong.len(), some.join("\n"));
}

#[test]
fn refuses_plain_mistakes() {
    let validator = validator();
    let mistakes = [
        json!([]),
        json!({ "grant": [] }),
        json!({ "grants": {} }),
        json!({ "grants": [{ "src": "*", "dst": ["*"], "ip": ["*"] }] }),
        json!({ "grants": [{ "src": ["*"], "dst": ["*"], "ips": ["*"] }] }),
        json!({ "grants": [{ "src": ["autogroup:self"], "dst": ["*"], "ip": ["*"] }] }),
        json!({ "grants": [{ "src": ["autogroup:memebr"], "dst": ["*"], "ip": ["*"] }] }),
        json!({ "grants": [{ "src": ["*"], "dst": ["*"], "ip": ["https/443"] }] }),
        json!({ "grants": [{ "src": ["*"], "dst": ["*"], "ip": [443] }] }),
        json!({ "acls": [{ "action": "deny", "src": ["*"], "dst": ["*:*"] }] }),
        json!({ "acls": [{ "action": "accept", "src": ["*"], "dst": ["tag:web"] }] }),
        json!({ "acls": [{ "action": "accept", "src": ["*"], "dst": ["*:*"], "proto": "tpc" }] }),
        json!({ "ssh": [{ "action": "allow", "src": ["autogroup:member"], "dst": ["tag:a"] }] }),
        json!({ "ssh": [{ "action": "check", "src": ["*"], "dst": ["tag:a"], "users": ["root"] }] }),
        json!({ "ssh": [{ "action": "check", "checkPeriod": "often" }] }),
        json!({ "groups": { "eng": [] } }),
        json!({ "groups": { "group:eng": ["tag:web"] } }),
        json!({ "tagOwners": { "web": [] } }),
        json!({ "tagOwners": { "tag:web": ["autogroup:self"] } }),
        json!({ "autoApprovers": { "exitNodes": [] } }),
        json!({ "nodeAttrs": [{ "target": ["autogroup:internet"], "attr": ["funnel"] }] }),
        json!({ "derpMap": { "Regions": { "first": {} } } }),
        json!({ "OneCGNATRoute": "always" }),
        json!({ "disableIPv4": "yes" }),
    ];
    for mistake in mistakes {
        assert!(!validator.is_valid(&mistake), "{mistake}");
    }
}

/// A policy as JSON: without comments and trailing commas.
fn standard(tree: &cst::SyntaxTree) -> Value {
    let mut json = tree.text().to_owned();
    let mut blank: Vec<_> = tree.comments().map(|it| it.span()).collect();
    for node in tree.nodes() {
        let last = node.children().filter(|it| it.kind() != SyntaxKind::Comment).last();
        blank.extend(last.filter(|it| it.kind() == SyntaxKind::Comma).map(|it| it.span()));
    }
    for span in blank {
        json.replace_range(span.range(), &" ".repeat(span.len() as usize));
    }
    serde_json::from_str(&json).unwrap()
}
