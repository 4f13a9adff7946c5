//! Scenarios at random: what people, attackers and broken programs do to authorities. What comes
//! next depends on where the authorities stand, so our library takes each step as it is chosen.

mod damage;
mod nodes;

use std::path::Path;

use lock::aum::{Aum, AumKind};
use lock::key::{Key, Meta};
use lock::secret::DisablementSecret;
use lock::state::State;
use tests::packets::Random;

use crate::engine::{Engine, Seen};
use crate::steps::{Change, Step};

/// Keys of a scenario; not all of them are ever trusted.
const KEYS: usize = 6;

/// A scenario, and what our library did in it.
pub(crate) struct Scenario {
    pub(crate) seeds: Vec<[u8; 32]>,
    pub(crate) steps: Vec<(Step, Seen)>,
}

/// A node-key signature that was made.
struct Signed {
    node: [u8; 32],
    bytes: Vec<u8>,
    /// The number of the key that may rotate it, where that is one of ours.
    rotates: Option<usize>,
}

struct Generator {
    random: Random,
    engine: Engine,
    seeds: Vec<[u8; 32]>,
    publics: Vec<Vec<u8>>,
    steps: Vec<(Step, Seen)>,
    /// Updates that were made, taken or not.
    aums: Vec<Vec<u8>>,
    signed: Vec<Signed>,
    /// For each place, whether it keeps a folder.
    places: Vec<bool>,
    /// What switches the first authority off, where the scenario knows it.
    secret: Option<Vec<u8>>,
    copies: usize,
}

/// The scenario of a number. Authorities that are kept in folders lie in `folder`.
pub(crate) fn scenario(number: usize, folder: &Path) -> Scenario {
    let mut random = Random::new(number as u64 + 1);
    let seeds: Vec<[u8; 32]> = (0..KEYS).map(|_| bytes(&mut random)).collect();
    let engine = Engine::new(&seeds, folder, "mine");
    let publics = engine.publics();
    let mut generator = Generator {
        random,
        engine,
        seeds,
        publics,
        steps: Vec::new(),
        aums: Vec::new(),
        signed: Vec::new(),
        places: Vec::new(),
        secret: None,
        copies: 0,
    };
    generator.begin();
    let length = 6 + generator.random.below(14);
    for _ in 0..length {
        generator.go_on();
    }
    generator.end();
    Scenario { seeds: generator.seeds, steps: generator.steps }
}

fn bytes(random: &mut Random) -> [u8; 32] {
    std::array::from_fn(|_| random.below(256) as u8)
}

impl Generator {
    /// Takes a step; what it made.
    fn step(&mut self, step: Step) -> (bool, Vec<Vec<u8>>) {
        let seen = self.engine.run(&step, None);
        let result = (seen.ok, seen.made.clone());
        self.steps.push((step, seen));
        result
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.random.below(times) == 0
    }

    /// The number of some key.
    fn any_key(&mut self) -> usize {
        self.random.below(KEYS)
    }

    /// The numbers of the keys that an authority trusts.
    fn trusted(&self, at: usize) -> Vec<usize> {
        let state = self.engine.state(at);
        let trusted = |it: &usize| self.publics.get(*it).is_some_and(|id| state.key(id).is_ok());
        (0..KEYS).filter(trusted).collect()
    }

    /// Mostly the number of a trusted key.
    fn signer(&mut self, at: usize) -> usize {
        let trusted = self.trusted(at);
        let any = self.any_key();
        if self.once_in(12) { any } else { self.random.of(&trusted).unwrap_or(any) }
    }

    fn signers(&mut self, at: usize) -> Vec<usize> {
        let count = match self.random.below(10) {
            0 => 0,
            1..=6 => 1,
            7 | 8 => 2,
            _ => 3,
        };
        (0..count).map(|_| self.signer(at)).collect()
    }

    fn public(&self, key: usize) -> Vec<u8> {
        self.publics[key].clone()
    }

    fn place(&mut self) -> usize {
        self.random.below(self.places.len())
    }

    fn key(&mut self, number: usize) -> Key {
        let votes = match self.random.below(20) {
            0 => 0,
            1 => 4096,
            2 => 4097,
            other => 1 + other as u64 % 3,
        };
        let meta = (self.random.below(4) == 0).then(|| self.meta());
        Key { kind: 1, votes, public: Some(self.public(number)), meta }
    }

    /// Metadata that is never empty, once in a while at the edge of its bound.
    fn meta(&mut self) -> Meta {
        if self.once_in(10) {
            let long = "x".repeat(510 + self.random.below(3));
            return [("n", long.as_str())].into_iter().collect();
        }
        let names = ["purpose", "a", "zz", "name", "b"];
        let count = 1 + self.random.below(3);
        (0..count).map(|it| (names[(it * 2 + count) % 5], ["", "x", "laptop"][it % 3])).collect()
    }

