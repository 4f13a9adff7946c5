//! Our library doing the steps of a scenario, and what is seen of each, in the words of
//! `interop/tka/scenario.go`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use lock::aum::{Aum, AumHash, Update};
use lock::auth_key::SignedAuthKey;
use lock::authority::{Authority, Compaction, Revocation, StateFrom};
use lock::builder::UpdateBuilder;
use lock::deep_link::DeepLink;
use lock::error::SyncError;
use lock::peer;
use lock::secret::{DisablementSecret, Signer, SigningKey};
use lock::signature::{NodeKeySignature, RotationKey, SignatureKind};
use lock::state::State;
use lock::store::{Folder, Memory, Record, Store};
use lock::sync::SyncOffer;
use lock::text::{LockPublicKey, NodeKey, hex};
use serde_json::{Value, json};

use crate::steps::{Change, Step, all, base64, key_json};

/// How long ago an old update was committed, and how young one must be to be kept for it: in seconds.
const LONG_AGO: i64 = 30 * 24 * 60 * 60;
const LEAST_AGE: i64 = 14 * 24 * 60 * 60;

/// What is seen of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ok: bool,
    /// Why it was refused, for people.
    pub(crate) why: String,
    /// What it made: updates, a signature, a link.
    pub(crate) made: Vec<Vec<u8>>,
    /// All of it, to be compared.
    pub(crate) told: Value,
    /// How many updates compaction dropped.
    pub(crate) dropped: usize,
    /// Of a sync: what each side offered, and gave for the offer of the other.
    pub(crate) exchanged: Value,
}

/// An authority and where it is kept.
struct Place {
    authority: Authority,
    kept: Kept,
}

enum Kept {
    Memory(Memory),
    Folder(Folder),
}

impl Kept {
    fn store(&self) -> &dyn Store {
        match self {
            Kept::Memory(store) => store,
            Kept::Folder(store) => store,
        }
    }
}

impl Place {
    /// Both halves at once, because most changes need both.
    fn halves(&mut self) -> (&mut Authority, &mut dyn Store) {
        match &mut self.kept {
            Kept::Memory(store) => (&mut self.authority, store),
            Kept::Folder(store) => (&mut self.authority, store),
        }
    }

    fn inform(&mut self, updates: &[Update]) -> Result<(), Box<dyn Error>> {
        let (authority, store) = self.halves();
        Ok(authority.inform(store, updates, now())?)
    }

    /// How the authority stands.
    fn stand(&self) -> Value {
        let (authority, store) = (&self.authority, self.kept.store());
        let hashes = |all: Vec<Update>| {
            all.iter().map(|it| base64(it.hash().as_bytes())).collect::<Vec<_>>()
        };
        let state = authority.state();
        json!({
            "Head": base64(authority.head().as_bytes()),
            "Oldest": base64(authority.oldest().hash().as_bytes()),
            "Last": store.last_active_ancestor().unwrap().map(|it| base64(it.as_bytes())),
            "Keys": state.keys().iter().map(key_json).collect::<Vec<_>>(),
            "ID1": state.id1,
            "ID2": state.id2,
            "Stored": hashes(store.all().unwrap()),
            "Heads": hashes(store.heads().unwrap()),
        })
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs() as i64)
}

/// Where scenarios take place.
pub(crate) struct Engine {
    keys: Vec<SigningKey>,
    folder: PathBuf,
    /// How the folders of this run are called.
    name: &'static str,
    places: Vec<Option<Place>>,
}

impl Engine {
    pub(crate) fn new(seeds: &[[u8; 32]], folder: &Path, name: &'static str) -> Self {
        let keys = seeds.iter().map(SigningKey::from_seed).collect();
        Self { keys, folder: folder.to_owned(), name, places: Vec::new() }
    }

    pub(crate) fn publics(&self) -> Vec<Vec<u8>> {
        self.keys.iter().map(|it| it.public().as_bytes().to_vec()).collect()
    }

    /// The private key of a number, as 64 bytes.
    pub(crate) fn pair(&self, number: usize) -> Vec<u8> {
        self.keys[number].expose_pair().to_vec()
    }

    pub(crate) fn state(&self, at: usize) -> State {
        self.place(at).authority.state().clone()
    }

    pub(crate) fn head(&self, at: usize) -> [u8; 32] {
        *self.place(at).authority.head().as_bytes()
    }

