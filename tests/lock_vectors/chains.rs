//! Authorities: chains, forks, recovery, sync and compaction.

use std::collections::{BTreeMap, BTreeSet};

use lock::aum::{Aum, AumHash, AumKind, Update};
use lock::authority::{Authority, Compaction, Revocation, pick};
use lock::builder::UpdateBuilder;
use lock::key::{Key, Meta};
use lock::secret::DisablementSecret;
use lock::state::State;
use lock::store::{Memory, Store};
use lock::text::hex;
use serde_json::Value;

use crate::{Vectors, bytes, parsed, same, text, update};

pub(crate) fn real_genesis(_: &Vectors, item: &Value) -> Result<(), String> {
    let genesis = update(item, "cbor_hex")?;
    same("bytes", hex(&genesis.encode()).as_str(), text(item, "cbor_hex")?)?;
    same("hash", genesis.hash().to_string().as_str(), text(item, "hash_text")?)?;
    same("signed", hex(genesis.sig_hash().as_bytes()).as_str(), text(item, "sighash_hex")?)?;
    let mut store = Memory::new();
    let authority = Authority::bootstrap(&mut store, &genesis, 0).map_err(|it| it.to_string())?;
    let state = authority.state();
    same("first number", &Some(state.id1), &item["state_id1"].as_u64())?;
    same("second number", &Some(state.id2), &item["state_id2"].as_u64())?;
    let values: Vec<String> = state.disablement_values().map(hex).collect();
    let expected = item["disablement_values_hex"].as_array().ok_or("no values")?;
    let expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
    same("values", &values.iter().map(String::as_str).collect::<Vec<_>>(), &expected)?;
    let keys = item["keys"].as_array().ok_or("no keys")?;
    for (key, expected) in state.keys().iter().zip(keys) {
        let public = key.public.clone().unwrap_or_default();
        same("key", hex(&public).as_str(), text(expected, "public_hex")?)?;
        same("votes", &Some(key.votes), &expected["votes"].as_u64())?;
    }
    same("number of keys", &state.keys().len(), &keys.len())
}

/// The chain is read, and then made again from nothing, to the byte.
pub(crate) fn chain(vectors: &Vectors, section: &Value) -> Result<(), String> {
    let updates = vectors.chain()?;
    let (mut store, mut authority) = vectors.bootstrapped()?;
    authority.inform(&mut store, &updates[1..], 0).map_err(|it| it.to_string())?;
    let items = section["items"].as_array().ok_or("no items")?;
    for (item, update) in items.iter().zip(&updates) {
        same("bytes", hex(&update.encode()).as_str(), text(item, "cbor_hex")?)?;
        same("hash", update.hash().to_string().as_str(), text(item, "hash_text")?)?;
        same("signed", hex(update.sig_hash().as_bytes()).as_str(), text(item, "sighash_hex")?)?;
    }
    let expected = section["final_keys"].as_array().ok_or("no keys")?;
    let keys = authority.state().keys();
    same("number of keys", &keys.len(), &expected.len())?;
    for (key, expected) in keys.iter().zip(expected) {
        let public = key.public.clone().unwrap_or_default();
        same("key", hex(&public).as_str(), text(expected, "public_hex")?)?;
        same("votes", &Some(key.votes), &expected["votes"].as_u64())?;
        let meta: Meta = strings(&expected["meta"]).collect();
        same("meta", &key.meta.clone().unwrap_or_default(), &meta)?;
    }
    let offer = authority.sync_offer(&store).map_err(|it| it.to_string())?;
    same("head", &offer.head, &parsed(&section["sync_offer"], "head")?)?;
    same("ancestors", &offer.ancestors, &hashes(&section["sync_offer"]["ancestors"])?)?;
    same("opened", &Authority::open(&store).map_err(|it| it.to_string())?.head(), &offer.head)?;
    for secret in section["disablement_secrets_hex"].as_array().ok_or("no secrets")? {
        let secret = secret.as_str().and_then(lock::text::from_hex).ok_or("no secret")?;
        same("secret", &authority.is_disabled_by(&DisablementSecret::new(secret)), &true)?;
    }
    let wrong = DisablementSecret::new(vec![1]);
    same("wrong secret", &authority.is_disabled_by(&wrong), &false)?;
    rebuilt(vectors, &updates)
}