    /// A genesis, and two or three authorities that begin with it.
    fn begin(&mut self) {
        let count = 1 + self.random.below(4);
        let keys: Vec<Key> = (0..count).map(|it| self.key(it)).collect();
        let mut values: Vec<Vec<u8>> =
            (0..1 + self.random.below(2)).map(|_| bytes(&mut self.random).to_vec()).collect();
        // The derivation is slow on purpose.
        if self.once_in(40) {
            let secret = bytes(&mut self.random).to_vec();
            let value = DisablementSecret::new(secret.clone()).value();
            values.extend(value.map(|it| it.as_bytes().to_vec()));
            self.secret = Some(secret);
        }
        let id = |random: &mut Random| match random.below(8) {
            0 => 0,
            1 => u64::MAX,
            _ => (random.below(1 << 30) as u64) << 34 | random.below(1 << 30) as u64,
        };
        let state = State {
            last: None,
            disablement_values: Some(values.into_iter().map(Some).collect()),
            keys: Some(keys),
            id1: id(&mut self.random),
            id2: id(&mut self.random),
        };
        let aum = Aum { kind: AumKind::Checkpoint, state: Some(state), ..Aum::default() };
        let signers = vec![self.random.below(count)];
        let folder = self.once_in(3);
        let create = Step::Create { at: 0, folder, aum: aum.clone(), signers };
        let (ok, made) = self.step(create);
        if !ok {
            // A state that may not be: the scenario goes on with one that may.
            let mut sound = aum;
            for key in sound.state.iter_mut().flat_map(|it| &mut it.keys).flatten() {
                key.votes = 1;
                key.meta = None;
            }
            let (ok, made) =
                self.step(Step::Create { at: 0, folder, aum: sound, signers: vec![0] });
            assert!(ok, "a sound genesis");
            self.aums.extend(made);
        } else {
            self.aums.extend(made);
        }
        self.places.push(folder);
        for at in 1..2 + self.random.below(2) {
            let folder = self.once_in(3);
            let aum = self.aums[0].clone();
            self.step(Step::Bootstrap { at, folder, aum });
            self.places.push(folder);
        }
    }

    fn go_on(&mut self) {
        match self.random.below(32) {
            0..=4 => self.grow(),
            5..=8 => self.fork(),
            9 => self.deep_fork(),
            10 => self.cosign(),
            11 | 12 => self.mutate_aum(),
            13 | 14 => self.revoke(),
            15..=17 => self.sync(),
            18 | 19 => self.compact(),
            20 => self.reopen(),
            21 if self.once_in(2) => self.adopt(),
            21 => self.start_late(),
            22..=24 => self.endorse(),
            25 => self.rotate_often(),
            26 | 27 => self.mutate_signature(),
            28 if self.once_in(3) => self.filter(),
            28 => self.litter(),
            29 => self.auth_key(),
            30 if self.once_in(2) => self.link(),
            30 => self.lengthen(),
            _ if self.once_in(6) => self.long_batch(),
            _ => self.disable(),
        }
    }

    /// Everything is asked once more at the end.
    fn end(&mut self) {
        for at in 0..self.places.len() {
            if self.places[at] {
                self.adopt_at(at);
            } else {
                self.step(Step::Reopen { at });
            }
        }
        self.filter();
    }

    fn changes(&mut self, at: usize) -> Vec<Change> {
        let mut trusted = self.trusted(at);
        let count = 1 + self.random.below(3);
        let mut changes = Vec::new();
        for _ in 0..count {
            let some = self.random.of(&trusted).unwrap_or(0);
            let id = self.public(some);
            changes.push(match self.random.below(8) {
                0..=2 => {
                    let number = self.any_key();
                    let key = self.key(number);
                    if key.check().is_ok() && !trusted.contains(&number) {
                        trusted.push(number);
                    }
                    Change::Add(key)
                }
                3 if trusted.len() > 1 => {
                    trusted.retain(|it| *it != some);
                    Change::Remove(id)
                }
                4 => {
                    // A key that may not be trusted; the last one is never removed.
                    let number = self.any_key();
                    if trusted.contains(&number) {
                        Change::Votes(self.public(number), 2)
                    } else {
                        Change::Remove(self.public(number))
                    }
                }
                5 => Change::Votes(id, self.random.of(&[1, 2, 3, 9, 4096, 4097, 0]).unwrap_or(1)),
                _ => Change::Meta(id, self.meta()),
            });
        }
        changes
    }

