//! Who reaches what, as a picture: sources at the left, what they may do in the middle, destinations
//! at the right.
//!
//! Ends that are treated alike share a box, so that a picture has as many boxes as a policy makes
//! differences and not as many as there are devices.

mod csv;
mod dot;
mod html;
mod mermaid;
mod svg;

use std::collections::BTreeMap;

use crate::analysis::matrix::{Cell, CellKind, End, EndKind, Matrix};
use crate::policy::Policy;
pub use csv::csv;
pub use dot::dot;
pub use html::html;
pub use mermaid::mermaid;
pub use svg::svg;

/// More ends than this are not drawn one by one: nobody could read it.
pub const MAX_ENDS: usize = 500;

/// So few devices and networks are drawn one by one unasked.
const FEW: usize = 12;

/// Where it takes more ways than this, all groups are drawn as one, and so are all tags.
const MANY: usize = 80;

/// How far groups, users and tags are opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// A dozen devices one by one; of more the groups, tags and networks, as long as that is readable.
    Auto,
    /// Groups, users without a group, tags, networks.
    Groups,
    /// Users, tags, networks.
    Users,
    /// Each device and network.
    Devices,
}

/// Too many ends to be drawn one by one; how many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooMany(pub usize);

/// One end, as it is named in a picture.
#[derive(Clone, Debug)]
pub struct Name {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EndKind,
    /// How many devices and networks it is.
    pub size: usize,
}

/// Ends that reach, or are reached, alike.
#[derive(Clone, Debug)]
pub struct Alike(pub Vec<Name>);

/// What some sources may do, and to whom.
#[derive(Clone, Debug)]
pub struct Way {
    /// The boxes of sources.
    pub from: Vec<usize>,
    /// What is carried: "tcp 443".
    pub what: String,
    /// How much of all that is possible.
    pub kind: CellKind,
    /// The boxes of destinations.
    pub to: Vec<usize>,
    /// The lines of the rules, from 1.
    pub lines: Vec<u32>,
}

/// A picture before it is drawn.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The boxes at the left.
    pub sources: Vec<Alike>,
    /// The boxes at the right.
    pub targets: Vec<Alike>,
    /// What leads from one to the other.
    pub ways: Vec<Way>,
    /// All ends and what leads from each to each, for those who want a matrix.
    pub ends: Vec<Name>,
    /// By row and column.
    pub cells: BTreeMap<(usize, usize), (CellKind, String, Vec<u32>)>,
}

impl Graph {
    /// The picture of who reaches what, opened as far as `detail` says.
    pub fn of(matrix: &Matrix, policy: &Policy, detail: Detail) -> Result<Self, TooMany> {
        let picture = |ids: Vec<u32>| match ids.len() {
            many if many > MAX_ENDS => Err(TooMany(many)),
            _ => Ok(Self::of_ends(matrix, policy, &ids)),
        };
        match detail {
            Detail::Auto => {
                let fine = picture(unasked(matrix));
                let readable = |it: &Self| it.ways.len() <= MANY;
                fine.ok().filter(readable).map_or_else(|| picture(top(matrix)), Ok)
            }
            Detail::Groups => picture(groups(matrix)),
            Detail::Users => picture(users(matrix)),
            Detail::Devices => picture(devices(matrix)),
        }
    }

    fn of_ends(matrix: &Matrix, policy: &Policy, ids: &[u32]) -> Self {
        let position: BTreeMap<u32, usize> = ids.iter().copied().zip(0..).collect();
        let rules = policy.rules.as_deref().unwrap_or_default();
        let line = |rule: &u32| {
            let rule = rules.get(*rule as usize)?;
            Some(policy.file.lines.line(rule.span.start).0 + 1)
        };
        let mut cells = BTreeMap::new();
        for Cell { from, to, kind, summary, rules } in matrix.cells(ids, ids) {
            let (Some(from), Some(to)) = (position.get(&from), position.get(&to)) else { continue };
            let lines: Vec<u32> = rules.iter().filter_map(line).collect();
            cells.insert((*from, *to), (kind, summary, lines));
        }
        let name = |id: &u32| {
            let end = matrix.ends.all.get(*id as usize)?;
            Some(Name { name: end.name.clone(), kind: end.kind, size: end.size })
        };
        let ends: Vec<Name> = ids.iter().filter_map(name).collect();
        Self::drawn(ends, cells)
    }