fn rebuilt(vectors: &Vectors, updates: &[Update]) -> Result<(), String> {
    let [k1, k2, k3] = ["k1", "k2", "k3"].map(|it| vectors.key(it));
    let (k1, k2, k3) = (k1?, k2?, k3?);
    let state = updates[0].state.clone().ok_or("no state")?;
    let mut store = Memory::new();
    let created = Authority::create(&mut store, state, &k1, 0).map_err(|it| it.to_string())?;
    let (mut authority, genesis) = created;
    same("genesis", &genesis, &updates[0])?;
    for (index, expected) in updates.iter().enumerate().skip(1) {
        let mut builder = UpdateBuilder::new(&authority, Some(if index == 3 { &k3 } else { &k1 }));
        let done = match index {
            1 => builder.add_key(Key::new(k3.public(), 1)),
            2 => builder.set_votes(k3.public().as_bytes(), 5),
            3 => builder.set_meta(
                k3.public().as_bytes(),
                Meta::from_iter([("z", ""), ("aa", "long"), ("b", "c")]),
            ),
            4 => builder.remove_key(k2.public().as_bytes()),
            _ => {
                let state = builder.state().clone();
                builder.checkpoint(state)
            }
        };
        done.map_err(|it| it.to_string())?;
        let built = builder.finish(&store).map_err(|it| it.to_string())?;
        same("built", built.as_slice(), std::slice::from_ref(expected))?;
        authority.inform(&mut store, &built, 0).map_err(|it| it.to_string())?;
    }
    Ok(())
}

fn strings(object: &Value) -> impl Iterator<Item = (String, String)> {
    let entries = object.as_object().cloned().unwrap_or_default().into_iter();
    entries.map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
}

fn hashes(list: &Value) -> Result<Vec<AumHash>, String> {
    let texts = list.as_array().ok_or("no hashes")?.iter().filter_map(Value::as_str);
    texts.map(|it| it.parse().map_err(|_| format!("{it} is no hash"))).collect()
}

pub(crate) fn forks(vectors: &Vectors, section: &Value) -> Result<(), String> {
    let (store, authority) = vectors.bootstrapped()?;
    let mut updates = BTreeMap::new();
    for item in section["candidates"].as_array().ok_or("no candidates")? {
        let update = update(item, "cbor_hex")?;
        same("hash", update.hash().to_string().as_str(), text(item, "hash_text")?)?;
        let letter = text(item, "name")?.split('_').nth(1).unwrap_or_default().to_owned();
        let weight = section["weights"][&letter].as_u64();
        same(&letter, &Some(update.weight(authority.state())), &weight)?;
        updates.insert(letter, update);
    }
    for case in section["picks"].as_array().ok_or("no picks")? {
        let letters = case["candidates"].as_array().ok_or("no candidates")?;
        let letters = letters.iter().filter_map(Value::as_str);
        let children: Vec<Update> = letters.filter_map(|it| updates.get(it)).cloned().collect();
        let winner: AumHash = parsed(case, "winner_text")?;
        same("winner", &pick(authority.state(), &children).map(Update::hash), &Some(winner))?;
        // And as nodes meet it: whatever came first.
        for rotation in 0..children.len() {
            let (mut store, mut authority) = (store.clone(), authority.clone());
            let mut children = children.clone();
            children.rotate_left(rotation);
            authority.inform(&mut store, &children, 0).map_err(|it| it.to_string())?;
            same("head", &authority.head(), &winner)?;
        }
    }
    Ok(())
}

