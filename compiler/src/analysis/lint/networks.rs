//! The networks behind routers that rules name as destinations.

use rustc_hash::FxHashSet;

use super::Subject;
use super::atoms::is_of_devices;
use super::devices::Devices;
use crate::policy::Target;
use crate::span::Span;
use crate::tables::ip_set::IpRange;

/// A destination that only a router can reach.
pub(super) struct Network {
    pub(super) target: Target,
    pub(super) span: Span,
    pub(super) ranges: Vec<IpRange>,
    /// Whether some approved route leads to part of it.
    pub(super) served: bool,
}

/// Every destination that is a host or literal outside of the addresses of devices, or an IP set of
/// only such.
pub(super) fn networks<'a>(
    subject: &'a Subject<'_>,
    devices: &'a Devices<'_>,
) -> impl Iterator<Item = Network> + 'a {
    let all = subject.rules().iter().flat_map(|it| &it.dst);
    // Once for each, at its first place: an IP set may be large, and many rules name it.
    let mut told = FxHashSet::default();
    all.filter_map(move |dst| {
        if !told.insert(dst.target) {
            return None;
        }
        let ranges: Vec<IpRange> = match dst.target {
            Target::Ipset(_) => devices.tables.addresses(dst.target),
            _ => vec![subject.policy.net(dst.target)?.into()],
        };
        let outside = |it: &IpRange| it.prefixes().iter().all(|it| !is_of_devices(*it));
        if ranges.is_empty() || !ranges.iter().all(outside) {
            return None;
        }
        let routes = devices.tables.routes();
        let served = ranges.iter().any(|it| routes.overlapping(*it).next().is_some())
            // A prefix around the addresses of devices reaches those.
            || subject.policy.net(dst.target).is_some_and(super::atoms::meets_devices);
        Some(Network { target: dst.target, span: dst.span, ranges, served })
    })
}
