//! What one run of `check` has to do: policies, each with the settings, inventory and baseline that
//! hold for it → what is found in each.

use std::path::PathBuf;
use std::rc::Rc;

use compiler::analysis::prove::Tags;
use compiler::diagnostic::Severity;
use compiler::span::LineIndex;
use compiler::tailnet::Tailnet;
use compiler::{Date, Options, check_bytes};

use super::super::baseline::Baseline;
use super::super::configuration::{Configurations, Settings};
use super::super::failure::{Failure, shown};
use super::super::format::{FailLevel, FileReport, Verdict};
use super::super::input::{self, ReadInventory};
use super::super::invariants;
use super::super::target::Target;
use super::Arguments;
use super::fixes::{self, Change};

/// What is to be checked, against what, under which settings.
pub(super) struct Jobs<'a> {
    target: &'a Target,
    policies: Vec<Job<'a>>,
    /// The inventories that some policy needs, each once.
    inventories: Vec<PathBuf>,
    configurations: Configurations<'a>,
    baselines: Vec<PathBuf>,
    /// The day on which expiry comments are judged.
    today: Date,
}

/// One policy.
struct Job<'a> {
    path: &'a PathBuf,
    settings: Option<Rc<Settings>>,
    /// Its inventory and its baseline, by their position in [`Jobs`].
    inventory: Option<usize>,
    baseline: Option<usize>,
}

/// What could be checked, and what could not be read.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) reports: Vec<FileReport>,
    pub(super) failures: Vec<Failure>,
    /// Whether settings or an inventory could not be used.
    pub(super) bad_input: bool,
    /// What fixes make of the policies, where they are wanted.
    pub(super) changes: Vec<Change>,
}

impl<'a> Jobs<'a> {
    pub(super) fn plan(arguments: &'a Arguments) -> Result<Self, Failure> {
        let mut configurations = Configurations::new(&arguments.configuration);
        let (mut inventories, mut baselines) = (Vec::new(), Vec::new());
        let mut policies = Vec::new();
        for path in &arguments.files {
            let settings = configurations.of(path)?;
            let set = |flag: &Option<PathBuf>, of: fn(&Settings) -> Option<PathBuf>| {
                flag.clone().or_else(|| settings.as_ref().and_then(|it| of(it)))
            };
            let inventory = set(&arguments.nodes, Settings::nodes);
            let baseline = set(&arguments.baseline, Settings::baseline);
            if arguments.update_baseline && baseline.is_none() {
                return Err(Failure::usage(
                    "no baseline is named that could be updated",
                    "name it with `--baseline FILE`, or as `baseline` in aclc.toml",
                ));
            }
            policies.push(Job {
                path,
                inventory: inventory.map(|it| position(&mut inventories, it)),
                baseline: baseline.map(|it| position(&mut baselines, it)),
                settings,
            });
        }
        let target = &arguments.target;
        let today = arguments.today.unwrap_or_else(input::today);
        Ok(Self { target, today, policies, inventories, configurations, baselines })
    }

