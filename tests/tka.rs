//! Our library of Tailnet Lock against Tailscale's own package, on scenarios at random: forks,
//! recoveries, compactions, syncs, store folders, rotations, credentials, damaged bytes. What one side
//! makes the other makes byte for byte, takes or refuses alike, and both then stand at the same head.
//! Without Go it says so and compares nothing.
//!
//! `ACLC_SOAK=10000 cargo test --test tka` takes that many scenarios instead of 500.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]
#![expect(clippy::print_stderr, reason = "a test that is left out says so")]

#[path = "tka/engine.rs"]
mod engine;
#[path = "tka/scenarios.rs"]
mod scenarios;
#[path = "tka/steps.rs"]
mod steps;

use std::collections::BTreeMap;

use engine::{Engine, Seen};
use scenarios::{Scenario, scenario};
use serde_json::{Map, Value, json};
use steps::{Step, all, base64};

#[test]
fn agrees_with_the_package() {
    let count = std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(500);
    // Both sides wait for the disk after each file, unless there is none.
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.unwrap();
    let place = |number: usize| {
        let place = folder.path().join(number.to_string());
        std::fs::create_dir(&place).unwrap();
        place
    };
    let scenarios: Vec<Scenario> = (0..count).map(|it| scenario(it, &place(it))).collect();
    let lines = scenarios
        .iter()
        .enumerate()
        .map(|(number, it)| told(it, &folder.path().join(number.to_string())).to_string());
    let Some(answers) = tests::interop::ask("tka", lines.collect()).unwrap() else { return };

    let mut figures: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let (mut forked, mut dropped, mut left) = (0, 0, 0);
    let mut wrong = Vec::new();
    'scenarios: for (number, (scenario, answer)) in scenarios.iter().zip(&answers).enumerate() {
        let answer: Vec<Value> = serde_json::from_str(answer).unwrap();
        assert_eq!(answer.len(), scenario.steps.len());
        for ((step, seen), theirs) in scenario.steps.iter().zip(&answer) {
            figures.entry(step.word()).or_default()[usize::from(!seen.ok)] += 1;
            dropped += seen.dropped;
            let stands = seen.told["Stands"].as_array().into_iter().flatten();
            forked +=
                stands.filter(|it| it["Heads"].as_array().is_some_and(|it| it.len() > 1)).count();
            if fails_there_alone(step, seen, theirs) {
                left += 1;
                continue 'scenarios;
            }
            if let Some(what) = difference(step, seen, theirs) {
                wrong.push(format!("scenario {number}: {what}"));
                continue 'scenarios;
            }
        }
        // Once more, with what the package made in our hands.
        let place = folder.path().join(number.to_string());
        let mut engine = Engine::new(&scenario.seeds, &place, "again");
        for ((step, _), theirs) in scenario.steps.iter().zip(&answer) {
            let seen = engine.run(step, Some(theirs));
            if let Some(what) = difference(step, &seen, theirs) {
                wrong.push(format!("scenario {number}, with theirs: {what}"));
                break;
            }
        }
    }
    let steps: usize = figures.values().flatten().sum();
    eprintln!("{count} scenarios, {steps} steps (done, refused): {figures:?}");
    eprintln!("{forked} times with several heads, {dropped} updates dropped by compaction");
    eprintln!("{left} scenarios left where the package alone failed to compact");
    let some: Vec<String> = wrong.iter().take(8).cloned().collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), some.join("\n\n"));
}

/// A scenario as the Go program reads it.
fn told(scenario: &Scenario, folder: &std::path::Path) -> Value {
    let step = |(step, seen): &(Step, Seen)| {
        let mut told = step.to_json();
        if matches!(step, Step::Create { .. }) {
            told["Made"] = json!(all(&seen.made));
        }
        if let Value::Object(exchanged) = &seen.exchanged {
            told["Offers"] = exchanged["Offers"].clone();
            told["Gave"] = exchanged["Gave"].clone();
        }
        told
    };
    json!({
        "Seeds": scenario.seeds.iter().map(|it| base64(it)).collect::<Vec<_>>(),
        "Folder": folder,
        "Steps": scenario.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

/// Whether the package failed where we do not: compaction follows parents to an update that is not
/// stored, which ends the walk here and is an error there. What comes after cannot be compared.
fn fails_there_alone(step: &Step, seen: &Seen, theirs: &Value) -> bool {
    let why = theirs["Why"].as_str().unwrap_or_default();
    let missing =
        why.ends_with("file does not exist") || why.ends_with("no such file or directory");
    matches!(step, Step::Compact { .. }) && seen.ok && missing
}

/// Where the two sides saw different things.
fn difference(step: &Step, seen: &Seen, theirs: &Value) -> Option<String> {
    let refused_by_us = !seen.ok && theirs["OK"] == json!(true);
    // What a node would misunderstand is refused by us alone.
    if refused_by_us && matches!(step, Step::AuthKey { .. }) {
        return None;
    }
    let (ours, compared) = (plain(&seen.told), plain(theirs));
    let places = places(&ours, &compared, step.word().to_owned());
    (!places.is_empty()).then(|| {
        let reasons = format!("ours: {:?}, theirs: {}", seen.why, theirs["Why"]);
        format!("{}\n{reasons}\n{}", cut(&step.to_json()), places.join("\n"))
    })
}

/// The places at which two values differ, with what stands there.
fn places(ours: &Value, theirs: &Value, place: String) -> Vec<String> {
    match (ours, theirs) {
        _ if ours == theirs => Vec::new(),
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            let within = |it: &String| places(&ours[it], &theirs[it], format!("{place}.{it}"));
            names.into_iter().flat_map(within).collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.flat_map(|(at, (a, b))| places(a, b, format!("{place}[{at}]"))).collect()
        }
        _ => vec![format!("  {place}: ours {}, theirs {}", cut(ours), cut(theirs))],
    }
}

/// The beginning of a long value.
fn cut(value: &Value) -> String {
    value.to_string().chars().take(400).collect()
}

/// Without what is not compared, and with one spelling of nothing.
fn plain(told: &Value) -> Value {
    match told {
        Value::Object(fields) => {
            let not_compared = ["Why", "Offers", "Gave"];
            let kept = fields.iter().filter(|it| !not_compared.contains(&it.0.as_str()));
            let kept = kept.map(|(name, it)| (name.clone(), plain(it)));
            Value::Object(kept.filter(|it| !is_nothing(&it.1)).collect::<Map<_, _>>())
        }
        Value::Array(all) => Value::Array(all.iter().map(plain).collect()),
        other => other.clone(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
