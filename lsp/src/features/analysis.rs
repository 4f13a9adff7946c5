//! One open policy: its text, tree, meaning and findings, made anew at each edit.
//!
//! A policy compiles whole in milliseconds, so of one edit nothing is kept for the next but the tree of a
//! long text. What only some questions need is made when the first of them is asked.

use std::sync::{Arc, OnceLock};

use compiler::cst::SyntaxTree;
use compiler::diagnostic::levels::Levels;
use compiler::diagnostic::{self, Diagnostic};
use compiler::policy::Policy;
use compiler::span::LineIndex;
use compiler::tables::Tables;
use compiler::tailnet::Tailnet;
use compiler::{Checked, Date, Dialect, Options, check_bytes, check_edited};
use rustc_hash::FxHashSet;

use super::carry::{Shift, is_critic};
use super::names::Names;
use super::reach::Reaches;

/// Against what a policy is checked, and how.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Users and devices, where an inventory is known.
    pub inventory: Option<Arc<Tailnet>>,
    /// Whose control plane takes the file.
    pub dialect: Dialect,
    /// How grave findings are, where that differs from the list of codes.
    pub levels: Levels,
    /// Whether an accepted policy is also read as a critic would.
    pub lints: bool,
    /// The day on which expiry comments are judged; without it they are not.
    pub today: Option<Date>,
}

/// Everything understood of one open text.
#[derive(Debug)]
pub struct Analysis {
    checked: Checked,
    /// Findings of a critic that were made for an earlier text; see [`Analysis::quick`].
    carried: Vec<Diagnostic>,
    settings: Arc<Settings>,
    names: OnceLock<Names>,
    reach: OnceLock<Option<Reaches>>,
}

impl Analysis {
    /// Reads and checks a text. Never fails.
    pub fn new(text: &str, settings: Arc<Settings>) -> Self {
        let checked = check_bytes(text.as_bytes(), &settings.options());
        Self::of(checked, Vec::new(), settings)
    }

    /// The same without what a critic says and without evaluating assertions, which of a long text take
    /// longer than the rest. What they said of the text before is carried over where the text is the
    /// same, until [`Self::new`] says it of this one.
    pub fn quick(text: &str, settings: Arc<Settings>, before: Option<&Analysis>) -> Self {
        let options = Options { lints: false, assertions: false, ..settings.options() };
        let mut checked = match before {
            Some(before) => check_edited(&before.checked, text, &options),
            None => check_bytes(text.as_bytes(), &options),
        };
        let mut carried = before.map_or_else(Vec::new, |it| it.carried_to(text));
        // Of what depends on all of the text, nothing is left where it is broken.
        if checked.valid().is_some() {
            let said: FxHashSet<_> =
                checked.diagnostics.iter().map(|it| (it.code, it.span)).collect();
            carried.retain(|it| !said.contains(&(it.code, it.span)));
            checked.diagnostics.append(&mut carried);
            diagnostic::sort(&mut checked.diagnostics);
        }
        Self::of(checked, carried, settings)
    }

    /// The same text, with everything there is to say of it.
    pub fn complete(&self) -> Self {
        let settings = Arc::clone(&self.settings);
        let checked = check_edited(&self.checked, self.text(), &settings.options());
        Self::of(checked, Vec::new(), settings)
    }

    fn of(checked: Checked, carried: Vec<Diagnostic>, settings: Arc<Settings>) -> Self {
        Self { checked, carried, settings, names: OnceLock::new(), reach: OnceLock::new() }
    }

    /// What a critic said of this text, at its places in another.
    fn carried_to(&self, text: &str) -> Vec<Diagnostic> {
        let shift = Shift::between(self.text(), text);
        let said = self.checked.diagnostics.iter().filter(|it| is_critic(it));
        let said: Vec<&Diagnostic> = if self.checked.valid().is_some() {
            said.collect()
        } else {
            self.carried.iter().collect()
        };
        said.into_iter().filter_map(|it| shift.diagnostic(it)).collect()
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.checked.tree.text()
    }

    /// The text as a tree.
    pub fn tree(&self) -> &SyntaxTree {
        &self.checked.tree
    }

    /// What it means, as far as it could be understood.
    pub fn policy(&self) -> &Policy {
        &self.checked.policy
    }

    /// What checking gave.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// All findings, by place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.checked.diagnostics
    }

    /// Where each line starts.
    pub fn lines(&self) -> &LineIndex {
        &self.checked.policy.file.lines
    }

    /// Against what it was checked.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Users and devices, where an inventory is known.
    pub fn tailnet(&self) -> Option<&Tailnet> {
        self.settings.inventory.as_deref()
    }

    /// The tables of the policy; `None` where it has errors, or no inventory is known.
    pub fn tables(&self) -> Option<Tables<'_>> {
        Some(Tables::new(self.checked.valid()?, self.tailnet()?))
    }

    /// How much each rule is about; `None` where there are no tables.
    pub fn reach(&self) -> Option<&Reaches> {
        self.reach.get_or_init(|| self.tables().as_ref().map(Reaches::new)).as_ref()
    }

    /// Every place where a name is written.
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::new(self))
    }
}

impl Settings {
    /// The same in the words of the compiler; assertions are evaluated wherever that can be done.
    pub fn options(&self) -> Options<'_> {
        Options {
            tailnet: self.inventory.as_deref(),
            dialect: self.dialect,
            assertions: true,
            lints: self.lints,
            levels: Some(&self.levels),
            today: self.today,
            ..Options::default()
        }
    }
}
