//! A few words → a chain of updates and the nodes that live by it. The words are listed in
//! `tests/README.md`. Keys are made from their names, so a scenario has the same hashes everywhere.

mod nodes;

use std::collections::BTreeMap;

use lock::audit::{Oddity, OddityKind, Subject, Thresholds, audit};
use lock::aum::{Aum, AumKind, Update};
use lock::authority::{Authority, state_at};
use lock::key::{Key, Meta};
use lock::secret::{DisablementValue, SigningKey};
use lock::state::State;
use lock::store::{Memory, Store};
use lock::text::{LockPublicKey, NodeKey, from_hex, hex};

/// The day that it is in every scenario, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 60 * 60;

/// What the words of a scenario make.
#[derive(Default)]
pub struct Scenario {
    /// The updates. Nobody checked them.
    pub store: Memory,
    /// The nodes, in the order they were named.
    pub nodes: Vec<Node>,
    oddities: Vec<Oddity>,
    /// What follows `lose` and `leak`: the word, and the names of keys.
    pub rehearsals: Vec<(String, Vec<String>)>,
    updates: BTreeMap<String, Update>,
    last: Option<Update>,
    /// What was named, and what it is called in the text: hashes and keys.
    names: Vec<(String, String)>,
    genesis: usize,
}

/// A node of a scenario.
pub struct Node {
    /// What people call it.
    pub name: String,
    /// Its node key.
    pub node_key: NodeKey,
    /// Its signature; empty where it has none.
    pub signature: Vec<u8>,
    lock_key: Option<LockPublicKey>,
    expires: Option<i64>,
    exempt: bool,
}

impl Node {
    /// The node as an audit takes it.
    pub fn audited(&self) -> lock::audit::Node<'_> {
        lock::audit::Node {
            name: &self.name,
            node_key: self.node_key,
            signature: &self.signature,
            lock_key: self.lock_key,
            expires: self.expires,
            unsigned_api_only: self.exempt,
        }
    }
}

/// The private key of a name.
pub fn signing_key(name: &str) -> SigningKey {
    SigningKey::from_seed(&bytes_of(name))
}

/// 32 bytes that depend on a name: hex digits of it, repeated.
fn bytes_of(name: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = name.as_bytes().get(index % name.len().max(1)).copied().unwrap_or_default();
    }
    bytes
}

/// The public key of a name. A few names are those of keys that are none.
pub fn public_key(name: &str) -> Vec<u8> {
    match name {
        "zeros" => vec![0; 32],
        "short" => vec![1, 2, 3],
        "nowhere" => [[2].as_slice(), &[0; 31]].concat(),
        _ => signing_key(name).public().as_bytes().to_vec(),
    }
}

/// The words of one line: what comes first, and what follows each of the small words.
struct Line<'a> {
    words: Vec<&'a str>,
    options: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Words that begin an option of an update or a node.
const OPTIONS: &[&str] = &[
    "by", "forged", "after", "as", "days", "values", "rotation", "owner", "expires", "made",
    "rotate", "times", "exempt", "cut",
];

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Self {
        let mut line = Self { words: Vec::new(), options: BTreeMap::new() };
        let mut option = None;
        for word in text.split_whitespace() {
            if OPTIONS.contains(&word) {
                line.options.entry(word).or_default();
                option = Some(word);
            } else {
                match option.and_then(|it| line.options.get_mut(it)) {
                    Some(values) => values.push(word),
                    None => line.words.push(word),
                }
            }
        }
        line
    }

    fn word(&self, index: usize) -> Result<&'a str, String> {
        self.words.get(index).copied().ok_or_else(|| format!("word {index} is missing"))
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.get(name).map(|it| it.first().copied().unwrap_or_default())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |it: &str| it.parse().map_err(|_| format!("`{name} {it}` is no number"));
        self.option(name).map(parse).transpose()
    }
}

