//! Bytes ↔ values: canonical input comes back to the byte, other input is either refused or reported.

use lock::aum::{Aum, AumHash, AumKind, AumSignature};
use lock::cbor::{DecodeError, Decoded, QuirkKind};
use lock::deep_link::{DeepLink, DeepLinkError};
use lock::key::{Key, Meta};
use lock::signature::{NodeKeySignature, SignatureKind};
use lock::state::State;
use lock::store::Record;
use lock::text::{LockPublicKey, NodeKey};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Bytes that a field is not left out for.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 1..4), vec(any::<u8>(), 32), vec(any::<u8>(), 60..70)]
}

fn any_bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(prop_oneof![some_bytes(), Just(Vec::new())])
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, any::<u32>().prop_map(u64::from), any::<u64>()]
}

fn meta() -> impl Strategy<Value = Option<Meta>> {
    let entries = btree_map("[a-zä]{0,3}", "\\PC{0,6}", 1..4);
    option::of(entries.prop_map(Meta::from_iter))
}

fn key() -> impl Strategy<Value = Key> {
    (0..4_u8, number(), any_bytes(), meta()).prop_map(|(kind, votes, public, meta)| Key {
        kind,
        votes,
        public,
        meta,
    })
}

fn state() -> impl Strategy<Value = State> {
    let last = option::of(any::<[u8; 32]>().prop_map(AumHash::new));
    let values = option::of(vec(any_bytes(), 0..3));
    (last, values, option::of(vec(key(), 0..3)), number(), number()).prop_map(
        |(last, disablement_values, keys, id1, id2)| State {
            last,
            disablement_values,
            keys,
            id1,
            id2,
        },
    )
}

fn aum() -> impl Strategy<Value = Aum> {
    let signature = (any_bytes(), any_bytes())
        .prop_map(|(key_id, signature)| AumSignature { key_id, signature });
    let fields = (
        (any::<u8>().prop_map(AumKind::from), any_bytes(), option::of(key())),
        (option::of(some_bytes()), option::of(state()), option::of(number()), meta()),
        vec(signature, 0..3),
    );
    fields.prop_map(|((kind, parent, key), (key_id, state, votes, meta), signatures)| Aum {
        kind,
        parent,
        key,
        key_id,
        state,
        votes,
        meta,
        signatures,
    })
}

fn signature() -> impl Strategy<Value = NodeKeySignature> {
    let field = || prop_oneof![Just(Vec::new()), some_bytes()];
    let leaf = (any::<u8>().prop_map(SignatureKind::from), field(), field(), field(), field());
    let leaf = leaf.prop_map(|(kind, node_key, key_id, signature, wrapping_key)| {
        NodeKeySignature { kind, node_key, key_id, signature, nested: None, wrapping_key }
    });
    vec(leaf, 1..16).prop_map(|levels| {
        let nest = |nested: Option<NodeKeySignature>, level: NodeKeySignature| {
            Some(NodeKeySignature { nested: nested.map(Box::new), ..level })
        };
        levels.into_iter().fold(None, nest).unwrap_or_default()
    })
}

fn record() -> impl Strategy<Value = Record> {
    (option::of(aum()), any::<i64>(), any::<i64>()).prop_map(|(aum, created, purged)| Record {
        aum,
        created,
        purged,
    })
}

/// What every message must do.
fn law<T: Clone + std::fmt::Debug + PartialEq>(
    bytes: &[u8],
    decode: fn(&[u8]) -> Result<Decoded<T>, DecodeError>,
    encode: fn(&T) -> Vec<u8>,
) -> Result<(), TestCaseError> {
    let Ok(decoded) = decode(bytes) else { return Ok(()) };
    let again = encode(&decoded.value);
    prop_assert_eq!(decoded.quirks.is_empty(), again == bytes, "{:?}", decoded);
    let second = decode(&again);
    prop_assert!(second.as_ref().is_ok_and(|it| it.quirks.is_empty()), "{second:?}");
    prop_assert_eq!(second.map(|it| encode(&it.value)), Ok(again));
    Ok(())
}

/// Changes, inserts or takes away a few bytes.
fn damaged() -> impl Strategy<Value = Vec<(proptest::sample::Index, u8, u8)>> {
    // Bytes that mean something in most places are tried more often than others.
    let byte = prop_oneof![
        any::<u8>(),
        proptest::sample::select(vec![
            0x00, 0x01, 0x18, 0x19, 0x1b, 0x20, 0x3b, 0x40, 0x58, 0x61, 0x80, 0x81, 0x99, 0xa0,
            0xa1, 0xb8, 0xbf, 0xc0, 0xe3, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xff
        ])
    ];
    vec((any::<proptest::sample::Index>(), byte, 0..3_u8), 1..4)
}

