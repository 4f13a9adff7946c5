//! Entries of `ssh` → what is written in them. Blanks around actions, selectors and users do not
//! matter here, and nowhere else.

use super::super::reader::trimmed;
use super::*;

pub(in crate::ast) fn ssh_rule<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<SshRule> {
    let [
        action,
        src,
        dst,
        users,
        check_period,
        accept_env,
        src_posture,
        recorder,
        enforce_recorder,
    ] = reader.fields(node, &words::SSH)?;
    let action = ssh_action(reader, node, action);
    // Users of a wrong type are reported as that.
    let before = reader.problems.len();
    let users = reader.trimmed_texts(users);
    if users.is_empty() && reader.problems.len() == before {
        reader.problems.push(Problem::NoSshUsers { span: opening(node) });
    }
    for user in users.iter().filter(|it| matches!(&*it.value, "" | "*")) {
        reader.problems.push(Problem::SshUser { span: user.span, user: user.value.clone() });
    }
    let accept_env = reader.texts(accept_env);
    for pattern in accept_env.iter().filter(|it| it.value.is_empty()) {
        reader.problems.push(Problem::EmptyEnvironment { span: pattern.span });
    }
    Some(SshRule {
        span: node.span(),
        action,
        src: reader.trimmed_selectors(src),
        dst: reader.trimmed_selectors(dst),
        users,
        check_period: check_period.and_then(|it| period(reader, it)),
        accept_env,
        src_posture: reader.texts(src_posture),
        recorder: reader.selectors(recorder),
        enforce_recorder: reader.bool(enforce_recorder),
    })
}

fn ssh_action<'t>(
    reader: &mut Reader<'t>,
    rule: Node<'t>,
    node: Option<Node<'t>>,
) -> Option<Spanned<SshAction>> {
    let Some(node) = node else {
        no_action(reader, rule);
        return None;
    };
    let text = trimmed(reader.text(node)?);
    let action = match &*text.value {
        "accept" => SshAction::Accept,
        "check" => SshAction::Check,
        _ => {
            reader.problems.push(Problem::SshAction { span: text.span, action: text.value });
            return None;
        }
    };
    Some(Spanned::new(action, text.span))
}

fn period<'t>(reader: &mut Reader<'t>, node: Node<'t>) -> Option<Spanned<CheckPeriod>> {
    let text = reader.text(node)?;
    if &*text.value == "always" {
        return Some(Spanned::new(CheckPeriod::Always, text.span));
    }
    let why = match Duration::read(&text.value) {
        None => format!("time: invalid duration {:?}", text.value),
        Some(it) if it < Duration(0) => format!("checkPeriod {it} must be a positive duration"),
        Some(it) if it > Duration::WEEK => format!("checkPeriod {it} is above the max (168h)"),
        Some(it) => return Some(Spanned::new(CheckPeriod::For(it), text.span)),
    };
    reader.problems.push(Problem::Period { span: text.span, written: text.value, why });
    None
}