    pub(crate) fn stored(&self, at: usize) -> Vec<[u8; 32]> {
        let all = self.place(at).kept.store().all().unwrap();
        all.iter().map(|it| *it.hash().as_bytes()).collect()
    }

    /// The folder that an authority is kept in.
    pub(crate) fn folder_of(&self, at: usize) -> Option<PathBuf> {
        match &self.place(at).kept {
            Kept::Folder(store) => Some(store.path().to_owned()),
            Kept::Memory(_) => None,
        }
    }

    fn place(&self, at: usize) -> &Place {
        self.places[at].as_ref().unwrap()
    }

    fn place_mut(&mut self, at: usize) -> &mut Place {
        self.places[at].as_mut().unwrap()
    }

    /// Takes a step. With what the Go program saw of it, it goes on with what that made and left.
    pub(crate) fn run(&mut self, step: &Step, theirs: Option<&Value>) -> Seen {
        let mut seen = Seen { told: json!({}), ..Seen::default() };
        match self.take(step, theirs, &mut seen) {
            Ok(()) => seen.ok = true,
            Err(error) => seen.why = error.to_string(),
        }
        let about = match step {
            Step::Create { at, .. }
            | Step::Bootstrap { at, .. }
            | Step::Inform { at, .. }
            | Step::Compact { at, .. }
            | Step::Adopt { at, .. } => vec![*at],
            Step::Reopen { at } if seen.ok => vec![*at],
            Step::Sync { at, with } => vec![*at, *with],
            _ => Vec::new(),
        };
        let places = about.iter().filter_map(|it| self.places.get(*it)?.as_ref());
        seen.told["Stands"] = places.map(Place::stand).collect();
        seen.told["OK"] = json!(seen.ok);
        if seen.told.get("Parts").is_none() {
            seen.told["Made"] = json!(all(&seen.made));
        }
        seen
    }

