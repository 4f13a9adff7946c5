//! Generated chains: whatever way they come in, all nodes end at the same place.

use lock::aum::{Aum, AumKind, Update};
use lock::authority::{Authority, Compaction};
use lock::key::{Key, Meta};
use lock::secret::{DisablementValue, SigningKey};
use lock::signature::{NodeKeySignature, RotationKey};
use lock::state::State;
use lock::store::{Folder, Memory, Store};
use lock::text::NodeKey;
use proptest::prelude::*;
use proptest::sample::Index;

/// Keys that take part, trusted or not.
const KEYS: u8 = 6;

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number + 1; 32])
}

/// One step: what it follows, what it does, and who signs it.
#[derive(Clone, Debug)]
struct Step {
    parent: Index,
    straight: bool,
    change: u8,
    subject: u8,
    votes: u64,
    signers: Vec<u8>,
}

fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let signers = proptest::collection::vec(0..KEYS, 1..4);
    // Three of four steps follow the last, so that chains grow long.
    let step = (any::<Index>(), 0..4_u8, 0..7_u8, 0..KEYS, 1..4_u64, signers);
    let step = step.prop_map(|(parent, straight, change, subject, votes, signers)| Step {
        parent,
        straight: straight > 0,
        change,
        subject,
        votes,
        signers,
    });
    proptest::collection::vec(step, 1..count)
}

fn genesis() -> Update {
    let keys = [Key::new(key(0).public(), 2), Key::new(key(1).public(), 1)];
    let values = [1, 2].map(|it| Some(DisablementValue::new([it; 32]).as_bytes().to_vec()));
    let state = State {
        disablement_values: Some(values.to_vec()),
        keys: Some(keys.to_vec()),
        id1: 7,
        id2: 8,
        ..State::default()
    };
    let mut aum = Aum { kind: AumKind::Checkpoint, state: Some(state), ..Aum::default() };
    aum.sign(&key(0)).unwrap();
    Update::new(aum)
}

/// The updates that the steps make, parents first; steps that no node would take are left out.
fn grown(steps: &[Step]) -> Vec<Update> {
    let genesis = genesis();
    let mut states = vec![State { last: Some(genesis.hash()), ..genesis.state.clone().unwrap() }];
    let mut updates = vec![genesis];
    for step in steps {
        let at = if step.straight { updates.len() - 1 } else { step.parent.index(updates.len()) };
        let state = &states[at];
        let subject = key(step.subject).public();
        let id = Some(subject.as_bytes().to_vec());
        let parent = Some(updates[at].hash().as_bytes().to_vec());
        let mut aum = match step.change {
            0 | 1 => Aum {
                kind: AumKind::AddKey,
                key: Some(Key::new(subject, step.votes)),
                ..Aum::default()
            },
            2 => Aum { kind: AumKind::RemoveKey, key_id: id, ..Aum::default() },
            3 => Aum {
                kind: AumKind::UpdateKey,
                key_id: id,
                votes: Some(step.votes),
                ..Aum::default()
            },
            4 => Aum {
                kind: AumKind::UpdateKey,
                key_id: id,
                meta: Some(Meta::from_iter([("n", step.votes.to_string())])),
                ..Aum::default()
            },
            5 => Aum {
                kind: AumKind::Checkpoint,
                state: Some(State { last: None, ..state.clone() }),
                ..Aum::default()
            },
            _ => Aum { kind: AumKind::from(100 + step.subject), ..Aum::default() },
        };
        aum.parent = parent;
        for signer in &step.signers {
            if state.key(key(*signer).public().as_bytes()).is_ok() {
                aum.sign(&key(*signer)).unwrap();
            }
        }
        let update = Update::new(aum);
        let known = updates.iter().any(|it| it.hash() == update.hash());
        if known || state.verify(&update).is_err() {
            continue;
        }
        let Ok(state) = state.apply(&update) else { continue };
        states.push(state);
        updates.push(update);
    }
    updates
}

/// Another order in which parents come first: whichever of the ready ones the numbers say.
fn reordered(updates: &[Update], numbers: &[Index]) -> Vec<Update> {
    let mut left: Vec<Update> = updates.to_vec();
    let mut order: Vec<Update> = Vec::new();
    let mut numbers = numbers.iter().cycle();
    while !left.is_empty() {
        let done = |it: &Update| {
            it.parent().is_none_or(|parent| order.iter().any(|it| it.hash() == parent))
        };
        let ready: Vec<usize> = (0..left.len()).filter(|it| done(&left[*it])).collect();
        let chosen = ready[numbers.next().map_or(0, |it| it.index(ready.len()))];
        order.push(left.remove(chosen));
    }
    order
}

