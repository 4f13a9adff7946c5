//! Properties of reading inventories: any JSON ends in a tailnet or in an error with a place.

use std::path::Path;

use compiler::diagnostic::Severity;
use compiler::tailnet;
use compiler::time::{Date, Timestamp};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Reads, and checks what must hold of every text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let inventory = tailnet::read(text);
    let errors = inventory.diagnostics.iter().filter(|it| it.severity == Severity::Error).count();
    prop_assert_eq!(inventory.tailnet.is_some(), errors == 0);
    for diagnostic in &inventory.diagnostics {
        let places = diagnostic.related.iter().map(|it| it.span).chain([diagnostic.span]);
        for span in places {
            prop_assert!(
                text.get(span.range()).is_some(),
                "{:?} lies outside of the text",
                diagnostic
            );
        }
    }
    if let Some(tailnet) = inventory.tailnet {
        let written = tailnet::write(&tailnet);
        let again = tailnet::read(&written);
        prop_assert_eq!(
            again.tailnet.as_ref().map(|it| it.facts()),
            Some(tailnet.facts()),
            "{}",
            written
        );
        let neutral = tailnet::redact(&tailnet);
        prop_assert_eq!(neutral.nodes().len(), tailnet.nodes().len());
        let again = tailnet::read(&tailnet::write(&neutral));
        prop_assert_eq!(again.tailnet.as_ref().map(|it| it.facts()), Some(neutral.facts()));
    }
    Ok(())
}

/// Names that readers know, so that random objects come near to inventories.
const NAMES: &[&str] = &[
    "users",
    "nodes",
    "services",
    "tailnet",
    "devices",
    "Self",
    "Peer",
    "User",
    "name",
    "email",
    "role",
    "ipv4",
    "ipv6",
    "tags",
    "user",
    "routableIPs",
    "approvedRoutes",
    "created",
    "attributes",
    "endpoints",
    "givenName",
    "ipAddresses",
    "DNSName",
    "HostName",
    "UserID",
    "addresses",
    "settings",
    "domains",
    "seconds",
    "acls",
];

/// Texts that mean something in one place or another.
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "odin",
    "odin@example.com",
    "owner",
    "tag:a",
    "100.64.0.1",
    "fd7a:115c:a1e0::1",
    "fe80::1%eth0",
    "10.0.0.0/8",
    "10.0.0.1/8",
    "0.0.0.0/0",
    "::/0",
    "2026-03-01T09:30:00Z",
    "0001-01-01T00:00:00Z",
    "\u{1f9ea}\"\\",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..6).prop_map(|members| {
                Value::from(
                    members
                        .into_iter()
                        .map(|(name, it)| (name.to_owned(), it))
                        .collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// The inventories of the cases, which are of every shape.
fn real() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
    paths.sort();
    let texts = paths.iter().map(|it| std::fs::read_to_string(it.join("inventory.json")));
    texts.filter_map(Result::ok).collect()
}

/// Replaces the value that a walk in the order of the text meets as the `nth`.
fn replace(value: &mut Value, nth: &mut usize, by: &Value) {
    if *nth == 0 {
        *value = by.clone();
    }
    *nth = nth.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|it| replace(it, nth, by)),
        Value::Object(members) => members.values_mut().for_each(|it| replace(it, nth, by)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// jiff reads more, which nobody writes into an inventory: names of time zones in brackets, and
    /// offsets with a fraction of a second.
    #[test]
    fn days_and_times_are_what_jiff_takes_them_for(text in "[+-]?[0-9]{4,6}-?[01][0-9]-?[0-3][0-9]([ Tt][0-2][0-9](:?[0-6][0-9](:?[0-6][0-9]([.,][0-9]{0,10})?)?)?([Zz]|[+-][0-2][0-9](:?[0-6][0-9](:?[0-6][0-9])?)?)?)?[-:Z0]?") {
        let time = text.parse::<Timestamp>().ok();
        let known = text.parse::<jiff::Timestamp>().ok();
        prop_assert_eq!(time.map(|it| it.to_string()), known.map(|it| it.to_string()));
        prop_assert_eq!(time.map(Timestamp::as_second), known.map(|it| it.as_second()));
        let day = text.parse::<Date>().ok();
        let known = text.parse::<jiff::civil::Date>().ok();
        prop_assert_eq!(day.map(|it| it.to_string()), known.map(|it| it.to_string()));
        let first = jiff::civil::date(1970, 1, 1);
        let days = known.map(|it| i64::from((it - first).get_days()));
        prop_assert_eq!(day.map(Date::number), days);
    }

    #[test]
    fn moments_are_jiffs(
        seconds in -400_000_000_000_i64..300_000_000_000,
        nanos in prop_oneof![
            any::<i32>(),
            Just(i32::MIN),
            -1_000_000_001..=-999_999_998_i32,
            999_999_998..=1_000_000_001_i32,
        ],
    ) {
        let time = Timestamp::new(seconds, nanos).map(|it| it.to_string());
        prop_assert_eq!(time, jiff::Timestamp::new(seconds, nanos).ok().map(|it| it.to_string()));
        let time = Timestamp::from_millisecond(seconds * 1000 + i64::from(nanos % 1000));
        let known = jiff::Timestamp::from_millisecond(seconds * 1000 + i64::from(nanos % 1000)).ok();
        prop_assert_eq!(time.map(|it| it.to_string()), known.map(|it| it.to_string()));
    }

    #[test]
    fn any_json_ends_in_a_tailnet_or_an_error(value in value()) {
        check(&value.to_string())?;
    }

    #[test]
    fn any_text_ends_in_a_tailnet_or_an_error(text in "[\\[\\]{}:,'\"/*\\\\ a-c0-2\n\u{feff}é]{0,60}") {
        check(&text)?;
    }

    #[test]
    fn real_inventories_with_a_value_replaced(which in any::<prop::sample::Index>(), nth in 0..120_usize, by in value()) {
        let real = real();
        if let Ok(mut value) = serde_json::from_str::<Value>(which.get(&real).as_str()) {
            replace(&mut value, &mut { nth }, &by);
            check(&value.to_string())?;
        }
    }

    #[test]
    fn real_inventories_cut_or_changed(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), by in "[\\[\\]{}:,'\"/a-c0-2]{0,2}", keep in any::<bool>()) {
        let real = real();
        let text = which.get(&real);
        let position = (0..=at.index(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or_default();
        let (head, tail) = text.split_at(position);
        let mut rest = tail.chars();
        rest.next();
        check(&format!("{head}{by}{}", if keep { rest.as_str() } else { "" }))?;
    }
}