    /// A person changes something, by the builder.
    fn grow(&mut self) {
        let at = self.place();
        let signer = if self.once_in(20) { None } else { Some(self.signer(at)) };
        let changes = self.changes(at);
        self.build_and_inform(at, signer, changes);
    }

    fn build_and_inform(&mut self, at: usize, signer: Option<usize>, changes: Vec<Change>) {
        let (ok, made) = self.step(Step::Build { at, signer, changes });
        if ok && !made.is_empty() {
            self.aums.extend(made.clone());
            self.step(Step::Inform { at, aums: made });
        }
    }

    /// So many changes that a checkpoint follows.
    fn long_batch(&mut self) {
        let at = self.place();
        let Some(signer) = self.random.of(&self.trusted(at)) else { return };
        let id = self.public(signer);
        let count = 30 + self.random.below(40);
        let votes = |it: usize| Change::Votes(id.clone(), 1 + (it as u64 % 3));
        self.build_and_inform(at, Some(signer), (0..count).map(votes).collect());
        for it in 0..3 {
            let votes = Change::Votes(id.clone(), 1 + it);
            self.build_and_inform(at, Some(signer), vec![votes]);
        }
    }

    /// The hash of an update that a place has, mostly its head.
    fn parent(&mut self, at: usize) -> Option<Vec<u8>> {
        let stored = self.engine.stored(at);
        match self.random.below(24) {
            0 => Some(bytes(&mut self.random).to_vec()),
            1 => None,
            2 => Some(self.engine.head(at).get(..31).unwrap_or_default().to_vec()),
            3 => Some([self.engine.head(at).as_slice(), &[7]].concat()),
            4 if self.once_in(3) => Some(Vec::new()),
            5..=14 => Some(self.engine.head(at).to_vec()),
            _ => self.random.of(&stored).map(|it| it.to_vec()),
        }
    }

    /// An update of any kind, sound or not.
    fn aum(&mut self, at: usize) -> Aum {
        let parent = self.parent(at);
        let state = self.engine.state(at);
        let trusted = self.signer(at);
        let id = self.public(trusted);
        let number = self.any_key();
        let mut aum = Aum { parent, ..Aum::default() };
        match self.random.below(16) {
            0..=3 => aum.kind = AumKind::NoOp,
            4..=6 => {
                aum.kind = AumKind::AddKey;
                aum.key = Some(self.key(number));
            }
            7..=9 => {
                aum.kind = AumKind::RemoveKey;
                aum.key_id = Some(id);
            }
            10 | 11 => {
                aum.kind = AumKind::UpdateKey;
                aum.key_id = Some(id);
                aum.votes = self.random.of(&[None, Some(2), Some(1), Some(0), Some(5000)]).unwrap();
                aum.meta = self.once_in(2).then(|| self.meta());
            }
            12..=14 => {
                aum.kind = AumKind::Checkpoint;
                let mut state = State { last: None, ..state };
                if self.once_in(8) {
                    state.id1 = state.id1.wrapping_add(1);
                }
                let more = self.key(number);
                if self.once_in(2) {
                    state.keys.get_or_insert_default().push(more);
                }
                aum.state = Some(state);
            }
            _ => aum.kind = AumKind::from(self.random.of(&[0, 6, 200]).unwrap()),
        }
        if self.once_in(10) {
            match self.random.below(6) {
                0 => aum.votes = Some(1),
                1 => aum.key_id = Some(vec![1, 2, 3]),
                2 => aum.key = Some(Key::default()),
                3 => aum.state = Some(State::default()),
                4 => {
                    aum.key =
                        Some(Key { kind: 1, votes: 1, public: Some(vec![1, 2, 3]), meta: None })
                }
                _ => aum.meta = Some(self.meta()),
            }
        }
        aum
    }

    fn make(&mut self, at: usize, aum: Aum) -> Option<Vec<u8>> {
        let signers = self.signers(at);
        let (_, mut made) = self.step(Step::Make { aum, signers });
        let made = made.pop()?;
        self.aums.push(made.clone());
        Some(made)
    }

    /// An update somewhere in the chain.
    fn fork(&mut self) {
        let at = self.place();
        let aum = self.aum(at);
        let Some(made) = self.make(at, aum) else { return };
        self.step(Step::Inform { at, aums: vec![made] });
    }

    /// A branch of several updates, offered in order or not.
    fn deep_fork(&mut self) {
        let at = self.place();
        let mut parent = self.parent(at);
        let mut branch = Vec::new();
        for _ in 0..2 + self.random.below(4) {
            let aum = Aum { parent: parent.clone(), ..self.aum(at) };
            let signers = vec![self.random.of(&self.trusted(at)).unwrap_or(0)];
            let (_, made) = self.step(Step::Make { aum, signers });
            let Some(made) = made.into_iter().next() else { return };
            let Ok(read) = Aum::decode(&made) else { return };
            parent = Some(read.value.hash().as_bytes().to_vec());
            branch.push(made);
        }
        self.aums.extend(branch.clone());
        match self.random.below(12) {
            0 => branch.reverse(),
            1 => branch.extend(branch.clone()),
            _ => {}
        }
        self.step(Step::Inform { at, aums: branch });
    }

