//! W1310: everybody's routes or exit nodes approved without asking.

use super::Subject;
use crate::ast::Autogroup;
use crate::diagnostic::{Diagnostic, code};
use crate::policy::Target;
use crate::span::Spanned;

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let approvers = &subject.policy.auto_approvers;
    let routes = approvers.routes.iter().flat_map(|(net, who)| {
        who.iter().map(move |it| (*it, format!("the route `{}` for", net.value)))
    });
    let exits = approvers.exit_node.iter().map(|it| (*it, "the internet for".to_owned()));
    let wide = routes.chain(exits).filter(|(it, _)| is_everyone(it));
    wide.map(|(who, what)| {
        let message = format!(
            "any device of `{}` may announce {what} all others, without anybody's approval",
            subject.policy.describe(who.value)
        );
        let found = Diagnostic::new(code::W1310, message, who.span);
        found.help("name the tag of your routers, or the few people who set them up")
    })
    .collect()
}

fn is_everyone(who: &Spanned<Target>) -> bool {
    matches!(
        who.value,
        Target::Domain(_) | Target::Autogroup(Autogroup::Member | Autogroup::Tagged)
    )
}