pub(crate) fn recovery(vectors: &Vectors, section: &Value) -> Result<(), String> {
    let (mut store, mut authority) = vectors.bootstrapped()?;
    let updates = vectors.chain()?;
    authority.inform(&mut store, &updates[1..], 0).map_err(|it| it.to_string())?;
    let [k1, k2, k3] = ["k1", "k2", "k3"].map(|it| vectors.key(it));
    let (k1, k2, k3) = (k1?, k2?, k3?.public());
    let signer = k1.public();
    let revocation =
        Revocation { keys: &[k3.as_bytes()], signer: signer.as_bytes(), ..Revocation::default() };
    let mut aum = authority.revoke(&store, &revocation).map_err(|it| it.to_string())?;
    for item in section["items"].as_array().ok_or("no items")? {
        match text(item, "name")? {
            "recovery_signed_k1" => aum.sign(&k1).map_err(|it| it.to_string())?,
            "recovery_signed_k1_k2" => aum.sign(&k2).map_err(|it| it.to_string())?,
            _ => {}
        }
        same("bytes", hex(&aum.encode()).as_str(), text(item, "cbor_hex")?)?;
        same("hash", aum.hash().to_string().as_str(), text(item, "hash_text")?)?;
        same("signed", hex(aum.sig_hash().as_bytes()).as_str(), text(item, "sighash_hex")?)?;
    }
    // Three votes against the two of what follows the fork: everybody goes over.
    let update = Update::new(aum);
    authority.inform(&mut store, std::slice::from_ref(&update), 0).map_err(|it| it.to_string())?;
    same("head", &authority.head(), &update.hash())?;
    same("trusted", &authority.trusts(k3.as_bytes()), &false)
}

pub(crate) fn inform(vectors: &Vectors, item: &Value) -> Result<(), String> {
    let (mut store, mut authority) = vectors.bootstrapped()?;
    let decoded = Aum::decode(&bytes(item, "aum_hex")?).map_err(|it| it.to_string())?;
    let ours = match authority.inform(&mut store, &[Update::new(decoded.value)], 0) {
        Ok(()) => format!("ok head={}", authority.head()),
        Err(error) => error.to_string(),
    };
    same("verdict", ours.as_str(), text(item, "result")?)
}

/// Graphs of unsigned updates, by name.
fn graph(section: &Value) -> Result<BTreeMap<String, Update>, String> {
    let nodes = section["graph"].as_object().ok_or("no graph")?;
    let mut updates = BTreeMap::new();
    for (name, node) in nodes {
        let update = update(node, "hex")?;
        same(name, update.hash().to_string().as_str(), text(node, "hash")?)?;
        updates.insert(name.clone(), update);
    }
    Ok(updates)
}

/// A store of the named updates, opened.
fn opened(graph: &BTreeMap<String, Update>, names: &Value) -> Result<(Memory, Authority), String> {
    let names = names.as_array().ok_or("no names")?.iter().filter_map(Value::as_str);
    let updates: Vec<Update> = names.filter_map(|it| graph.get(it)).cloned().collect();
    let mut store = Memory::new();
    store.commit(&updates, 0).map_err(|it| it.to_string())?;
    let authority = Authority::open(&store).map_err(|it| it.to_string())?;
    Ok((store, authority))
}