impl Scenario {
    /// Reads a scenario: a line for each step, `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut scenario = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let line = Line::of(line);
            if let Some(first) = line.words.first() {
                let step = scenario.step(first, &line);
                step.map_err(|it| format!("line {}: {it}", index + 1))?;
            }
        }
        Ok(scenario)
    }

    fn step(&mut self, first: &str, line: &Line<'_>) -> Result<(), String> {
        match first {
            "node" => self.node(line)?,
            "raw" => self.raw(line)?,
            "stray" => {
                let place = line.word(1)?.to_owned();
                self.oddities.push(Oddity { place, kind: OddityKind::Stray });
            }
            "lose" | "leak" => {
                let keys = line.words.iter().skip(1).map(|it| (*it).to_owned()).collect();
                self.rehearsals.push((first.to_owned(), keys));
            }
            _ => {
                let times = line.number::<usize>("times")?;
                for turn in 0..times.unwrap_or(1) {
                    self.update(first, line, times.map(|_| turn))?;
                }
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str) -> Vec<u8> {
        let public = public_key(name);
        let text = format!("tlpub:{}", hex(&public));
        if !self.names.iter().any(|it| it.0 == text) {
            self.names.push((text, name.to_owned()));
        }
        public
    }

    fn key(&mut self, word: &str) -> Result<Key, String> {
        let (name, votes) = word.split_once('*').unwrap_or((word, "1"));
        let public = Some(self.named(name));
        let votes = votes.parse().map_err(|_| format!("`{votes}` is no number of votes"))?;
        Ok(Key { kind: lock::key::ED25519, votes, public, meta: None })
    }

    /// The state that a checkpoint is made of: at its parent, or a new one.
    fn state(&mut self, parent: Option<&Update>, line: &Line<'_>) -> Result<State, String> {
        let mut state = match parent {
            Some(parent) => state_at(&self.store, &parent.hash()).map_err(|it| it.to_string())?,
            None => {
                self.genesis += 1;
                State { id1: self.genesis as u64, id2: 1, ..State::default() }
            }
        };
        state.last = None;
        let mut keys = Vec::new();
        for word in line.words.iter().skip(1) {
            keys.push(self.key(word)?);
        }
        if !keys.is_empty() {
            state.keys = Some(keys);
        }
        if let Some(count) = line.number::<u8>("values")?.or(parent.is_none().then_some(2)) {
            let values = (0..count).map(|it| DisablementValue::new([it; 32]));
            state.disablement_values =
                Some(values.map(|it| Some(it.as_bytes().to_vec())).collect());
        }
        Ok(state)
    }

    /// One update; of several that one line makes, `turn` says which.
    fn update(&mut self, first: &str, line: &Line<'_>, turn: Option<usize>) -> Result<(), String> {
        let parent = match (first, line.option("after")) {
            ("genesis", _) => None,
            (_, Some(name)) => {
                Some(self.updates.get(name).ok_or(format!("no update is called {name}"))?.clone())
            }
            (_, None) => Some(self.last.clone().ok_or("nothing comes before")?),
        };
        let mut aum = Aum {
            parent: parent.as_ref().map(|it| it.hash().as_bytes().to_vec()),
            ..Aum::default()
        };
        match first {
            "genesis" | "checkpoint" => {
                aum.kind = AumKind::Checkpoint;
                aum.state = Some(self.state(parent.as_ref(), line)?);
            }
            "add" => {
                aum.kind = AumKind::AddKey;
                let word = line.word(1)?;
                let word = turn.map_or_else(|| word.to_owned(), |it| format!("{word}{it}"));
                aum.key = Some(self.key(&word)?);
                let made = line.number::<i64>("made")?;
                if let (Some(days), Some(key)) = (made, &mut aum.key) {
                    let time = (NOW - days * DAY).to_string();
                    key.meta = Some(Meta::from_iter([
                        ("purpose", "pre-auth key"),
                        ("wrapper_createtime", time.as_str()),
                        ("authkey_stableid", "k123"),
                    ]));
                }
            }
            "remove" => {
                aum.kind = AumKind::RemoveKey;
                aum.key_id = Some(self.named(line.word(1)?));
            }
            "votes" => {
                aum.kind = AumKind::UpdateKey;
                aum.key_id = Some(self.named(line.word(1)?));
                aum.votes = Some(line.word(2)?.parse().map_err(|_| "votes are a number")?);
            }
            "meta" => {
                aum.kind = AumKind::UpdateKey;
                aum.key_id = Some(self.named(line.word(1)?));
                let entries = line.words.iter().skip(2).filter_map(|it| it.split_once('='));
                aum.meta = Some(entries.collect());
            }
            "noop" => aum.kind = AumKind::NoOp,
            "kind" => {
                let number: u8 = line.word(1)?.parse().map_err(|_| "a kind is a number")?;
                aum.kind = AumKind::from(number);
            }
            other => return Err(format!("`{other}` is no step")),
        }
        for name in line.options.get("by").into_iter().flatten() {
            self.named(name);
            aum.sign(&signing_key(name)).map_err(|it| it.to_string())?;
        }
        if line.option("forged").is_some()
            && let Some(signature) = aum.signatures.last_mut().and_then(|it| it.signature.as_mut())
            && let Some(byte) = signature.first_mut()
        {
            *byte ^= 1;
        }
        let update = Update::new(aum);
        let name = match line.option("as") {
            Some(name) => name.to_owned(),
            None if first == "genesis" && self.updates.is_empty() => first.to_owned(),
            None => format!("update-{}", self.updates.len()),
        };
        if self.updates.is_empty() {
            let set = self.store.set_last_active_ancestor(update.hash());
            set.map_err(|it| it.to_string())?;
        }
        self.names.push((update.hash().to_string(), name.clone()));
        let days = line.number::<i64>("days")?.unwrap_or(0);
        let time = NOW - days * DAY;
        // One that is cut off was never stored, and still has children.
        if line.option("cut").is_none() {
            let kept = self.store.commit(std::slice::from_ref(&update), time);
            kept.map_err(|it| it.to_string())?;
        }
        self.updates.insert(name, update.clone());
        self.last = Some(update);
        Ok(())
    }

    /// Bytes that lie where an update would.
    fn raw(&mut self, line: &Line<'_>) -> Result<(), String> {
        let place = line.word(1)?.to_owned();
        let bytes = from_hex(line.words.get(2).copied().unwrap_or_default()).ok_or("no hex")?;
        match Aum::decode(&bytes) {
            Ok(decoded) => self.oddities.extend(Oddity::of_quirks(&place, &decoded.quirks)),
            Err(error) => {
                let kind = OddityKind::Unreadable(error.to_string());
                self.oddities.push(Oddity { place, kind });
            }
        }
        Ok(())
    }

    /// The codes and sentences of an audit, hashes and keys by their names.
    pub fn findings(&self) -> Result<Vec<(lock::audit::Code, String)>, String> {
        let nodes: Vec<lock::audit::Node<'_>> = self.nodes.iter().map(Node::audited).collect();
        let subject = Subject {
            store: &self.store,
            oddities: &self.oddities,
            nodes: &nodes,
            now: NOW,
            thresholds: Thresholds::default(),
        };
        let findings = audit(&subject).map_err(|it| it.to_string())?;
        let shown = |it: lock::audit::Finding| {
            let mut text =
                format!("{} {}: {}: {}\n", it.code, it.severity().name(), it.about, it.message);
            if let Some(help) = it.help {
                text.push_str(&format!("  help: {help}\n"));
            }
            (it.code, self.with_names(&text))
        };
        Ok(findings.into_iter().map(shown).collect())
    }

    /// The text with names in place of hashes and keys.
    pub fn with_names(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (shown, name) in &self.names {
            text = text.replace(shown.as_str(), &format!("<{name}>"));
        }
        text
    }

    /// The chain, opened.
    pub fn authority(&self) -> Result<Authority, String> {
        Authority::open(&self.store).map_err(|it| it.to_string())
    }

    /// Every update in the order they were written.
    pub fn updates(&self) -> Vec<Update> {
        let mut updates = self.store.all().unwrap_or_default();
        let place =
            |it: &Update| self.names.iter().position(|name| name.0 == it.hash().to_string());
        updates.sort_by_key(place);
        updates
    }
}
