//! Addresses the slow way: the texts of tables → plain ranges of numbers, and back.
//!
//! The oracles beside this file use it and nothing of the compiler's, so that one mistake is not
//! made twice. It expects texts that are right and stops at others.

#![expect(clippy::unwrap_used, reason = "an oracle reads generated texts only")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether it is IPv6, the first and the last address.
pub type Range = (bool, u128, u128);

fn number(text: &str) -> (bool, u128) {
    match text.parse().unwrap() {
        IpAddr::V4(it) => (false, u32::from(it).into()),
        IpAddr::V6(it) => (true, it.into()),
    }
}

fn address(v6: bool, number: u128) -> IpAddr {
    if v6 { Ipv6Addr::from(number).into() } else { Ipv4Addr::from(number as u32).into() }
}

/// The ranges of `*`, `10.0.0.1`, `10.0.0.0/8` or `10.0.0.1-10.0.0.9`.
pub fn ranges(text: &str) -> Vec<Range> {
    if text == "*" {
        return vec![(false, 0, u32::MAX.into()), (true, 0, u128::MAX)];
    }
    if let Some((first, last)) = text.split_once('-') {
        return vec![(number(first).0, number(first).1, number(last).1)];
    }
    let Some((base, length)) = text.split_once('/') else {
        let (v6, it) = number(text);
        return vec![(v6, it, it)];
    };
    let (v6, base) = number(base);
    let free = if v6 { 128 } else { 32 } - length.parse::<u32>().unwrap();
    let rest = 1u128.checked_shl(free).map_or(u128::MAX, |it| it - 1);
    vec![(v6, base & !rest, base | rest)]
}

/// Whether two texts share an address.
pub fn overlap(one: &str, other: &str) -> bool {
    ranges(one).iter().any(|a| ranges(other).iter().any(|b| a.0 == b.0 && a.1 <= b.2 && b.1 <= a.2))
}

/// The same addresses as the fewest prefixes, ascending; a single address has no length.
pub fn prefixes(literal: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (v6, mut first, last) in ranges(literal) {
        loop {
            // The largest block that begins here and does not pass the end.
            let block = |length: u32| ranges(&format!("{}/{length}", address(v6, first)));
            let fits = |length: &u32| block(*length).iter().all(|it| it.1 == first && it.2 <= last);
            let Some(length) = (0..=if v6 { 128 } else { 32 }).find(fits) else { break };
            let end = block(length).first().unwrap().2;
            found.push(text((v6, first, end)));
            if end == last {
                break;
            }
            first = end + 1;
        }
    }
    found
}

/// A range as an address, a prefix where it is exactly one, else `first-last`.
pub fn text((v6, first, last): Range) -> String {
    let bits = if v6 { 128 } else { 32 };
    let prefix = (0..=bits).find(|length| {
        let whole = ranges(&format!("{}/{length}", address(v6, first)));
        whole == [(v6, first, last)]
    });
    match prefix {
        Some(length) if length == bits => address(v6, first).to_string(),
        Some(length) => format!("{}/{length}", address(v6, first)),
        None => format!("{}-{}", address(v6, first), address(v6, last)),
    }
}

/// An address or prefix as tables write it: host bits cleared, no length on a single address.
pub fn canonical(literal: &str) -> String {
    ranges(literal).into_iter().map(text).collect()
}

/// What is left of some ranges without another.
pub fn without(all: &[Range], (v6, first, last): Range) -> Vec<Range> {
    let mut left = Vec::new();
    for it in all {
        if it.0 != v6 || it.2 < first || last < it.1 {
            left.push(*it);
            continue;
        }
        left.extend((it.1 < first).then(|| (v6, it.1, first - 1)));
        left.extend((last < it.2).then(|| (v6, last + 1, it.2)));
    }
    left
}

/// The same addresses as the fewest ranges, IPv4 first, ascending.
pub fn merged(mut all: Vec<Range>) -> Vec<Range> {
    all.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for it in all {
        match merged.last_mut() {
            Some(last) if last.0 == it.0 && it.1 <= last.2.saturating_add(1) => {
                last.2 = last.2.max(it.2);
            }
            _ => merged.push(it),
        }
    }
    merged
}
