//! Sets of atoms as bitmaps. All sets of one analysis are over one universe and of one length.

/// An atom by its position in the universe.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AtomId(pub u32);

/// A set of atoms.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AtomSet(Box<[u64]>);

impl AtomSet {
    /// The empty set, with room for as many atoms as there are.
    pub fn new(universe: usize) -> Self {
        Self(vec![0; universe.div_ceil(64)].into())
    }

    /// A set of one.
    pub fn of(universe: usize, atom: AtomId) -> Self {
        let mut set = Self::new(universe);
        set.insert(atom);
        set
    }

    /// Puts an atom in.
    pub fn insert(&mut self, atom: AtomId) {
        if let Some(word) = self.0.get_mut(atom.0 as usize / 64) {
            *word |= 1 << (atom.0 % 64);
        }
    }

    /// Whether an atom is in it.
    pub fn contains(&self, atom: AtomId) -> bool {
        self.0.get(atom.0 as usize / 64).is_some_and(|it| it >> (atom.0 % 64) & 1 == 1)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|it| *it == 0)
    }

    /// How many atoms are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|it| it.count_ones() as usize).sum()
    }

    /// Whether an atom is in both.
    pub fn overlaps(&self, other: &AtomSet) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether everything in it is in the other.
    pub fn is_subset(&self, other: &AtomSet) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &AtomSet) -> AtomSet {
        self.with(other, |a, b| a & b)
    }

    /// What is in one of them.
    #[must_use]
    pub fn or(&self, other: &AtomSet) -> AtomSet {
        self.with(other, |a, b| a | b)
    }

    /// What is in it and not in the other.
    #[must_use]
    pub fn minus(&self, other: &AtomSet) -> AtomSet {
        self.with(other, |a, b| a & !b)
    }

    /// Puts everything of the other in.
    pub fn add(&mut self, other: &AtomSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Puts in what is in both of two others.
    pub fn add_common(&mut self, one: &AtomSet, other: &AtomSet) {
        let both = one.0.iter().zip(&other.0).map(|(a, b)| a & b);
        self.0.iter_mut().zip(both).for_each(|(a, b)| *a |= b);
    }

    /// The atoms, ascending.
    pub fn iter(&self) -> impl Iterator<Item = AtomId> + '_ {
        (0u32..).zip(&self.0).flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.checked_sub(1)?;
                Some(AtomId(index * 64 + bit))
            })
        })
    }

    fn with(&self, other: &AtomSet, word: impl Fn(u64, u64) -> u64) -> AtomSet {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| word(*a, *b)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algebra_of_sets_holds() {
        let set = |ids: &[u32]| {
            let mut set = AtomSet::new(130);
            ids.iter().for_each(|it| set.insert(AtomId(*it)));
            set
        };
        let (a, b) = (set(&[0, 63, 64, 129]), set(&[63, 100]));
        assert_eq!(a.and(&b), set(&[63]));
        assert_eq!(a.or(&b), set(&[0, 63, 64, 100, 129]));
        assert_eq!(a.minus(&b), set(&[0, 64, 129]));
        assert_eq!(a.iter().map(|it| it.0).collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert!(a.overlaps(&b) && !a.is_subset(&b) && set(&[63]).is_subset(&a));
        assert!(set(&[]).is_empty() && a.len() == 4 && a.contains(AtomId(129)));
    }
}
