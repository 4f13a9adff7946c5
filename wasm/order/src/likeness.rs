//! Bodies → an order in which each follows those that it resembles most.
//!
//! Two bodies resemble each other by the short runs of bytes that they share. From the runs one in
//! two is taken, by its hash, so that the same are taken everywhere. The next body is the one that
//! shares most with the last few, in proportion to its length; a run counts the less the more bodies
//! have it. The numbers below were found by trying.

use std::collections::BTreeMap;

/// The length of a run.
const RUN: usize = 6;

/// A run in so many bodies or more says nothing.
const COMMON: usize = 300;

/// How many of the last bodies count, how much less each before the next, and within how many bytes.
const LAST: usize = 12;
const FADING: f64 = 0.8;
const WINDOW: usize = 32_000;

/// What the shortest body is taken to have of runs, lest it fit everywhere.
const LEAST: f64 = 8.0;

/// The positions of the bodies, reordered.
pub(crate) fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let runs: Vec<Vec<u32>> = bodies.iter().map(|it| runs_of(it)).collect();
    let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (body, runs) in runs.iter().enumerate() {
        for run in runs {
            holders.entry(*run).or_default().push(body);
        }
    }
    holders.retain(|_, it| (2..=COMMON).contains(&it.len()));
    let mut left: Vec<bool> = vec![true; bodies.len()];
    let mut order = Vec::with_capacity(bodies.len());
    let mut first_left = 0;
    while let Some(next) = next(bodies, &runs, &holders, &order, &left).or_else(|| {
        first_left += left.get(first_left..)?.iter().position(|it| *it)?;
        Some(first_left)
    }) {
        if let Some(it) = left.get_mut(next) {
            *it = false;
        }
        order.push(next);
    }
    order
}

/// The body that resembles the last ones most; `None` where none does.
fn next(
    bodies: &[&[u8]],
    runs: &[Vec<u32>],
    holders: &BTreeMap<u32, Vec<usize>>,
    order: &[usize],
    left: &[bool],
) -> Option<usize> {
    let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
    let (mut weight, mut bytes) = (1.0, 0);
    for last in order.iter().rev().take(LAST) {
        for found in runs.get(*last)?.iter().filter_map(|it| holders.get(it)) {
            let worth = weight / (found.len() as f64).sqrt();
            for body in found.iter().filter(|it| left.get(**it) == Some(&true)) {
                *shared.entry(*body).or_default() += worth;
            }
        }
        bytes += bodies.get(*last)?.len();
        weight *= FADING;
        if bytes > WINDOW {
            break;
        }
    }
    let likeness = |body: usize, shared: f64| {
        let runs = runs.get(body).map_or(0, Vec::len);
        shared / (runs as f64 + LEAST)
    };
    let scored = shared.into_iter().map(|(body, shared)| (body, likeness(body, shared)));
    scored.max_by(|one, other| one.1.total_cmp(&other.1).then(other.0.cmp(&one.0))).map(|it| it.0)
}

/// The hashes of every other run, each once, in ascending order.
fn runs_of(body: &[u8]) -> Vec<u32> {
    let mut hashes: Vec<u32> =
        body.windows(RUN).map(hash).filter(|it| it.is_multiple_of(2)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a, its better half.
fn hash(run: &[u8]) -> u32 {
    let hash = run.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as u32
}