fn damage(mut bytes: Vec<u8>, changes: &[(proptest::sample::Index, u8, u8)]) -> Vec<u8> {
    for (index, byte, what) in changes {
        let at = index.index(bytes.len().max(1)).min(bytes.len());
        match what {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            _ => bytes.insert(at, *byte),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_update_comes_back_to_the_byte(aum in aum()) {
        let bytes = aum.encode();
        prop_assert_eq!(Aum::decode_strict(&bytes), Ok(aum.clone()));
        prop_assert_eq!(Aum::decode(&bytes).map(|it| it.quirks), Ok(Vec::new()));
    }

    #[test]
    fn a_signature_comes_back_to_the_byte(signature in signature()) {
        let bytes = signature.encode();
        prop_assert_eq!(NodeKeySignature::decode_strict(&bytes), Ok(signature));
    }

    #[test]
    fn a_record_comes_back_to_the_byte(record in record(), rest in vec(any::<u8>(), 0..4)) {
        let mut bytes = record.encode();
        prop_assert_eq!(Record::decode(&bytes).map(|it| it.value), Ok(record.clone()));
        // What follows is passed over, as the daemon does.
        bytes.extend(rest);
        prop_assert_eq!(Record::decode(&bytes).map(|it| it.value), Ok(record));
    }

    #[test]
    fn what_is_not_canonical_is_reported(aum in aum(), changes in damaged()) {
        law(&damage(aum.encode(), &changes), Aum::decode, Aum::encode)?;
    }

    #[test]
    fn what_is_not_canonical_in_a_signature_is_reported(
        signature in signature(),
        changes in damaged(),
    ) {
        let bytes = damage(signature.encode(), &changes);
        law(&bytes, NodeKeySignature::decode, NodeKeySignature::encode)?;
    }

    #[test]
    fn strict_reading_lets_only_unknown_fields_pass(aum in aum(), changes in damaged()) {
        let bytes = damage(aum.encode(), &changes);
        let lenient = Aum::decode(&bytes);
        let odd = |it: &Decoded<Aum>| {
            it.quirks.iter().any(|it| it.kind != QuirkKind::UnknownField)
        };
        match (Aum::decode_strict(&bytes), lenient) {
            (Ok(strict), Ok(lenient)) => {
                prop_assert!(!odd(&lenient));
                prop_assert_eq!(strict, lenient.value);
            }
            (Err(_), Ok(lenient)) => prop_assert!(odd(&lenient)),
            (Err(strict), Err(lenient)) => prop_assert_eq!(strict, lenient),
            (Ok(_), Err(error)) => prop_assert!(false, "strict takes what lenient refuses: {error}"),
        }
    }

    #[test]
    fn any_bytes_end_in_a_value_or_an_error(bytes in vec(any::<u8>(), 0..64)) {
        law(&bytes, Aum::decode, Aum::encode)?;
        law(&bytes, NodeKeySignature::decode, NodeKeySignature::encode)?;
        Record::decode(&bytes).ok();
    }

    /// Many names take three times their length in a link, so some are too long only there.
    #[test]
    fn a_link_that_is_made_can_be_read(
        [node, lock] in any::<[[u8; 32]; 2]>(),
        id1 in any::<u64>(),
        parts in ["\\PC{1,9}|[a&=%+ ]{2500,3000}", "\\PC{1,9}", "\\PC{1,9}|\\[{500,800}"],
    ) {
        let (node, lock) = (NodeKey::new(node), LockPublicKey::new(lock));
        let [device, system, login] = &parts;
        match DeepLink::new(node, lock, [device, system, login], id1) {
            Ok(link) => {
                prop_assert_eq!(link.check(id1), Ok(()));
                prop_assert_eq!(DeepLink::parse(&link.to_string()), Ok(link));
            }
            Err(error) => {
                prop_assert_eq!(error, DeepLinkError::TooLong);
                prop_assert!(parts.concat().len() > 2000);
            }
        }
    }

    #[test]
    fn a_link_that_is_read_can_be_written(name in "[a-z\\[%4]{1,9}|[a\\[]{2000,9000}") {
        let key = "0".repeat(64);
        let keys = format!("nk=nodekey:{key}&tp=tlpub:{key}");
        let text = format!("tailscale://sign-device/v1/?os=b&em=c&hm=00&{keys}&dn={name}");
        if let Ok(link) = DeepLink::parse(&text) {
            prop_assert_eq!(DeepLink::parse(&link.to_string()), Ok(link));
        }
    }
}
