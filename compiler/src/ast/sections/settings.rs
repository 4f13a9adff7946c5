//! `autoApprovers` and `OneCGNATRoute` → what is written in them.

use super::*;

pub(in crate::ast) fn auto_approvers<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> AutoApprovers {
    let Some(node) = node else { return AutoApprovers::default() };
    let Some([routes, exit_node, services]) = reader.fields(node, &words::AUTO_APPROVERS) else {
        return AutoApprovers::default();
    };
    let mut approvers =
        AutoApprovers { exit_node: reader.selectors(exit_node), ..AutoApprovers::default() };
    for (name, value) in reader.map(routes) {
        let who = reader.selectors(value);
        approvers.routes.extend(prefix(reader, name).map(|it| (it, who)));
    }
    for (name, value) in reader.map(services) {
        let who = reader.selectors(value);
        match selector::read(&name.value) {
            Ok(read) if matches!(read.selector, Selector::Service(_) | Selector::Tag(_)) => {
                approvers.services.push((Spanned::new(read.selector, name.span), who));
            }
            _ => reader.problems.push(Problem::ServiceName { span: name.span, name: name.value }),
        }
    }
    approvers
}

pub(in crate::ast) fn one_cgnat_route<'t>(
    reader: &mut Reader<'t>,
    node: Option<Node<'t>>,
) -> Option<Spanned<Text>> {
    let text = reader.text(node?)?;
    if words::CGNAT_ROUTES.contains(&&*text.value) {
        return Some(text);
    }
    reader.problems.push(Problem::CgnatRoute { span: text.span, written: text.value });
    None
}