fn begun() -> (Memory, Authority) {
    let mut store = Memory::new();
    let authority = Authority::bootstrap(&mut store, &genesis(), 0).unwrap();
    (store, authority)
}

/// An update that was purged and comes again is as old as it was; what was purged stays on the disk.
#[test]
fn an_update_that_comes_again_keeps_its_time() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Folder::create(place.path()).unwrap();
    let update = genesis();
    let hash = update.hash();
    store.commit(std::slice::from_ref(&update), 100).unwrap();
    store.purge(&[hash], 200).unwrap();
    assert_eq!(store.update(&hash).unwrap(), None);
    assert_eq!(store.committed(&hash).unwrap(), None);
    let scan = store.scan().unwrap();
    assert_eq!(scan.records[0].record.value.aum.as_ref(), Some(update.aum()));
    assert_eq!(Folder::open(place.path()).unwrap().all().unwrap(), Vec::new());
    store.commit(std::slice::from_ref(&update), 300).unwrap();
    assert_eq!(store.committed(&hash).unwrap(), Some(100));
    let reopened = Folder::open(place.path()).unwrap();
    assert_eq!(reopened.committed(&hash).unwrap(), Some(100));
    assert_eq!(reopened.all().unwrap(), vec![update]);
}

fn numbers() -> impl Strategy<Value = Vec<Index>> {
    proptest::collection::vec(any::<Index>(), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_order_ends_at_the_same_head(
        steps in steps(60),
        numbers in numbers(),
        size in 1..9_usize,
    ) {
        let updates = grown(&steps);
        prop_assume!(updates.len() > 1);
        let (mut store, mut whole) = begun();
        whole.inform(&mut store, &updates[1..], 0).unwrap();

        let (mut other, mut parts) = begun();
        for part in reordered(&updates, &numbers)[1..].chunks(size) {
            parts.inform(&mut other, part, 0).unwrap();
        }
        prop_assert_eq!(parts.head(), whole.head());
        prop_assert_eq!(parts.state(), whole.state());

        // What is stored leads there, too, from a folder as from memory; and it is sound.
        let opened = Authority::open(&store).unwrap();
        prop_assert_eq!(opened.state(), whole.state());
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Folder::create(folder.path().join("1ab3")).unwrap();
        let mut third = Authority::bootstrap(&mut kept, &updates[0], 5).unwrap();
        third.inform(&mut kept, &updates[1..], 5).unwrap();
        let kept = Folder::open(folder.path().join("1ab3")).unwrap();
        let reopened = Authority::open(&kept).unwrap();
        prop_assert_eq!(reopened.state(), whole.state());
        prop_assert_eq!(kept.all().unwrap(), store.all().unwrap());
        prop_assert_eq!(lock::audit::recheck(&kept).unwrap(), Vec::new());
    }

    #[test]
    fn a_refused_list_leaves_everything_as_it_was(
        steps in steps(30),
        at in any::<Index>(),
        bit in 0..512_usize,
    ) {
        let updates = grown(&steps);
        prop_assume!(updates.len() > 1);
        let at = 1 + at.index(updates.len() - 1);
        let mut wrong = updates.clone();
        let mut aum = wrong[at].aum().clone();
        aum.signatures[0].signature.as_mut().unwrap()[bit / 8] ^= 1 << (bit % 8);
        wrong[at] = Update::new(aum);
        let (mut store, mut authority) = begun();
        let error = authority.inform(&mut store, &wrong[1..], 0).unwrap_err();
        // What follows it has no parent then; the first error in the list is told all the same.
        let text = error.to_string();
        let expected = format!("update {} invalid: signature 0: invalid signature", at - 1);
        prop_assert_eq!(text, expected);
        prop_assert_eq!(authority.head(), updates[0].hash());
        prop_assert_eq!(store.all().unwrap().len(), 1);
    }

    #[test]
    fn two_sides_meet(steps in steps(40), seen in proptest::collection::vec(any::<bool>(), 40)) {
        let updates = grown(&steps);
        prop_assume!(updates.len() > 1);
        // Each side knows a part that parents come first in.
        let sides = [true, false].map(|mine| {
            let (mut store, mut authority) = begun();
            for (update, seen) in updates[1..].iter().zip(seen.iter().cycle()) {
                let known = store.update(&update.parent().unwrap()).unwrap().is_some();
                if known && *seen == mine {
                    authority.inform(&mut store, std::slice::from_ref(update), 0).unwrap();
                }
            }
            (store, authority)
        });
        let [mut one, mut two] = sides;
        let offers = (one.1.sync_offer(&one.0).unwrap(), two.1.sync_offer(&two.0).unwrap());
        let to_two = one.1.missing(&one.0, &offers.1).unwrap();
        let to_one = two.1.missing(&two.0, &offers.0).unwrap();
        if !to_one.is_empty() {
            one.1.inform(&mut one.0, &to_one, 0).unwrap();
        }
        if !to_two.is_empty() {
            two.1.inform(&mut two.0, &to_two, 0).unwrap();
        }
        prop_assert_eq!(one.1.head(), two.1.head());
        prop_assert_eq!(one.1.state(), two.1.state());
    }

    #[test]
    fn compaction_changes_no_verdict(
        steps in steps(90),
        min_chain in 1..12_usize,
        young in any::<Index>(),
    ) {
        let updates = grown(&steps);
        prop_assume!(updates.len() > 1);
        let mut store = Memory::new();
        let mut authority = Authority::bootstrap(&mut store, &updates[0], 0).unwrap();
        let young = young.index(updates.len());
        for (index, update) in updates.iter().enumerate().skip(1) {
            let now = if index > young { 1_000_000 } else { 0 };
            authority.inform(&mut store, std::slice::from_ref(update), now).unwrap();
        }
        let (head, state) = (authority.head(), authority.state().clone());
        let options = Compaction { min_chain, min_age: 1_000 };
        // A young update on another branch than those that are kept may end in no common ancestor;
        // then nothing was dropped.
        if authority.compact(&mut store, options, 1_000_000).is_err() {
            prop_assert_eq!(store.all().unwrap().len(), updates.len());
        }
        let opened = Authority::open(&store).unwrap();
        prop_assert_eq!(opened.head(), head);
        prop_assert_eq!(opened.state(), &state);
        prop_assert_eq!(opened.oldest(), authority.oldest());
        prop_assert_eq!(lock::audit::recheck(&store).unwrap(), Vec::new());
    }

}

proptest! {
    // Each case tries every bit.
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_in_an_update_is_refused(steps in steps(12), at in any::<Index>()) {
        let updates = grown(&steps);
        prop_assume!(updates.len() > 1);
        let update = &updates[1 + at.index(updates.len() - 1)];
        let (mut store, mut authority) = begun();
        authority.inform(&mut store, &updates[1..], 0).unwrap();
        let bytes = update.encode();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(aum) = Aum::decode_strict(&bytes) else { continue };
            let taken = authority.clone().inform(&mut store.clone(), &[Update::new(aum)], 0);
            prop_assert!(taken.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_flipped_bit_in_a_signature_is_refused(rotations in 0..4_u8, delegated: bool) {
        let (_, authority) = begun();
        let (own, delegate) = (key(8), key(9));
        let rotation = RotationKey::new(own.public()).unwrap();
        let first = NodeKey::new([50; 32]);
        let mut node_key = first;
        let mut signature = if delegated {
            let credential = NodeKeySignature::credential(
                &key(0),
                &RotationKey::new(delegate.public()).unwrap(),
            )
            .unwrap();
            NodeKeySignature::by_credential(&delegate, &credential, &first, Some(&rotation))
        } else {
            NodeKeySignature::direct(&key(0), &first, Some(&rotation))
        }
        .unwrap();
        for turn in 0..rotations {
            node_key = NodeKey::new([51 + turn; 32]);
            signature = NodeKeySignature::resign(&own, &node_key, &signature).unwrap();
        }
        let bytes = signature.encode();
        authority.authorizes(&node_key, &bytes).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let strict = NodeKeySignature::decode_strict(&bytes);
            let authorized = authority.authorizes(&node_key, &bytes);
            prop_assert!(strict.is_err() || authorized.is_err(), "bit {bit}");
        }
    }
}