    fn drawn(
        ends: Vec<Name>,
        cells: BTreeMap<(usize, usize), (CellKind, String, Vec<u32>)>,
    ) -> Self {
        let look = |from: usize, to: usize| cells.get(&(from, to)).map(|it| (it.0, it.1.as_str()));
        let all: Vec<usize> = (0..ends.len()).collect();
        let rows = alike(&all, |a, b| {
            let apart = |it: &&usize| **it != a && **it != b;
            let own = look(a, a).is_none() || look(b, b).is_none() || look(a, a) == look(b, b);
            own && look(a, b) == look(b, a)
                && all.iter().filter(apart).all(|to| look(a, *to) == look(b, *to))
        });
        let columns = alike(&all, |a, b| {
            let apart = |it: &&usize| **it != a && **it != b;
            let own = look(a, a).is_none() || look(b, b).is_none() || look(a, a) == look(b, b);
            own && look(a, b) == look(b, a)
                && all.iter().filter(apart).all(|from| look(*from, a) == look(*from, b))
        });
        let mut ways: BTreeMap<(usize, String), Way> = BTreeMap::new();
        for (from, row) in (0..).zip(&rows) {
            for (to, column) in (0..).zip(&columns) {
                // Within a box nobody reaches themselves; another of the box stands for it.
                let pairs = row.iter().flat_map(|a| column.iter().map(move |b| (*a, *b)));
                let Some((kind, what, _)) = pairs.clone().find_map(|it| cells.get(&it)) else {
                    continue;
                };
                let lines = pairs.filter_map(|it| cells.get(&it)).flat_map(|it| &it.2).copied();
                let way = ways.entry((from, what.clone())).or_insert_with(|| Way {
                    from: vec![from],
                    what: what.clone(),
                    kind: *kind,
                    to: Vec::new(),
                    lines: Vec::new(),
                });
                way.to.push(to);
                way.lines.extend(lines);
                way.lines.sort_unstable();
                way.lines.dedup();
            }
        }
        let names = |boxes: &[Vec<usize>]| -> Vec<Alike> {
            let name = |it: &usize| ends.get(*it).cloned();
            boxes.iter().map(|it| Alike(it.iter().filter_map(name).collect())).collect()
        };
        let (sources, targets) = (names(&rows), names(&columns));
        let ways = shared(ways.into_values());
        Self { sources, targets, ways, ends, cells }.without_idle()
    }

    /// Boxes that no way begins or ends at say nothing.
    fn without_idle(mut self) -> Self {
        let mut sources = BTreeMap::new();
        let mut targets = BTreeMap::new();
        for way in &self.ways {
            way.from.iter().for_each(|it| _ = sources.insert(*it, 0));
            way.to.iter().for_each(|it| _ = targets.insert(*it, 0));
        }
        sources.values_mut().zip(0..).for_each(|(it, at)| *it = at);
        targets.values_mut().zip(0..).for_each(|(it, at)| *it = at);
        let kept = |boxes: &[Alike], used: &BTreeMap<usize, usize>| -> Vec<Alike> {
            used.keys().filter_map(|it| boxes.get(*it).cloned()).collect()
        };
        self.sources = kept(&self.sources, &sources);
        self.targets = kept(&self.targets, &targets);
        for way in &mut self.ways {
            way.from = way.from.iter().filter_map(|it| sources.get(it).copied()).collect();
            way.to = way.to.iter().filter_map(|it| targets.get(it).copied()).collect();
        }
        // Ways stand where their ends are on average, so that few lines cross.
        let share = |list: &[usize], of: usize| {
            list.iter().sum::<usize>() * 1000 / (list.len() * of).max(1)
        };
        let (left, right) = (self.sources.len(), self.targets.len());
        self.ways.sort_by_cached_key(|it| share(&it.from, left) + share(&it.to, right));
        self
    }

