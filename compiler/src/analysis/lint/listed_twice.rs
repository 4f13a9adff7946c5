//! W1107: an entry that stands twice in one list.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::{Subject, remove};
use crate::ast::{Selector, Text};
use crate::cst::SyntaxTree;
use crate::diagnostic::{Diagnostic, code};
use crate::span::{Span, Spanned};

pub(super) fn find(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let file = &subject.policy.file;
    let mut lists = Lists { tree: subject.tree, found: Vec::new() };
    for list in file.groups.iter().chain(&file.tag_owners) {
        lists.selectors(&list.value);
    }
    for acl in file.acls.iter().flatten() {
        lists.selectors(&acl.src);
        lists.add(acl.dst.iter().map(|it| ((&it.selector.value, &it.ports), it.span)));
    }
    for grant in file.grants.iter().flatten() {
        [&grant.src, &grant.dst, &grant.via].into_iter().for_each(|it| lists.selectors(it));
        lists.add(grant.ip.iter().map(|it| (it.value, it.span)));
    }
    for rule in &file.ssh {
        [&rule.src, &rule.dst].into_iter().for_each(|it| lists.selectors(it));
        [&rule.users, &rule.accept_env].into_iter().for_each(|it| lists.texts(it));
    }
    lists.selectors(&file.auto_approvers.exit_node);
    file.auto_approvers.routes.iter().for_each(|it| lists.selectors(&it.1));
    for entry in &file.node_attrs {
        lists.selectors(&entry.target);
        lists.texts(&entry.attr);
    }
    for test in &file.tests {
        [&test.accept, &test.deny].into_iter().for_each(|it| lists.texts(it));
    }
    for test in &file.ssh_tests {
        let all = [&test.dst, &test.accept, &test.check, &test.deny];
        all.into_iter().for_each(|it| lists.texts(it));
    }
    lists.found
}

struct Lists<'a> {
    tree: &'a SyntaxTree,
    found: Vec<Diagnostic>,
}

impl Lists<'_> {
    fn selectors(&mut self, list: &[Spanned<Selector>]) {
        self.add(list.iter().map(|it| (&it.value, it.span)));
    }

    fn texts(&mut self, list: &[Spanned<Text>]) {
        self.add(list.iter().map(|it| (&it.value, it.span)));
    }

    fn add<K: Eq + Hash>(&mut self, list: impl ExactSizeIterator<Item = (K, Span)>) {
        if list.len() < 2 {
            return;
        }
        let mut first: FxHashMap<K, Span> = FxHashMap::default();
        let mut before = None;
        for (key, span) in list {
            let seen = *first.entry(key).or_insert(span);
            if let Some(before) = before.filter(|_| seen != span) {
                self.report(seen, before, span);
            }
            before = Some(span);
        }
    }

    fn report(&mut self, first: Span, before: Span, span: Span) {
        let written = span.of(self.tree.text());
        let message = format!("`{written}` stands twice in one list");
        let found = Diagnostic::new(code::W1107, message, span);
        let found = found.related(first, "the first time").help("take one of them out");
        self.found.push(match remove::entry(self.tree, before, span) {
            Some(edit) => found.fix("remove the second", true, edit),
            None => found,
        });
    }
}