    /// More signatures under something that is known; it becomes a rival of the first.
    fn cosign(&mut self) {
        let at = self.place();
        let aum = self.some_aum();
        let signers = vec![self.signer(at), self.signer(at)];
        let (ok, made) = self.step(Step::Cosign { aum, signers });
        if ok {
            self.aums.extend(made.clone());
            self.step(Step::Inform { at, aums: made });
        }
    }

    fn some_aum(&mut self) -> Vec<u8> {
        let number = self.random.below(self.aums.len());
        self.aums[number].clone()
    }

    fn revoke(&mut self) {
        let at = self.place();
        let stored = self.engine.stored(at);
        let some = [self.signer(at), self.any_key()];
        let keys = some.iter().take(1 + self.random.below(2)).map(|it| self.public(*it)).collect();
        let fork = if self.once_in(3) { self.random.of(&stored) } else { None };
        let (ours, signers) = (self.signer(at), vec![self.signer(at), self.signer(at)]);
        let signers = signers.into_iter().take(1 + self.random.below(2)).collect();
        let (ok, made) = self.step(Step::Revoke { at, keys, ours, fork, signers });
        if ok {
            self.aums.extend(made.clone());
            self.step(Step::Inform { at, aums: made });
        }
    }

    fn sync(&mut self) {
        let at = self.place();
        let with = self.place();
        if at != with {
            self.step(Step::Sync { at, with });
        }
    }

    fn compact(&mut self) {
        let at = self.place();
        self.compact_at(at);
    }

    fn compact_at(&mut self, at: usize) {
        let mut old = self.engine.stored(at);
        if self.once_in(2) {
            old.retain(|_| self.random.below(4) > 0);
        }
        self.step(Step::Age { at, old });
        let chain = 1 + self.random.below(4);
        self.step(Step::Compact { at, chain });
    }

    fn reopen(&mut self) {
        let at = self.place();
        self.step(Step::Reopen { at });
    }

    /// A longer chain with checkpoints in it, mostly with a branch, of which the old part is dropped.
    fn lengthen(&mut self) {
        let at = self.place();
        for _ in 0..4 + self.random.below(6) {
            let trusted = self.trusted(at);
            let Some(signer) = self.random.of(&trusted) else { return };
            let parent = if self.once_in(5) {
                self.random.of(&self.engine.stored(at)).map(|it| it.to_vec())
            } else {
                Some(self.engine.head(at).to_vec())
            };
            let mut aum = Aum { kind: AumKind::NoOp, parent, ..Aum::default() };
            if self.once_in(2) {
                aum.kind = AumKind::Checkpoint;
                aum.state = Some(State { last: None, ..self.engine.state(at) });
            }
            let (_, made) = self.step(Step::Make { aum, signers: vec![signer] });
            self.aums.extend(made.clone());
            self.step(Step::Inform { at, aums: made });
        }
        self.compact_at(at);
    }

    /// An authority that begins with a later checkpoint, whatever came before it.
    fn start_late(&mut self) {
        let at = self.places.len();
        let checkpoint = |it: &&Vec<u8>| {
            let read = Aum::decode(it);
            read.is_ok_and(|it| it.value.kind == AumKind::Checkpoint && it.value.parent.is_some())
        };
        let Some(aum) = self.aums.iter().rev().find(checkpoint).cloned() else { return };
        let folder = self.once_in(2);
        let (ok, _) = self.step(Step::Bootstrap { at, folder, aum });
        if !ok {
            return;
        }
        self.places.push(folder);
        for _ in 0..2 + self.random.below(3) {
            let signer = self.signer(at);
            let changes = self.changes(at);
            self.build_and_inform(at, Some(signer), changes);
        }
        if self.once_in(2) {
            self.compact_at(at);
        }
    }

    /// The other side goes on with our folder, and we with its.
    fn adopt(&mut self) {
        let at = self.place();
        if self.places[at] {
            self.adopt_at(at);
        }
    }

    fn adopt_at(&mut self, at: usize) {
        let copy = self.copies;
        self.copies += 1;
        self.step(Step::Adopt { at, copy });
    }

    fn disable(&mut self) {
        let Some(mut secret) = self.secret.clone() else { return };
        if self.once_in(2) {
            secret[0] ^= 1;
        }
        let at = self.place();
        self.step(Step::Disable { at, secret });
    }
}