    /// One sentence for those who see no picture.
    pub fn summary(&self) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            more => format!("{more} {many}"),
        };
        let pairs = count(self.cells.len(), "pair", "pairs");
        format!(
            "who reaches what among {}: {pairs} with access",
            count(self.ends.len(), "end", "ends")
        )
    }
}

/// Ways of the same to the same destinations, as one.
fn shared(ways: impl Iterator<Item = Way>) -> Vec<Way> {
    let mut known: BTreeMap<(String, Vec<usize>), usize> = BTreeMap::new();
    let mut all: Vec<Way> = Vec::new();
    for way in ways {
        let place = *known.entry((way.what.clone(), way.to.clone())).or_insert(all.len());
        match all.get_mut(place) {
            Some(first) => {
                first.from.extend(way.from);
                first.lines.extend(way.lines);
                first.lines.sort_unstable();
                first.lines.dedup();
            }
            None => all.push(way),
        }
    }
    all
}

/// What is drawn of a tailnet when nobody says what: each device of a small one.
fn unasked(matrix: &Matrix) -> Vec<u32> {
    let devices = devices(matrix);
    if devices.len() <= FEW { devices } else { groups(matrix) }
}

fn devices(matrix: &Matrix) -> Vec<u32> {
    matrix.ends.all.iter().filter(|it| it.members.is_empty()).map(|it| it.id).collect()
}

fn users(matrix: &Matrix) -> Vec<u32> {
    let wanted = [EndKind::User, EndKind::Tag, EndKind::Subnet, EndKind::Internet];
    let single = |it: &&End| wanted.contains(&it.kind) && !stands_for_kind(matrix, it);
    matrix.ends.all.iter().filter(single).map(|it| it.id).collect()
}

/// All groups, all tags, all networks: an end for each kind where there are many.
fn top(matrix: &Matrix) -> Vec<u32> {
    matrix.ends.all.iter().filter(|it| it.top).map(|it| it.id).collect()
}

/// The ends that stand for a kind, opened once; users without a group stay together.
fn groups(matrix: &Matrix) -> Vec<u32> {
    let open = |id: u32| match matrix.ends.all.get(id as usize) {
        Some(it) if it.kind != EndKind::User && stands_for_kind(matrix, it) => it.members.clone(),
        _ => vec![id],
    };
    top(matrix).into_iter().flat_map(open).collect()
}

/// Whether an end is "all groups", "all tags".
fn stands_for_kind(matrix: &Matrix, end: &End) -> bool {
    let of_kind =
        |id: &u32| matrix.ends.all.get(*id as usize).is_some_and(|it| it.kind == end.kind);
    end.members.iter().any(of_kind)
}

/// Puts together what is the same as the first of a box, in the order of the first.
fn alike(all: &[usize], same: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut boxes: Vec<Vec<usize>> = Vec::new();
    for id in all {
        let fits = |it: &&mut Vec<usize>| it.iter().all(|other| same(*other, *id));
        match boxes.iter_mut().find(fits) {
            Some(known) => known.push(*id),
            None => boxes.push(vec![*id]),
        }
    }
    boxes
}

impl Way {
    /// Each box of sources with each of destinations.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.from.iter().flat_map(|from| self.to.iter().map(|to| (*from, *to)))
    }
}

impl Alike {
    /// The names in a few words: `group:dev` and 3 more.
    pub(super) fn label(&self, most: usize) -> Vec<String> {
        let shown = if self.0.len() <= most { self.0.len() } else { most.saturating_sub(1) };
        let mut lines: Vec<String> = self.0.iter().take(shown).map(Name::text).collect();
        if self.0.len() > shown {
            lines.push(format!("and {} more", self.0.len() - shown));
        }
        lines
    }
}

impl Name {
    /// The name, and how many devices it is where that is not one.
    fn text(&self) -> String {
        match (self.kind, self.size) {
            (EndKind::Device | EndKind::Subnet | EndKind::Internet, 1) => self.name.clone(),
            (_, 1) => format!("{} · 1 device", self.name),
            (EndKind::Subnet, size) => format!("{} · {size}", self.name),
            (_, size) => format!("{} · {size} devices", self.name),
        }
    }
}