    fn take(
        &mut self,
        step: &Step,
        theirs: Option<&Value>,
        seen: &mut Seen,
    ) -> Result<(), Box<dyn Error>> {
        match step {
            Step::Create { at, folder, aum, signers } => {
                let mut genesis = aum.clone();
                self.sign(&mut genesis, signers)?;
                seen.made.push(genesis.encode());
                self.start(*at, *folder, genesis)
            }
            Step::Bootstrap { at, folder, aum } => {
                self.start(*at, *folder, Aum::decode(aum)?.value)
            }
            Step::Build { at, signer, changes } => self.build(*at, *signer, changes, seen),
            Step::Make { aum, signers } => self.signed(aum.clone(), signers, seen),
            Step::Cosign { aum, signers } => self.signed(Aum::decode(aum)?.value, signers, seen),
            Step::Revoke { at, keys, ours, fork, signers } => {
                let place = self.place(*at);
                let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
                let ours = self.keys[*ours].public();
                let revocation = Revocation {
                    keys: &keys,
                    signer: ours.as_bytes(),
                    fork_from: fork.map(AumHash::new),
                    state_from: StateFrom::Head,
                };
                let aum = place.authority.revoke(place.kept.store(), &revocation)?;
                self.signed(aum, signers, seen)
            }
            Step::Inform { at, aums } => self.place_mut(*at).inform(&updates(aums)?),
            Step::Sync { at, with } => self.sync([*at, *with], theirs, seen),
            Step::Age { at, old } => self.age(*at, old),
            Step::Compact { at, chain } => {
                let options = Compaction { min_chain: *chain, min_age: LEAST_AGE };
                let (authority, store) = self.place_mut(*at).halves();
                seen.dropped = authority.compact(store, options, now())?.len();
                Ok(())
            }
            Step::Reopen { at } => self.reopen(*at),
            Step::Adopt { at, copy } => self.adopt(*at, *copy, theirs.is_some()),
            Step::Litter { at, name, content } => {
                let path = self.folder_of(*at).ok_or("kept in memory")?.join(name);
                if let (Some(content), Some(folder)) = (content, path.parent()) {
                    fs::create_dir_all(folder)?;
                    fs::write(&path, content)?;
                } else {
                    fs::remove_file(&path)?;
                }
                Ok(())
            }
            Step::Show { aum } => show(aum, seen),
            Step::Sign { signature, signer } => self.endorse(signature, *signer, seen),
            Step::Rotate { old, node, signer } => {
                let old = NodeKeySignature::decode(old)?.value;
                let key = &self.keys[*signer];
                let signature = NodeKeySignature::resign(key, &NodeKey::new(*node), &old)?;
                seen.made.push(signature.encode());
                Ok(())
            }
            Step::Wrapped { credential, node, signer } => {
                let credential = NodeKeySignature::decode(credential)?.value;
                let (key, node) = (&self.keys[*signer], NodeKey::new(*node));
                let signature = NodeKeySignature::by_credential(key, &credential, &node, None)?;
                seen.made.push(signature.encode());
                Ok(())
            }
            Step::Look { signature } => look(signature, seen),
            Step::Judge { at, node, signature } => {
                let node = NodeKey::new(*node);
                let authorized = self.place(*at).authority.authorizes(&node, signature)?;
                let before = authorized.rotation.map(|it| it.previous).unwrap_or_default();
                seen.told["Before"] = before.iter().map(|it| base64(it.as_bytes())).collect();
                Ok(())
            }
            Step::Filter { at, peers } => {
                let peers: Vec<peer::Peer<'_>> = peers
                    .iter()
                    .map(|it| peer::Peer {
                        node_key: NodeKey::new(it.node),
                        signature: &it.signature,
                        unsigned_api_only: it.api_only,
                    })
                    .collect();
                let verdicts = peer::filter(&self.place(*at).authority, &peers);
                seen.told["Each"] = verdicts.iter().map(|it| it.is_kept()).collect();
                Ok(())
            }
            Step::Disable { at, secret } => {
                let secret = DisablementSecret::new(secret.clone());
                let right = self.place(*at).authority.is_disabled_by(&secret);
                if right { Ok(()) } else { Err("no such secret".into()) }
            }
            Step::AuthKey { text } => {
                let key = SignedAuthKey::parse(text)?;
                // The private half is the end of the text again, and stands nowhere else.
                let (_, private) = text.rsplit_once('-').unwrap_or_default();
                let private = data_encoding::BASE64_NOPAD.decode(private.as_bytes())?;
                let credential = hex(&key.credential().encode());
                seen.told["Parts"] = json!([key.expose_auth_key(), credential, hex(&private)]);
                Ok(())
            }
            Step::Link { at, fields: [node_key, lock_key, device, system, login] } => {
                let texts = [device.as_str(), system, login];
                let id1 = self.place(*at).authority.state().id1;
                let link = DeepLink::new(node_key.parse()?, lock_key.parse()?, texts, id1)?;
                seen.told["Parts"] = json!([link.to_string()]);
                seen.made.push(link.to_string().into_bytes());
                Ok(())
            }
            Step::Follow { at, text } => {
                let link = DeepLink::parse(text)?;
                link.check(self.place(*at).authority.state().id1)?;
                let (node_key, lock_key) = (link.node_key.to_string(), link.lock_key.to_string());
                seen.told["Parts"] =
                    json!([node_key, lock_key, link.device_name, link.os_name, link.login_name]);
                Ok(())
            }
        }
    }

    fn sign(&self, aum: &mut Aum, signers: &[usize]) -> Result<(), Box<dyn Error>> {
        for signer in signers {
            aum.sign(&self.keys[*signer])?;
        }
        Ok(())
    }

    fn signed(
        &self,
        mut aum: Aum,
        signers: &[usize],
        seen: &mut Seen,
    ) -> Result<(), Box<dyn Error>> {
        self.sign(&mut aum, signers)?;
        seen.made.push(aum.encode());
        Ok(())
    }

    fn start(&mut self, at: usize, folder: bool, first: Aum) -> Result<(), Box<dyn Error>> {
        let mut kept = if folder {
            Kept::Folder(Folder::create(self.folder.join(format!("{}-{at}", self.name)))?)
        } else {
            Kept::Memory(Memory::new())
        };
        let store: &mut dyn Store = match &mut kept {
            Kept::Memory(store) => store,
            Kept::Folder(store) => store,
        };
        let authority = Authority::bootstrap(store, &Update::new(first), now())?;
        self.places.resize_with(self.places.len().max(at + 1), || None);
        self.places[at] = Some(Place { authority, kept });
        Ok(())
    }