pub(crate) fn sync(_: &Vectors, section: &Value) -> Result<(), String> {
    let graph = graph(section)?;
    let name = |hash: &AumHash| {
        let found = graph.iter().find(|it| it.1.hash() == *hash);
        found.map_or_else(|| "?".to_owned(), |it| it.0.clone())
    };
    let one = opened(&graph, &section["node1_has"])?;
    let two = opened(&graph, &section["node2_has"])?;
    let offers = [&one, &two].map(|(store, authority)| authority.sync_offer(store));
    let [first, second] = offers.map(|it| it.map_err(|it| it.to_string()));
    let (first, second) = (first?, second?);
    for (offer, member) in [(&first, "node1_offer"), (&second, "node2_offer")] {
        same("head", name(&offer.head).as_str(), text(&section[member], "head")?)?;
        let ours: Vec<Value> = offer.ancestors.iter().map(|it| name(it).into()).collect();
        same("ancestors", &Value::from(ours), &section[member]["ancestors"])?;
    }
    for ((store, authority), offer, member) in
        [(&one, &second, "node1_missing_for_node2"), (&two, &first, "node2_missing_for_node1")]
    {
        let missing = authority.missing(store, offer).map_err(|it| it.to_string())?;
        let ours: Vec<Value> = missing.iter().map(|it| name(&it.hash()).into()).collect();
        same(member, &Value::from(ours), &section[member])?;
    }
    Ok(())
}

pub(crate) fn compaction(_: &Vectors, section: &Value) -> Result<(), String> {
    const NOW: i64 = 1_700_000_000;
    let graph = graph(section)?;
    let young: Vec<&str> = section["committed_now"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut store = Memory::new();
    for (name, update) in &graph {
        let time = if young.contains(&name.as_str()) { NOW } else { 1 };
        store.commit(std::slice::from_ref(update), time).map_err(|it| it.to_string())?;
    }
    let head = graph.get(text(section, "head")?).ok_or("no head")?;
    let mut authority = Authority::open(&store).map_err(|it| it.to_string())?;
    // The scenario says which head is the active one, whatever forks would say.
    if authority.head() != head.hash() {
        let path: Vec<Update> = std::iter::successors(Some(head.clone()), |it| {
            it.parent().and_then(|it| store.update(&it).ok().flatten())
        })
        .collect();
        let mut straight = Memory::new();
        straight.commit(&path, 0).map_err(|it| it.to_string())?;
        authority = Authority::open(&straight).map_err(|it| it.to_string())?;
    }
    let min_chain = section["min_chain"].as_u64().unwrap_or(0) as usize;
    let options = Compaction { min_chain, min_age: 3600 };
    let dropped = authority.compact(&mut store, options, NOW).map_err(|it| it.to_string())?;
    let name = |hash: &AumHash| {
        let found = graph.iter().find(|it| it.1.hash() == *hash);
        found.map_or("?", |it| it.0.as_str())
    };
    same("oldest", name(&authority.oldest().hash()), text(section, "want_last_active_ancestor")?)?;
    let dropped: BTreeSet<&str> = dropped.iter().map(name).collect();
    let wanted = section["want_deleted"].as_array().ok_or("no result")?;
    same("dropped", &dropped, &wanted.iter().filter_map(Value::as_str).collect())
}

pub(crate) fn compaction_active(_: &Vectors, section: &Value) -> Result<(), String> {
    for case in section["cases"].as_array().ok_or("no cases")? {
        let mut store = Memory::new();
        let mut updates: Vec<Update> = Vec::new();
        for kind in text(case, "chain")?.chars() {
            let checkpoint = kind == 'K';
            updates.push(Update::new(Aum {
                kind: if checkpoint { AumKind::Checkpoint } else { AumKind::NoOp },
                parent: updates.last().map(|it| it.hash().as_bytes().to_vec()),
                state: checkpoint.then(State::default),
                ..Aum::default()
            }));
        }
        store.commit(&updates, 0).map_err(|it| it.to_string())?;
        let mut authority = Authority::open(&store).map_err(|it| it.to_string())?;
        let min_chain = case["min_chain"].as_u64().unwrap_or(0) as usize;
        let options = Compaction { min_chain, min_age: 1 };
        authority.compact(&mut store, options, 1_000).map_err(|it| it.to_string())?;
        let oldest = updates.iter().position(|it| it.hash() == authority.oldest().hash());
        same(text(case, "chain")?, &oldest.map(|it| it as u64), &case["result"].as_u64())?;
    }
    Ok(())
}