    /// Every file that the run reads.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let policies = self.policies.iter().map(|it| it.path);
        let invariants = self.policies.iter().flat_map(|it| invariants::beside(it.path));
        let settings = self.configurations.all().map(Settings::path);
        let named = policies.chain(settings).chain(&self.inventories).chain(&self.baselines);
        named.cloned().chain(invariants).collect()
    }

    /// Reads the inventories beside the policies, then checks and perhaps fixes one policy after the
    /// other.
    pub(super) fn gather(&self, fixes: &fixes::Fixes) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.reports.extend(self.configurations.all().filter_map(Settings::report));
        // Policies judged under settings that cannot be understood would only confuse; the same
        // holds below for facts.
        if self.configurations.all().any(Settings::is_unusable) {
            outcome.bad_input = true;
            return outcome;
        }
        let (policies, inventories) = std::thread::scope(|scope| {
            let read = |path: &'a PathBuf| input::policy(path);
            let inventories: Vec<_> =
                self.inventories.iter().map(|it| scope.spawn(|| input::inventory(it))).collect();
            let policies: Vec<_> = self.policies.iter().map(|it| read(it.path)).collect();
            // A thread of ours cannot have panicked: a panic ends the process.
            let inventories: Vec<_> =
                inventories.into_iter().filter_map(|it| it.join().ok()).collect();
            (policies, inventories)
        });
        let mut tailnets = Vec::new();
        for inventory in inventories {
            match inventory {
                Err(failure) => {
                    outcome.failures.push(failure);
                    tailnets.push(None);
                }
                Ok(ReadInventory { name, text, inventory, .. }) => {
                    let diagnostics = inventory.diagnostics;
                    let errors = diagnostics.iter().any(|it| it.severity == Severity::Error);
                    outcome.bad_input |= errors || inventory.tailnet.is_none();
                    tailnets.push(inventory.tailnet);
                    if tailnets.iter().any(Option::is_none) || !diagnostics.is_empty() {
                        outcome.reports.push(FileReport { name, text, diagnostics, verdict: None });
                    }
                }
            }
        }
        for (job, bytes) in self.policies.iter().zip(policies) {
            let tailnet = job.inventory.map(|it| tailnets.get(it).and_then(Option::as_ref));
            // An inventory that was asked for and cannot be used.
            if matches!(tailnet, Some(None)) {
                continue;
            }
            match bytes {
                Ok(bytes) => self.check(job, &bytes, tailnet.flatten(), fixes, &mut outcome),
                Err(failure) => outcome.failures.push(failure),
            }
        }
        outcome
    }

    /// Checks a policy, and whether the invariants beside it hold: after its fixes where they are
    /// written, before them where they are only shown.
    fn check(
        &self,
        job: &Job<'_>,
        bytes: &[u8],
        tailnet: Option<&Tailnet>,
        fixes: &fixes::Fixes,
        outcome: &mut Outcome,
    ) {
        let configuration = job.settings.as_ref().map(|it| &it.configuration);
        let dialect = self.target.dialect(configuration.and_then(|it| it.target));
        let options = Options {
            tailnet,
            dialect,
            assertions: true,
            coverage: false,
            mutants: false,
            lints: true,
            today: Some(self.today),
            levels: configuration.map(|it| &it.levels),
        };
        let change = fixes.apply(job.path, bytes, &options);
        let checked = match &change {
            Some(change) if !fixes.is_dry() => change.fixed.checked.clone(),
            _ => check_bytes(bytes, &options),
        };
        outcome.changes.extend(change);
        let verdict = Verdict::of(dialect, &checked.diagnostics, checked.undecided);
        let name = shown(job.path);
        let invariants = checked.valid().map(|valid| {
            let lines = LineIndex::new(checked.tree.text());
            let files = invariants::beside(job.path);
            files
                .iter()
                .map(|it| invariants::judge(it, valid, &name, &lines, Tags::One))
                .collect::<Vec<_>>()
        });
        outcome.reports.push(FileReport {
            text: checked.tree.text().to_owned(),
            name,
            diagnostics: checked.diagnostics,
            verdict: Some(verdict),
        });
        for file in invariants.into_iter().flatten() {
            match file {
                Ok(file) if file.report.diagnostics.is_empty() => {}
                Ok(file) => outcome.reports.push(file.report),
                Err(failure) => outcome.failures.push(failure),
            }
        }
    }

    /// Takes known findings out of the reports; what is to be said of it, a line each.
    pub(super) fn leave_out_known(
        &self,
        update: bool,
        reports: &mut [FileReport],
    ) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        for (path, index) in self.baselines.iter().zip(0..) {
            let mut baseline = Baseline::read(path, update)?;
            let jobs = self.policies.iter().filter(|it| it.baseline == Some(index));
            let names: Vec<String> = jobs.map(|it| shown(it.path)).collect();
            let own =
                reports.iter_mut().filter(|it| it.verdict.is_some() && names.contains(&it.name));
            own.for_each(|it| baseline.take(it, update));
            let place = shown(path);
            if update {
                let count = baseline.write()?;
                lines.push(format!("{} in {place} from now on", known(count)));
            } else if baseline.gone() > 0 {
                let gone = known(baseline.gone());
                lines.push(format!(
                    "{gone} in {place}, but found no more; `--update-baseline` forgets"
                ));
            }
        }
        Ok(lines)
    }

    /// The severity that fails the run: the command line's, or the strictest that is set.
    pub(super) fn fail_level(&self, arguments: &Arguments) -> FailLevel {
        let set = self.policies.iter().map(|it| {
            let settings = it.settings.as_ref();
            settings
                .and_then(|it| it.configuration.fail_level)
                .map_or(FailLevel::Error, FailLevel::from)
        });
        arguments.fail_level.or_else(|| set.max()).unwrap_or(FailLevel::Error)
    }
}

/// The position of a path in a list, behind which it is put where it is not there yet.
fn position(paths: &mut Vec<PathBuf>, path: PathBuf) -> usize {
    paths.iter().position(|it| *it == path).unwrap_or_else(|| {
        paths.push(path);
        paths.len() - 1
    })
}

fn known(count: usize) -> String {
    if count == 1 { "1 finding is known".to_owned() } else { format!("{count} findings are known") }
}
