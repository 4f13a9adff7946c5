//! The nodes of a scenario: how each was signed, and what its own key says.

use lock::signature::{NodeKeySignature, RotationKey};
use lock::text::{LockPublicKey, NodeKey};

use super::{DAY, Line, NOW, Node, Scenario, bytes_of, public_key, signing_key};

impl Scenario {
    /// `node NAME direct KEY`, `node NAME credential KEY DELEGATE`, `node NAME unsigned`, with
    /// `rotation KEY`, `rotate KEY`, `times N`, `owner KEY`, `expires DAYS`, `exempt`, `forged`.
    pub(super) fn node(&mut self, line: &Line<'_>) -> Result<(), String> {
        let name = line.word(1)?;
        let mut node_key = NodeKey::new(bytes_of(name));
        let rotation = line.option("rotation").map(|it| {
            self.named(it);
            public_key(it)
        });
        let failed = |it: lock::error::EndorseError| it.to_string();
        let mut signature = match line.word(2)? {
            "unsigned" => None,
            "direct" => {
                let signer = signing_key(line.word(3)?);
                self.named(line.word(3)?);
                let mut signature =
                    NodeKeySignature::direct(&signer, &node_key, None).map_err(failed)?;
                if let Some(rotation) = rotation {
                    // By hand, because the library makes no signature with an unusable one.
                    signature.wrapping_key = rotation;
                    signature.signature = signer.sign(&signature.sig_hash()).to_vec();
                }
                Some(signature)
            }
            "credential" => {
                let signer = signing_key(line.word(3)?);
                let delegate = signing_key(line.word(4)?);
                self.named(line.word(3)?);
                let rotation_key = |it| RotationKey::new(it).map_err(|it| it.to_string());
                let credential =
                    NodeKeySignature::credential(&signer, &rotation_key(delegate.public())?);
                let rotation = rotation.and_then(|it| LockPublicKey::from_slice(&it));
                let rotation = rotation.map(rotation_key).transpose()?;
                let signature = NodeKeySignature::by_credential(
                    &delegate,
                    &credential.map_err(failed)?,
                    &node_key,
                    rotation.as_ref(),
                );
                Some(signature.map_err(failed)?)
            }
            other => return Err(format!("a node is not signed `{other}`")),
        };
        if let (Some(key), Some(old)) = (line.option("rotate"), &mut signature) {
            for turn in 0..line.number::<u8>("times")?.unwrap_or(1) {
                node_key = NodeKey::new(bytes_of(&format!("{name}{turn}")));
                *old =
                    NodeKeySignature::resign(&signing_key(key), &node_key, old).map_err(failed)?;
            }
        }
        if line.option("forged").is_some()
            && let Some(byte) = signature.as_mut().and_then(|it| it.signature.first_mut())
        {
            *byte ^= 1;
        }
        let lock_key = line.option("owner").map(|it| {
            self.named(it);
            public_key(it)
        });
        let days = line.number::<i64>("expires")?;
        self.names.push((node_key.to_string(), format!("key of {name}")));
        self.nodes.push(Node {
            name: name.to_owned(),
            node_key,
            signature: signature.as_ref().map(NodeKeySignature::encode).unwrap_or_default(),
            lock_key: lock_key.and_then(|it| LockPublicKey::from_slice(&it)),
            expires: days.map(|it| NOW + it * DAY),
            exempt: line.option("exempt").is_some(),
        });
        Ok(())
    }
}
