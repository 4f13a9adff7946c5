//! Generated policies, taken apart into fragments at random: bundled, they mean what they meant, every
//! comment is there, and every word of the bundle is found again in its fragment.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at anything")]

use compiler::Dialect;
use compiler::analysis::diff::Diff;
use compiler::bundle::{Bundle, Fragment, bundle};
use compiler::cst::{self, SyntaxKind};
use compiler::span::Span;
use proptest::prelude::*;
use serde_json::Value;
use tests::generator::policies;
use tests::packets::Random;

/// How many policies are tried: `ACLC_SOAK=3000 cargo test --test laws_bundle` tries that many.
fn cases() -> u32 {
    std::env::var("ACLC_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(96)
}

/// Fragments that are being written, with comments wherever one may stand.
struct Writer {
    random: Random,
    comments: Vec<String>,
}

/// A member of the policy, or of one of its sections that has parts: what each fragment has of it.
enum Parts {
    Object(Vec<(String, Parts)>),
    Named(Vec<(String, Value)>),
    List(Vec<Value>),
    Whole(Value),
}

impl Writer {
    /// A comment, sometimes; no two are alike.
    fn comment(&mut self) -> String {
        let number = self.comments.len();
        let (comment, end) = match self.random.below(6) {
            0 => (format!("// line {number}"), "\n"),
            1 => (format!("/* block {number} */"), " "),
            2 => (format!("/* two\n\t\tlines {number} */"), "\n"),
            3 => return "\n".to_owned(),
            _ => return " ".to_owned(),
        };
        let text = format!(" {comment}{end}");
        self.comments.push(comment);
        text
    }

    /// Things between brackets, separated by commas; the last comma is there or not.
    fn list(&mut self, brackets: [char; 2], items: Vec<String>) -> String {
        let mut text = format!("{}{}", brackets[0], self.comment());
        let count = items.len();
        for (index, item) in items.into_iter().enumerate() {
            text += &self.comment();
            text += &item;
            text += &self.comment();
            if index + 1 < count || self.random.below(2) == 0 {
                text.push(',');
                text += &self.comment();
            }
        }
        text.push(brackets[1]);
        text
    }

    fn member(&mut self, name: &str, value: &str) -> String {
        format!("{name:?}{}:{}{value}", self.comment(), self.comment())
    }

    fn parts(&mut self, parts: Parts) -> String {
        match parts {
            Parts::Object(members) => {
                let items = members.into_iter().map(|(name, value)| {
                    let value = self.parts(value);
                    self.member(&name, &value)
                });
                let items = items.collect();
                self.list(['{', '}'], items)
            }
            Parts::Named(members) => {
                let items =
                    members.iter().map(|(name, value)| self.member(name, &value.to_string()));
                let items = items.collect();
                self.list(['{', '}'], items)
            }
            Parts::List(values) => {
                self.list(['[', ']'], values.iter().map(Value::to_string).collect())
            }
            Parts::Whole(value) => value.to_string(),
        }
    }

    /// Gives each entry of a value to one of the fragments.
    fn split(&mut self, name: &str, value: &Value, count: usize) -> Vec<Option<Parts>> {
        let settings = ["defaultSrcPosture", "randomizeClientPort", "disableIPv4", "OneCGNATRoute"];
        let mut shares: Vec<Option<Parts>> = (0..count).map(|_| None).collect();
        match value {
            _ if settings.contains(&name) => {
                shares[self.random.below(count)] = Some(Parts::Whole(value.clone()));
            }
            Value::Object(members) if name == "autoApprovers" => {
                for (inner, value) in members {
                    for (share, part) in shares.iter_mut().zip(self.split(inner, value, count)) {
                        let Some(part) = part else { continue };
                        match share.get_or_insert(Parts::Object(Vec::new())) {
                            Parts::Object(all) => all.push((inner.clone(), part)),
                            _ => unreachable!(),
                        }
                    }
                }
            }
            Value::Object(members) => {
                shares[self.random.below(count)] = Some(Parts::Named(Vec::new()));
                for (inner, value) in members {
                    let share = &mut shares[self.random.below(count)];
                    match share.get_or_insert(Parts::Named(Vec::new())) {
                        Parts::Named(all) => all.push((inner.clone(), value.clone())),
                        _ => unreachable!(),
                    }
                }
            }
            Value::Array(values) => {
                shares[self.random.below(count)] = Some(Parts::List(Vec::new()));
                for value in values {
                    match shares[self.random.below(count)].get_or_insert(Parts::List(Vec::new())) {
                        Parts::List(all) => all.push(value.clone()),
                        _ => unreachable!(),
                    }
                }
            }
            other => shares[self.random.below(count)] = Some(Parts::Whole(other.clone())),
        }
        shares
    }

    /// A policy as so many fragments.
    fn fragments(&mut self, policy: &Value, count: usize) -> Vec<Fragment> {
        let mut files: Vec<Vec<(String, Parts)>> = (0..count).map(|_| Vec::new()).collect();
        for (name, value) in policy.as_object().unwrap() {
            for (file, part) in files.iter_mut().zip(self.split(name, value, count)) {
                file.extend(part.map(|it| (name.clone(), it)));
            }
        }
        let mut fragments = Vec::new();
        for (file, number) in files.into_iter().zip(0..) {
            let body = self.parts(Parts::Object(file));
            let text = format!("{}{body}{}\n", self.comment(), self.comment());
            fragments.push(Fragment::new(format!("{number}.hujson"), text.as_bytes()));
        }
        fragments
    }
}

/// Every value and comment of the bundle that is not of its own making is found in a fragment.
fn every_place_is_found(
    bundle: &Bundle,
    fragments: &[Fragment],
    own: &str,
) -> Result<(), TestCaseError> {
    let tree = cst::parse(&bundle.text).tree;
    for node in tree.nodes() {
        let own = node.kind() == SyntaxKind::Comment && node.text().starts_with(own);
        let header = node.text().starts_with("// Made by");
        if !matches!(node.kind(), SyntaxKind::String | SyntaxKind::Scalar | SyntaxKind::Comment)
            || own
            || header
        {
            continue;
        }
        let (at, span) = bundle.map.copied(node.span()).unwrap();
        let there = span.of(fragments[at].text());
        let words = |it: &str| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(there), words(node.text()));
        prop_assert_eq!(bundle.map.place(node.span()), Some((at, span)));
    }
    // Whatever span a finding has, it has a place.
    for start in (0..bundle.text.len() as u32).step_by(7) {
        let span = Span::new(start, start + start % 40);
        let (at, place) = bundle.map.place(span).unwrap();
        prop_assert!(place.start <= place.end && place.end as usize <= fragments[at].text().len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_bundle_means_what_its_fragments_mean(policy in policies(), count in 1_usize..5, seed in any::<u64>()) {
        let mut writer = Writer { random: Random::new(seed), comments: Vec::new() };
        let fragments = writer.fragments(&policy, count);
        let bundled = bundle(&fragments, None, Dialect::Tailscale);
        let texts: Vec<&str> = fragments.iter().map(Fragment::text).collect();
        prop_assert!(bundled.findings.is_empty(), "{:?}\n{:?}", bundled.findings, texts);
        let whole = bundled.bundle.unwrap();
        prop_assert!(whole.proved, "{}\n{:?}", whole.text, texts);

        let before = compiler::check(&policy.to_string(), None);
        let after = compiler::check(&whole.text, None);
        prop_assert!(after.valid().is_some(), "{:?}\n{}", after.diagnostics, whole.text);
        let diff = Diff::of(&before.policy, &after.policy);
        prop_assert!(diff.is_empty(), "gained {:?}, lost {:?}\n{}", diff.gained, diff.lost, whole.text);
        let words = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = words(&whole.text);
        for comment in &writer.comments {
            prop_assert!(text.contains(&words(comment)), "{comment}\n{}", whole.text);
        }
        every_place_is_found(&whole, &fragments, "// from ")?;

        // One fragment that is a bundle already changes no more than its first lines.
        let again = bundle(&[Fragment::new("0.hujson", whole.text.as_bytes())], None, Dialect::Tailscale);
        let again = again.bundle.unwrap();
        prop_assert!(again.proved);
        let once_more = compiler::check(&again.text, None);
        prop_assert!(Diff::of(&after.policy, &once_more.policy).is_empty());
    }
}
