//! A policy and an inventory, kept between questions: what has not changed is not read again.

use std::cell::OnceCell;
use std::sync::Arc;

use compiler::analysis::ends::Ends;
use compiler::analysis::matrix::Matrix;
use compiler::analysis::reach::{self, Asked};
use compiler::analysis::subject::Unknown;
use compiler::analysis::why::{self, Question};
use compiler::analysis::written::{Written, WrongPorts};
use compiler::ast::PortRange;
use compiler::diagnostic::Diagnostic;
use compiler::diagnostic::levels::Levels;
use compiler::emit::changes::{Changes, Document, Side};
use compiler::emit::neutral::neutral;
use compiler::emit::reach::{Destinations, Sources, rows};
use compiler::emit::why::Why;
use compiler::policy::Valid;
use compiler::tables::wire::{Fields, quoted, write_table};
use compiler::tables::{Summary, Tables};
use compiler::tailnet::{self, Inventory, NodeId, Owner, Tailnet};
use compiler::time::Timestamp;
use compiler::{Date, Dialect, Options, check_bytes};
use lsp::features::analysis::{Analysis, Settings};
use serde::Serialize;
use wasm_bindgen::JsError;

use crate::answer::{Told, wrong};
use crate::findings::{self, Findings};
use crate::matrix::{self, Cell, End};
use crate::places::Units;
use crate::sentences::{self, Sentence};

/// What the policy is called in answers.
const NAME: &str = "policy.hujson";

/// What the policy is called that it is compared with.
const BASE: &str = "base.hujson";

/// Everything that is known, and what was understood of it.
#[derive(Debug, Default)]
pub(crate) struct World {
    policy: String,
    nodes: String,
    dialect: Dialect,
    today: Option<Date>,
    /// The policy as understood; nothing since a change.
    open: Option<Open>,
    inventory: Option<Read>,
}

/// A policy as understood.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) analysis: Analysis,
    pub(crate) units: Units,
    matrix: OnceCell<Option<Matrix>>,
}

/// An inventory as read.
#[derive(Debug)]
struct Read {
    tailnet: Option<Arc<Tailnet>>,
    diagnostics: Vec<Diagnostic>,
    units: Units,
}

/// A policy without an error, and its tables.
pub(crate) struct Lowered<'w> {
    pub(crate) valid: Valid<'w>,
    pub(crate) tables: Tables<'w>,
    pub(crate) text: &'w str,
}

/// The two texts.
#[derive(Debug, Serialize)]
pub(crate) struct Texts {
    policy: String,
    nodes: String,
}

/// A device of the inventory.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    name: String,
    user: Option<String>,
    tags: Vec<String>,
    addresses: Vec<String>,
    routes: Vec<String>,
    /// Whether it is an exit node.
    exit: bool,
}

impl Open {
    fn matrix(&self) -> Option<&Matrix> {
        self.matrix.get_or_init(|| self.analysis.tables().as_ref().map(Matrix::of)).as_ref()
    }
}

impl World {
    pub(crate) fn set_policy(&mut self, text: String) {
        self.policy = text;
        self.open = None;
    }

    pub(crate) fn set_nodes(&mut self, text: String) {
        self.nodes = text;
        (self.inventory, self.open) = (None, None);
    }

    pub(crate) fn set_target(&mut self, name: &str) -> Told<()> {
        self.open = None;
        self.dialect = match name {
            "tailscale" => Dialect::Tailscale,
            "headscale" => Dialect::Headscale,
            _ => {
                return Err(wrong(
                    format!("unknown target `{name}`"),
                    "`tailscale` or `headscale`",
                ));
            }
        };
        Ok(())
    }

    pub(crate) fn set_today(&mut self, date: &str) -> Told<()> {
        self.open = None;
        let read = date.parse().map_err(|it| wrong(format!("`{date}` is no date"), it));
        read.map(|it| self.today = Some(it))
    }

    /// Reads what was not read yet.
    pub(crate) fn open(&mut self) -> &Open {
        if self.inventory.is_none() && !self.nodes.trim().is_empty() {
            let Inventory { tailnet, diagnostics } = tailnet::read(&self.nodes);
            let (tailnet, units) = (tailnet.map(Arc::new), Units::new(&self.nodes));
            self.inventory = Some(Read { tailnet, diagnostics, units });
        }
        let Self { policy, dialect, today, inventory, open, .. } = self;
        let (dialect, today) = (*dialect, *today);
        let inventory = inventory.as_ref().and_then(|it| it.tailnet.clone());
        let make = || {
            let levels = Levels::default();
            let settings = Settings { inventory, dialect, levels, lints: true, today };
            let units = Units::new(policy);
            let analysis = Analysis::new(policy, Arc::new(settings));
            Open { analysis, units, matrix: OnceCell::new() }
        };
        open.get_or_insert_with(make)
    }

