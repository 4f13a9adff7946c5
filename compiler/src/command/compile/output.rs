//! Tables → standard output or a folder, rendered on all cores and written in order.
//!
//! Never more than two batches of tables are held as text, however many there are in all. The
//! buffers go round, because fresh memory for each table costs as much as filling it.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use compiler::tables::Tables;
use compiler::tables::wire::{Fields, write_table};
use compiler::tailnet::{NodeId, Tailnet};
use rayon::prelude::*;

use crate::command::failure::Failure;
use crate::command::progress::Progress;
use crate::command::{atomic, file_name};

/// How much text a batch should come to: enough to keep all cores busy, little enough to hold twice.
const BATCH_BYTES: usize = 16 << 20;

/// The most tables in a batch. The next batch is sized by the last, and tables may suddenly be long.
const BATCH_TABLES: usize = 256;

/// How several tables stand in one output.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Shape {
    /// One document: {"version":1,"nodes":{NAME:{…},…}}
    Json,
    /// A line for each device: {"version":1,"node":NAME,…}
    Ndjson,
}

/// Tables, and what is to be written of them.
pub(super) struct Output<'a> {
    pub(super) tables: &'a Tables<'a>,
    pub(super) tailnet: &'a Tailnet,
    pub(super) fields: Fields,
    pub(super) progress: &'a Progress,
}

impl Output<'_> {
    /// Writes the tables of `nodes` to standard output, in that order.
    pub(super) fn stream(&self, nodes: &[NodeId], shape: Shape) -> Result<(), Failure> {
        let free = Mutex::new(Vec::new());
        let written = std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            let free = &free;
            let writer = scope.spawn(move || self.write(receiver, shape, free));
            let mut rest = nodes;
            let mut size = rayon::current_num_threads();
            while !rest.is_empty() {
                let (batch, later) = rest.split_at(size.min(rest.len()));
                let texts: Vec<Vec<u8>> =
                    batch.par_iter().map(|it| self.render(*it, shape, free)).collect();
                let bytes: usize = texts.iter().map(Vec::len).sum();
                let fitting = BATCH_BYTES / (bytes / batch.len()).max(1);
                size = fitting.min(size * 4).clamp(1, BATCH_TABLES);
                // The writer goes away only when it failed; it says so itself.
                if sender.send(texts).is_err() {
                    break;
                }
                rest = later;
            }
            drop(sender);
            writer.join()
        });
        // A thread of ours cannot have panicked: a panic ends the process.
        written.unwrap_or(Ok(())).map_err(Failure::Print)
    }

    /// Writes each table of `nodes` as a file of its own.
    pub(super) fn folder(&self, nodes: &[NodeId], folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(|it| Failure::Write(folder.to_owned(), it))?;
        nodes.par_iter().try_for_each_init(Vec::new, |text, node| {
            text.clear();
            self.append(*node, Shape::Ndjson, text);
            let path = folder.join(format!("{}.json", file_name::escape(self.name(*node))));
            self.progress.advance(1);
            atomic::write(&path, text)
        })
    }

    /// Writes batches as they come.
    fn write(
        &self,
        batches: Receiver<Vec<Vec<u8>>>,
        shape: Shape,
        free: &Mutex<Vec<Vec<u8>>>,
    ) -> io::Result<()> {
        let (head, between, end) = match shape {
            Shape::Json => ("{\"version\":1,\"nodes\":{", ",\n", "}}\n"),
            Shape::Ndjson => ("", "", ""),
        };
        let mut out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
        out.write_all(head.as_bytes())?;
        let mut gap = "";
        for batch in batches {
            for text in &batch {
                out.write_all(gap.as_bytes())?;
                out.write_all(text)?;
                gap = between;
            }
            self.progress.advance(batch.len());
            free.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
        }
        out.write_all(end.as_bytes())?;
        out.flush()
    }

    /// One table in a buffer that is free, or a new one.
    fn render(&self, node: NodeId, shape: Shape, free: &Mutex<Vec<Vec<u8>>>) -> Vec<u8> {
        let mut text =
            free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        text.clear();
        self.append(node, shape, &mut text);
        text
    }

    /// Appends one table: as a member of the one document, or as a line.
    fn append(&self, node: NodeId, shape: Shape, text: &mut Vec<u8>) {
        let name = serde_json::Value::from(self.name(node)).to_string();
        match shape {
            Shape::Json => text.extend([name.as_bytes(), b":{"].concat()),
            Shape::Ndjson => {
                text.extend([b"{\"version\":1,\"node\":", name.as_bytes(), b","].concat())
            }
        }
        write_table(self.tables, node, self.fields, text);
        text.push(b'}');
        if shape == Shape::Ndjson {
            text.push(b'\n');
        }
    }

    fn name(&self, node: NodeId) -> &str {
        self.tailnet.node(node).map_or("", |it| &it.name)
    }
}