    fn build(
        &self,
        at: usize,
        signer: Option<usize>,
        changes: &[Change],
        seen: &mut Seen,
    ) -> Result<(), Box<dyn Error>> {
        let place = self.place(at);
        let signer = signer.map(|it| &self.keys[it] as &dyn Signer);
        let mut builder = UpdateBuilder::new(&place.authority, signer);
        let mut each = Vec::new();
        for change in changes {
            let result = match change {
                Change::Add(key) => builder.add_key(key.clone()),
                Change::Remove(id) => builder.remove_key(id),
                Change::Votes(id, votes) => builder.set_votes(id, *votes),
                Change::Meta(id, meta) => builder.set_meta(id, meta.clone()),
            };
            each.push(result.is_ok());
        }
        seen.told["Each"] = json!(each);
        let updates = builder.finish(place.kept.store())?;
        seen.made = updates.iter().map(|it| it.encode()).collect();
        Ok(())
    }

    /// Both sides take what the other gives. After a scenario was told to the Go program, what its
    /// sides gave must lead to the same place as what ours give for its offers.
    fn sync(
        &mut self,
        sides: [usize; 2],
        theirs: Option<&Value>,
        seen: &mut Seen,
    ) -> Result<(), Box<dyn Error>> {
        let theirs = theirs.filter(|it| it["OK"] == json!(true));
        let mut offers = Vec::new();
        for at in sides {
            let place = self.place(at);
            offers.push(place.authority.sync_offer(place.kept.store())?);
        }
        seen.exchanged["Offers"] = offers.iter().map(offer_json).collect();
        seen.exchanged["Gave"] = json!([[], []]);
        let mut gave = Vec::new();
        for (side, at) in sides.iter().enumerate() {
            let place = self.place(*at);
            let missing = |offer: &SyncOffer| place.authority.missing(place.kept.store(), offer);
            let theirs = theirs.map(|it| offer_of(&it["Offers"][1 - side]));
            // Before version 1.103 an offer names fewer updates, and may name none that we have.
            let missing = match theirs.as_ref().map(missing) {
                None | Some(Err(SyncError::NoIntersection)) => missing(&offers[1 - side]),
                Some(missing) => missing,
            };
            gave.push(missing?);
        }
        seen.exchanged["Gave"] = gave
            .iter()
            .map(|list| list.iter().map(|it| base64(&it.encode())).collect::<Vec<_>>())
            .collect();
        for (at, given) in sides.iter().zip(gave.iter().rev()) {
            if !given.is_empty() {
                self.place_mut(*at).inform(given)?;
            }
        }
        let Some(theirs) = theirs else { return Ok(()) };
        for (at, given) in sides.iter().zip([&theirs["Gave"][1], &theirs["Gave"][0]]) {
            let before = self.place(*at).stand();
            let given = updates(&decoded(given))?;
            if !given.is_empty() {
                self.place_mut(*at).inform(&given)?;
            }
            if self.place(*at).stand() != before {
                return Err("what they gave leads elsewhere".into());
            }
        }
        Ok(())
    }

    /// Makes these updates a month old, and all others new.
    fn age(&mut self, at: usize, old: &[[u8; 32]]) -> Result<(), Box<dyn Error>> {
        let place = self.places[at].as_mut().unwrap();
        let all = place.kept.store().all()?;
        let age = |hash: &AumHash| if old.contains(hash.as_bytes()) { LONG_AGO } else { 0 };
        match &mut place.kept {
            Kept::Memory(store) => {
                let mut aged = Memory::new();
                for update in &all {
                    aged.commit(std::slice::from_ref(update), now() - age(&update.hash()))?;
                }
                if let Some(ancestor) = store.last_active_ancestor()? {
                    aged.set_last_active_ancestor(ancestor)?;
                }
                *store = aged;
            }
            Kept::Folder(store) => {
                for update in &all {
                    let path = store.path().join(Record::path(&update.hash()));
                    let mut record = Record::decode(&fs::read(&path)?)?.value;
                    record.created = now() - age(&update.hash());
                    fs::write(&path, record.encode())?;
                }
                *store = Folder::open(store.path())?;
            }
        }
        Ok(())
    }

    fn reopen(&mut self, at: usize) -> Result<(), Box<dyn Error>> {
        let place = self.places[at].as_mut().unwrap();
        if let Kept::Folder(store) = &mut place.kept {
            *store = Folder::open(store.path())?;
        }
        place.authority = Authority::open(place.kept.store())?;
        Ok(())
    }

