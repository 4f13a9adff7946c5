//! The figures of Tailnet Lock, each beside its budget: `cargo bench -p lock --bench figures`.
//!
//! A figure of one signature stands beside that of the bare equation, measured in the same loop, and
//! beside that of Tailscale's own package where Go is installed. Each is the best of many runs, because
//! other work on the machine only ever adds time.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and may stop at anything"
)]
#![allow(missing_docs, reason = "a program has no readers of its items")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use ed25519_dalek::{Signer, Verifier};
use lock::audit::recheck;
use lock::aum::{Aum, Update};
use lock::authority::Authority;
use lock::builder::UpdateBuilder;
use lock::key::Key;
use lock::secret::{DisablementValue, SigningKey};
use lock::signature::{NodeKeySignature, RotationKey};
use lock::state::State;
use lock::store::Memory;
use lock::text::NodeKey;

/// Rounds of which the best counts, and calls in each.
const ROUNDS: usize = 60;
const CALLS: u32 = 100;

fn main() {
    let chain = Chain::made();
    let package = package(&chain);
    endorsements(&package);
    chain.measured(&package);
    bulk();
}

/// What Tailscale's own package takes, in nanoseconds, by the names of `tests/interop/tka/bench.go`;
/// nothing where Go is not installed.
fn package(chain: &Chain) -> BTreeMap<String, f64> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/tka");
    let started = Command::new("go")
        .args(["run", ".", "bench"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        println!("Go is not installed: nothing is compared with Tailscale's package");
        return BTreeMap::new();
    };
    let mut input = child.stdin.take().expect("a pipe");
    for update in std::iter::once(&chain.genesis).chain(&chain.updates) {
        writeln!(input, "{}", BASE64.encode(&update.encode())).expect("it reads all updates");
    }
    drop(input);
    let output = child.wait_with_output().expect("an answer");
    assert!(output.status.success(), "`go run . bench` in {folder}: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("lines of text");
    let lines = text.lines().filter_map(|it| it.split_once(' '));
    lines.map(|(name, time)| (name.to_owned(), time.parse().expect("a number"))).collect()
}

/// What the package takes for the same, where it was asked.
fn theirs(package: &BTreeMap<String, f64>, name: &str, scale: f64, unit: &str) {
    if let Some(time) = package.get(name) {
        note("  the same by Tailscale's package", time / scale, unit);
    }
}

/// A figure, its budget, and whether it is met.
fn row(name: &str, value: f64, budget: f64, unit: &str) {
    let word = if value <= budget { "" } else { "  MISSED" };
    println!("  {name:48}{value:10.2} {unit:4} budget: at most {budget:.2}{word}");
}

fn note(name: &str, value: f64, unit: &str) {
    println!("  {name:48}{value:10.2} {unit}");
}

/// The best time of one call of each, in microseconds; the two take turns.
fn beside(mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        best.0 = best.0.min(time(&mut one));
        best.1 = best.1.min(time(&mut other));
    }
    best
}

fn time(work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}

fn authority(keys: &[&SigningKey]) -> (Memory, Authority) {
    let state = State {
        disablement_values: Some(vec![Some(DisablementValue::new([9; 32]).as_bytes().to_vec())]),
        keys: Some(keys.iter().map(|it| Key::new(it.public(), 1)).collect()),
        id1: 1,
        ..State::default()
    };
    let mut store = Memory::new();
    let signer = keys.first().expect("a key");
    let (authority, _) = Authority::create(&mut store, state, *signer, 0).expect("a genesis");
    (store, authority)
}

fn endorsements(package: &BTreeMap<String, f64>) {
    let (key, node) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    let (_, authority) = authority(&[&key]);
    let node_key = NodeKey::new([3; 32]);
    let rotation = RotationKey::new(node.public()).expect("a key");
    let endorse = || NodeKeySignature::direct(&key, &node_key, Some(&rotation)).expect("signed");
    let signature = endorse();
    let hash = *signature.sig_hash().as_bytes();
    let bare = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);

    let (ours, bare_time) = beside(
        || drop(black_box(endorse().encode())),
        || {
            black_box(bare.sign(black_box(&hash)));
        },
    );
    println!("one node");
    note("bare signature (15 when the budget was set)", bare_time, "µs");
    theirs(package, "sign", 1e3, "µs");
    row("endorse", ours, bare_time * 1.2, "µs");
    theirs(package, "endorse", 1e3, "µs");

    let bytes = signature.encode();
    let bare_signature = bare.sign(&hash);
    let public = bare.verifying_key().to_bytes();
    let (ours, bare_time) = beside(
        || drop(black_box(authority.authorizes(&node_key, black_box(&bytes))).expect("it holds")),
        || {
            let key = ed25519_dalek::VerifyingKey::from_bytes(black_box(&public)).expect("a key");
            key.verify(&hash, &bare_signature).expect("it holds");
        },
    );
    note("bare check (39 when the budget was set)", bare_time, "µs");
    theirs(package, "verify", 1e3, "µs");
    row("judge an endorsement", ours, bare_time * 1.2, "µs");
    theirs(package, "judge", 1e3, "µs");

    let next = NodeKey::new([4; 32]);
    let rotated = NodeKeySignature::resign(&node, &next, &signature).expect("signed").encode();
    let (ours, _) = beside(|| drop(black_box(authority.authorizes(&next, &rotated))), || {});
    note("judge an endorsement that was rotated once", ours, "µs");
}

