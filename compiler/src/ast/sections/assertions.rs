//! Entries of `tests` and `sshTests` → what is written in them. Their texts are judged when the
//! assertions are evaluated.

use super::super::posture::Operand;
use super::*;

pub(in crate::ast) fn test<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Test> {
    let [src, proto, accept, deny, attrs, user, allow] = reader.fields(node, &words::TEST)?;
    let src = renamed(reader, node, ("src", src), ("user", user));
    let accept = renamed(reader, node, ("accept", accept), ("allow", allow));
    Some(Test {
        span: node.span(),
        src: src.and_then(|it| reader.text(it)),
        proto: proto.and_then(|it| reader.text(it)),
        accept: reader.texts(accept),
        deny: reader.texts(deny),
        src_posture_attrs: posture_attrs(reader, attrs),
    })
}

pub(in crate::ast) fn ssh_test<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<SshTest> {
    let [src, dst, accept, check, deny, attrs] = reader.fields(node, &words::SSH_TEST)?;
    Some(SshTest {
        span: node.span(),
        src: src.and_then(|it| reader.text(it)),
        dst: reader.texts(dst),
        accept: reader.texts(accept),
        check: reader.texts(check),
        deny: reader.texts(deny),
        src_posture_attrs: posture_attrs(reader, attrs),
    })
}

/// Values of attributes by their name; null and what no attribute can have is not set.
fn posture_attrs<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Vec<(Spanned<Text>, Option<Operand>)> {
    let value = |it: Node<'_>| match (it.string(), it.text()) {
        (Some(text), _) => Some(Operand::Text(text.into())),
        (None, "true") => Some(Operand::Bool(true)),
        (None, "false") => Some(Operand::Bool(false)),
        (None, text) => text.parse().ok().map(Operand::Number),
    };
    let members = reader.map(node);
    members.into_iter().map(|(name, it)| (name, it.and_then(value))).collect()
}