    /// Leaves a copy of the folder for the Go program; after it was told, goes on with the copy that
    /// the Go program left.
    fn adopt(&mut self, at: usize, copy: usize, told: bool) -> Result<(), Box<dyn Error>> {
        let Kept::Folder(store) = &mut self.places[at].as_mut().unwrap().kept else {
            return Err("kept in memory".into());
        };
        if told {
            *store = Folder::open(self.folder.join(format!("told-{copy}")))?;
        } else {
            copy_folder(store.path(), &self.folder.join(format!("asked-{copy}")))?;
        }
        self.reopen(at)
    }

    /// Signs just what is given. Where it is what our library makes, it is made by that, too.
    fn endorse(
        &self,
        signature: &NodeKeySignature,
        signer: usize,
        seen: &mut Seen,
    ) -> Result<(), Box<dyn Error>> {
        let key = &self.keys[signer];
        let mut made = signature.clone();
        made.signature = key.sign(&made.sig_hash()).to_vec();
        let wrapping = LockPublicKey::from_slice(&made.wrapping_key);
        let wrapping = wrapping.and_then(|it| RotationKey::new(it).ok());
        let same = |other: Result<NodeKeySignature, _>| match other {
            Ok(other) if other.key_id == made.key_id && other.nested == made.nested => {
                other == made
            }
            Ok(_) => true,
            Err::<_, lock::error::EndorseError>(_) => false,
        };
        let fits = match (made.kind, NodeKey::from_binary(&made.node_key), &wrapping) {
            (SignatureKind::Direct, Ok(node), Some(_)) => {
                same(NodeKeySignature::direct(key, &node, wrapping.as_ref()))
            }
            (SignatureKind::Direct, Ok(node), None) if made.wrapping_key.is_empty() => {
                same(NodeKeySignature::direct(key, &node, None))
            }
            (SignatureKind::Credential, Err(_), Some(wrapping)) => {
                same(NodeKeySignature::credential(key, wrapping))
            }
            _ => true,
        };
        seen.made.push(made.encode());
        if fits { Ok(()) } else { Err("our library makes another".into()) }
    }
}

fn updates(aums: &[Vec<u8>]) -> Result<Vec<Update>, Box<dyn Error>> {
    aums.iter().map(|it| Ok(Update::new(Aum::decode(it)?.value))).collect()
}

/// A list of bytes out of JSON.
fn decoded(list: &Value) -> Vec<Vec<u8>> {
    let all = list.as_array().into_iter().flatten();
    all.map(|it| BASE64.decode(it.as_str().unwrap().as_bytes()).unwrap()).collect()
}

fn offer_json(offer: &SyncOffer) -> Value {
    let ancestors: Vec<String> = offer.ancestors.iter().map(|it| base64(it.as_bytes())).collect();
    json!({"Head": base64(offer.head.as_bytes()), "Ancestors": ancestors})
}

fn offer_of(told: &Value) -> SyncOffer {
    let hash = |it: Vec<u8>| AumHash::new(it.try_into().unwrap());
    let head = decoded(&json!([told["Head"]])).into_iter().map(hash).next().unwrap();
    SyncOffer { head, ancestors: decoded(&told["Ancestors"]).into_iter().map(hash).collect() }
}

fn show(bytes: &[u8], seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    let aum = Aum::decode(bytes)?.value;
    seen.told["Shown"] = json!({
        "Canonical": base64(&aum.encode()),
        "Hash": base64(aum.hash().as_bytes()),
        "SigHash": base64(aum.sig_hash().as_bytes()),
        "Valid": aum.check().is_ok(),
        "Parent": aum.parent().map(|it| base64(it.as_bytes())),
    });
    Ok(())
}

fn look(bytes: &[u8], seen: &mut Seen) -> Result<(), Box<dyn Error>> {
    let signature = NodeKeySignature::decode(bytes)?.value;
    seen.told["Shown"] = json!({
        "Canonical": base64(&signature.encode()),
        "SigHash": base64(signature.sig_hash().as_bytes()),
        "Valid": false,
        "KeyID": signature.authorizing_key_id().ok().map(base64),
        "Wrapping": signature.effective_wrapping_key().map(base64),
    });
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