    /// The tables of the policy.
    ///
    /// Errors: the policy has errors, or there is no inventory.
    pub(crate) fn lowered(&mut self) -> Told<Lowered<'_>> {
        let Open { analysis, .. } = self.open();
        let Some(tailnet) = analysis.tailnet() else {
            return Err(wrong("the question is about devices", "give an inventory without errors"));
        };
        let valid = analysis.checked().valid().ok_or_else(|| broken("the policy"))?;
        Ok(Lowered { valid, tables: Tables::new(valid, tailnet), text: analysis.text() })
    }

    pub(crate) fn findings(&mut self) -> Findings {
        let Open { analysis, units, .. } = self.open();
        let checked = analysis.checked();
        let policy = findings::of(&checked.diagnostics, analysis.text(), units);
        let tailnet = analysis.tailnet();
        let summary = findings::Summary {
            rules: analysis.policy().rules.as_ref().map_or(0, Vec::len),
            devices: tailnet.map_or(0, |it| it.nodes().iter().filter(|it| !it.has_left()).count()),
            compiled: checked.valid().is_some() && tailnet.is_some(),
            ..findings::Summary::of(checked, analysis.settings().dialect)
        };
        let inventory = self.inventory.as_ref();
        let read = |it: &Read| findings::of(&it.diagnostics, &self.nodes, &it.units);
        let diagnostics = inventory.map(|it| it.diagnostics.as_slice()).unwrap_or_default();
        Findings {
            policy,
            nodes: inventory.map(read).unwrap_or_default(),
            summary: summary.and(diagnostics),
        }
    }

    /// The document of `aclc compile`.
    pub(crate) fn tables_json(&mut self, node: Option<&str>, fields: Option<&str>) -> Told<String> {
        let fields = match fields {
            None => Fields::DEFAULT,
            Some(list) => Fields::parse(list).map_err(|it| {
                wrong(
                    format!("unknown field `{it}`"),
                    format!("one of {}", Fields::NAMES.join(", ")),
                )
            })?,
        };
        let Lowered { tables, .. } = self.lowered()?;
        let nodes: Vec<NodeId> = match node {
            None => tables.tailnet().node_ids().collect(),
            Some(name) => vec![device(&tables, name)?],
        };
        if nodes.len() > 1 {
            tables.prepare_all();
        }
        let mut json = b"{\"version\":1,\"nodes\":{".to_vec();
        for (position, id) in nodes.into_iter().enumerate() {
            let name = tables.tailnet().node(id).map_or("", |it| &it.name);
            let comma = if position > 0 { ",\n" } else { "" };
            json.extend_from_slice(format!("{comma}{}:{{", quoted(name)).as_bytes());
            write_table(&tables, id, fields, &mut json);
            json.push(b'}');
        }
        json.extend_from_slice(b"}}\n");
        String::from_utf8(json).map_err(JsError::from)
    }

    pub(crate) fn sentences(&mut self, node: &str) -> Told<Vec<Sentence>> {
        let Lowered { tables, .. } = self.lowered()?;
        let id = device(&tables, node)?;
        Ok(sentences::of(&tables, id))
    }

    pub(crate) fn devices(&mut self) -> Vec<Device> {
        let Some(tailnet) = self.open().analysis.tailnet() else { return Vec::new() };
        let device = |node: &tailnet::Node| Device {
            name: node.name.to_string(),
            user: match node.owner {
                Owner::User(id) => tailnet.user(id).map(|it| it.login.to_string()),
                _ => None,
            },
            tags: match &node.owner {
                Owner::Tags(tags) => tags.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            },
            addresses: node.addresses().map(|it| it.to_string()).collect(),
            routes: node.subnet_routes().map(|it| it.to_string()).collect(),
            exit: node.exit_routes().next().is_some(),
        };
        tailnet.nodes().iter().filter(|it| !it.has_left()).map(device).collect()
    }

    /// The rows and columns of the matrix; none where there are no tables.
    pub(crate) fn ends(&mut self) -> Vec<End<'_>> {
        self.open().matrix().map(matrix::ends).unwrap_or_default()
    }

    pub(crate) fn cells(&mut self, rows: &[u32], columns: &[u32]) -> Vec<Cell> {
        let open = self.open();
        let cells = |it| matrix::cells(it, open.analysis.policy(), rows, columns);
        open.matrix().map(cells).unwrap_or_default()
    }

    pub(crate) fn why(&mut self, src: &str, dst: &str, now: Option<f64>) -> Told<Why> {
        let written = Written::read(dst).map_err(|it| ports(&it))?;
        let (protocol, ports) = written.traffic().map_err(|it| ports(&it))?;
        let Lowered { valid, tables, text } = self.lowered()?;
        let (from, to) = (end(&tables, src)?, end(&tables, written.name)?);
        let now = now.and_then(|it| Timestamp::from_millisecond(it as i64));
        let answer = why::ask(valid, &tables, &from, &to, Question { protocol, ports, now });
        Ok(Why::of(&answer, valid.policy(), NAME, text))
    }

    pub(crate) fn who_can(&mut self, dst: &str) -> Told<Sources> {
        let written = Written::read(dst).map_err(|it| ports(&it))?;
        let ports = written.ports.filter(|it| *it != PortRange::ALL);
        let Lowered { tables, text, .. } = self.lowered()?;
        let asked = Asked { protocol: written.protocol, ports };
        let found = reach::who_can(&tables, &end(&tables, written.name)?, asked);
        Ok(Sources::new(rows(&tables, &found, NAME, text)))
    }

    pub(crate) fn what_can(&mut self, src: &str) -> Told<Destinations> {
        let Lowered { tables, text, .. } = self.lowered()?;
        let found = reach::what_can(&tables, &end(&tables, src)?, Asked::default());
        Ok(Destinations::new(rows(&tables, &found, NAME, text)))
    }

    pub(crate) fn diff(&mut self, base: &str, devices: bool) -> Told<Document> {
        let analysis = &self.open().analysis;
        let dialect = analysis.settings().dialect;
        let before = check_bytes(base.as_bytes(), &Options { dialect, ..Options::default() });
        let old = before.valid().ok_or_else(|| broken("the base"))?;
        let new = analysis.checked().valid().ok_or_else(|| broken("the policy"))?;
        let old = Side { file: BASE, text: before.tree.text(), policy: old };
        let new = Side { file: NAME, text: analysis.text(), policy: new };
        let tailnets = analysis.tailnet().filter(|_| devices).map(|it| [it, it]);
        Ok(Changes::between(old, new, tailnets).document())
    }

    /// The policy and the inventory under neutral names.
    ///
    /// Errors: they would not mean the same.
    pub(crate) fn neutral(&mut self, seed: u64) -> Told<Texts> {
        let analysis = &self.open().analysis;
        let new = neutral(analysis.tree(), analysis.policy(), analysis.tailnet(), seed);
        let settings = Settings {
            inventory: new.tailnet.map(Arc::new),
            levels: Levels::default(),
            ..*analysis.settings().as_ref()
        };
        let after = Analysis::new(&new.policy, Arc::new(settings));
        // Into how many prefixes a set falls hangs on which addresses are neighbours.
        let counts = |it: &Analysis| {
            it.tables().map(|it| Summary { bytes: 0, destinations: 0, ..it.summary() })
        };
        if counts(analysis) != counts(&after) {
            return Err(wrong(
                "under neutral names it would not mean the same",
                "share it as it is, or not at all",
            ));
        }
        let nodes = after.tailnet().map_or_else(String::new, tailnet::write);
        Ok(Texts { policy: new.policy, nodes })
    }
}

fn broken(what: &str) -> JsError {
    wrong(format!("{what} has errors"), "mend them first")
}

fn ports(error: &WrongPorts) -> JsError {
    wrong(error, error.help())
}

fn device(tables: &Tables<'_>, name: &str) -> Told<NodeId> {
    let known = tables.tailnet().node_named(name);
    known.ok_or_else(|| wrong(format!("no device is called `{name}`"), "as in the inventory"))
}

fn end(tables: &Tables<'_>, written: &str) -> Told<Ends> {
    Ends::read(tables, written).map_err(|it: Unknown| {
        let help = match &it.similar {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => "devices are called as in the inventory, all else as in the policy".to_owned(),
        };
        wrong(it, help)
    })
}