/// 1,938 updates after a genesis: keys that come and go and change, checkpoints among them.
struct Chain {
    genesis: Update,
    updates: Vec<Update>,
    store: Memory,
    authority: Authority,
}

impl Chain {
    fn made() -> Self {
        const UPDATES: usize = 1_938;
        let (key, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let (mut store, mut authority) = authority(&[&key, &other]);
        let genesis = authority.head_update().clone();
        let mut updates: Vec<Update> = Vec::new();
        while updates.len() < UPDATES {
            let signer = if updates.len().is_multiple_of(3) { &other } else { &key };
            let mut builder = UpdateBuilder::new(&authority, Some(signer));
            let public = SigningKey::from_seed(&[(updates.len() % 40) as u8 + 3; 32]).public();
            if authority.trusts(public.as_bytes()) {
                builder.remove_key(public.as_bytes()).expect("a removal");
            } else {
                builder.add_key(Key::new(public, 1)).expect("an addition");
            }
            let mut batch = builder.finish(&store).expect("a batch");
            batch.truncate(UPDATES - updates.len());
            authority.inform(&mut store, &batch, 0).expect("taken");
            updates.extend(batch);
        }
        Self { genesis, updates, store, authority }
    }

    fn measured(&self, package: &BTreeMap<String, f64>) {
        let Self { genesis, updates, store, authority } = self;
        println!("a chain of {} updates", updates.len());
        let signatures: usize = updates.iter().map(|it| it.signatures.len()).sum();
        note("signatures", signatures as f64, "");
        let mut best = (f64::MAX, f64::MAX, f64::MAX);
        let encoded: Vec<Vec<u8>> = updates.iter().map(|it| it.encode()).collect();
        let mut batch = f64::MAX;
        for _ in 0..30 {
            let mut signatures = lock::verify::Batch::default();
            for update in updates {
                for it in &update.signatures {
                    let bytes = |it: &Option<Vec<u8>>| it.clone().unwrap_or_default();
                    signatures.push(&bytes(&it.key_id), update.sig_hash(), &bytes(&it.signature));
                }
            }
            let start = Instant::now();
            assert!(signatures.failures().is_empty());
            batch = batch.min(start.elapsed().as_secs_f64());
        }
        note("its signatures alone", batch * 1e3, "ms");
        for _ in 0..30 {
            let start = Instant::now();
            let decoded: Vec<Update> = encoded
                .iter()
                .map(|it| Update::new(Aum::decode(it).expect("an update").value))
                .collect();
            let mut fresh = Memory::new();
            let mut again = Authority::bootstrap(&mut fresh, genesis, 0).expect("a beginning");
            again.inform(&mut fresh, &decoded, 0).expect("taken");
            best.0 = best.0.min(start.elapsed().as_secs_f64());
            assert_eq!(again.head(), authority.head());

            let start = Instant::now();
            let unsound = recheck(store).expect("a store");
            best.1 = best.1.min(start.elapsed().as_secs_f64());
            assert!(unsound.is_empty());

            let start = Instant::now();
            black_box(Authority::open(store).expect("a chain"));
            best.2 = best.2.min(start.elapsed().as_secs_f64());
        }
        row("read and taken in, from bytes", best.0 * 1e3, 60.0, "ms");
        theirs(package, "chain", 1e6, "ms");
        row("checked whole", best.1 * 1e3, 60.0, "ms");
        note("opened, without checking", best.2 * 1e3, "ms");
    }
}

/// 10,000 nodes: signed, then judged.
fn bulk() {
    const NODES: usize = 10_000;
    let (key, owner) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    let (_, authority) = authority(&[&key]);
    let rotation = RotationKey::new(owner.public()).expect("a key");
    let node = |index: usize| {
        let mut bytes = [5; 32];
        bytes.iter_mut().zip(index.to_le_bytes()).for_each(|(byte, from)| *byte = from);
        NodeKey::new(bytes)
    };
    let (mut signing, mut judging) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let start = Instant::now();
        let signatures: Vec<Vec<u8>> = (0..NODES)
            .map(|it| NodeKeySignature::direct(&key, &node(it), Some(&rotation)))
            .map(|it| it.expect("signed").encode())
            .collect();
        signing = signing.min(start.elapsed());
        let start = Instant::now();
        for (index, signature) in signatures.iter().enumerate() {
            authority.authorizes(&node(index), signature).expect("it holds");
        }
        judging = judging.min(start.elapsed());
    }
    println!("{NODES} nodes");
    note("signed", signing.as_secs_f64() * 1e3, "ms");
    note("judged", judging.as_secs_f64() * 1e3, "ms");
}
