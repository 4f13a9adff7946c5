//! Open documents: their texts as the editor has them, and what was understood of the newest.
//!
//! Changes are taken at once. Reading a text runs beside the loop, one text of a document at a time;
//! whatever came meanwhile is read next, and texts between are never read. A question waits for the
//! newest text. A long text is read twice: first without what takes longest, so that its errors are
//! there at once; then, when nobody types, for everything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compiler::span::Span;
use tokio::sync::{Notify, watch};
use tower_lsp::Client;
use tower_lsp::ls_types::{
    Diagnostic, Position, Range, TextDocumentContentChangeEvent, TextDocumentItem, Uri,
};

use super::convert;
use super::findings;
use super::pages::Pages;
use super::settings::{self, Editor, Inventories, Report};
use super::text::{Encoding, Lines, Text};
use super::transport::Outgoing;
use crate::features::{Analysis, Settings};

/// What was understood of one text of a document, and its places.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) analysis: Analysis,
    /// Where the pages of codes are; nothing for an editor that shows no links.
    pub(super) pages: Option<Arc<Pages>>,
    lines: Lines,
    /// Which text it is: the number of changes before it.
    edition: u64,
    /// Whether it is everything there is to say.
    complete: bool,
}

/// A text of so many bytes is read twice; a shorter one takes a few milliseconds.
const LONG: usize = 200_000;

/// So long nobody types before a long text is read again: somewhat more than lies between two letters.
/// Whoever writes on would only wait for what is said of a text that is gone.
const PAUSE: Duration = Duration::from_millis(150);

impl Snapshot {
    pub(super) fn offset(&self, position: Position) -> u32 {
        self.lines.offset(self.analysis.text(), position)
    }

    pub(super) fn span(&self, range: Range) -> Span {
        self.lines.span(self.analysis.text(), range)
    }

    pub(super) fn range(&self, span: Span) -> Range {
        self.lines.range(self.analysis.text(), span)
    }

    pub(super) fn position(&self, offset: u32) -> Position {
        self.lines.position(self.analysis.text(), offset)
    }

    /// The same text, read for everything there is to say of it.
    fn completed(&self) -> Snapshot {
        Snapshot {
            uri: self.uri.clone(),
            version: self.version,
            analysis: self.analysis.complete(),
            pages: self.pages.clone(),
            lines: self.lines.clone(),
            edition: self.edition,
            complete: true,
        }
    }

    /// The message that tells findings in it.
    fn message(&self, findings: Vec<Diagnostic>) -> Option<Vec<u8>> {
        findings::message(&self.uri, findings, Some(self.version))
    }

    /// The name under which its findings are the same.
    pub(super) fn result_id(&self) -> String {
        self.edition.to_string()
    }
}

struct Document {
    text: Text,
    version: i32,
    edition: u64,
    /// What it is checked with; found out when it is next read.
    settings: Option<Arc<Settings>>,
    /// The files that its settings come from.
    sources: Vec<PathBuf>,
    /// Whether a text of it is being read.
    busy: bool,
    /// Whether one is being read again, or will be.
    completing: bool,
    /// Told when somebody waits for all there is to say of it.
    asked: Arc<Notify>,
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
}

/// All open documents.
#[derive(Clone)]
pub(super) struct Documents {
    client: Client,
    outgoing: Outgoing,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    open: Mutex<BTreeMap<Uri, Document>>,
    /// The number that the next text gets.
    editions: Mutex<u64>,
    editor: Mutex<Editor>,
    inventories: Mutex<Inventories>,
    session: Mutex<Session>,
    pages: Mutex<Option<Arc<Pages>>>,
}

/// What was agreed on at the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Session {
    pub(super) encoding: Encoding,
    /// Whether findings are told when they are there, or only when they are asked for.
    pub(super) pushes: bool,
    /// Whether a code can have a link to its page.
    pub(super) links_codes: bool,
    /// Whether findings that were asked for can be asked for again.
    pub(super) refreshes_findings: bool,
    pub(super) refreshes_hints: bool,
    pub(super) refreshes_lenses: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Documents {
    pub(super) fn new(client: Client, outgoing: Outgoing) -> Self {
        Self { client, outgoing, shared: Arc::default() }
    }

    /// Sets what was agreed on.
    pub(super) fn begin(&self, session: Session, editor: Editor) {
        *locked(&self.shared.session) = session;
        self.set_editor(editor);
    }

    fn set_editor(&self, editor: Editor) {
        let pages = || Arc::new(Pages::new(editor.pages.clone()));
        *locked(&self.shared.pages) = self.session().links_codes.then(pages);
        *locked(&self.shared.editor) = editor;
    }

    pub(super) fn session(&self) -> Session {
        *locked(&self.shared.session)
    }

    /// The number of the next text.
    fn edition(&self) -> u64 {
        let mut editions = locked(&self.shared.editions);
        *editions += 1;
        *editions
    }

    pub(super) fn open(&self, item: TextDocumentItem) {
        let encoding = self.session().encoding;
        let document = Document {
            text: Text::new(item.text, encoding),
            version: item.version,
            edition: self.edition(),
            settings: None,
            sources: Vec::new(),
            busy: false,
            completing: false,
            asked: Arc::default(),
            snapshot: watch::Sender::new(None),
        };
        locked(&self.shared.open).insert(item.uri.clone(), document);
        self.read(&item.uri);
    }

    pub(super) fn change(
        &self,
        uri: &Uri,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
    ) {
        let edition = self.edition();
        if let Some(document) = locked(&self.shared.open).get_mut(uri) {
            for change in changes {
                document.text.change(change.range, &change.text);
            }
            (document.version, document.edition) = (version, edition);
        }
        self.read(uri);
    }

    /// Forgets a document; its findings go with it.
    pub(super) async fn close(&self, uri: Uri) {
        let closed = locked(&self.shared.open).remove(&uri);
        if closed.is_some() && self.session().pushes {
            self.send(findings::message(&uri, Vec::new(), None)).await;
        }
    }

    /// The settings of the editor are others.
    pub(super) fn configure(&self, editor: Editor) {
        let changed = {
            let known = locked(&self.shared.editor);
            *known != editor
        };
        if changed {
            self.set_editor(editor);
            self.read_again(|_| true);
        }
    }

    /// Files have changed on disk.
    pub(super) fn changed_on_disk(&self, paths: &[PathBuf]) {
        self.read_again(|sources| paths.iter().any(|it| settings::concerns(it, sources)));
    }

    /// A document was saved, or something else happened at which files may be others.
    pub(super) fn look_again(&self, uri: &Uri) {
        let stale = {
            let open = locked(&self.shared.open);
            open.get(uri).map(|it| it.sources.clone()).unwrap_or_default()
        };
        let inventories = locked(&self.shared.inventories);
        let changed = sources_changed(&inventories, &stale);
        drop(inventories);
        if changed {
            self.read_again(|sources| sources == stale.as_slice());
        }
    }

    /// Finds the settings of documents out again, and checks them with these.
    fn read_again(&self, concerns: impl Fn(&[PathBuf]) -> bool) {
        let mut concerned = Vec::new();
        for (uri, document) in locked(&self.shared.open).iter_mut() {
            if concerns(&document.sources) {
                document.settings = None;
                document.edition = self.edition();
                concerned.push(uri.clone());
            }
        }
        for uri in &concerned {
            self.read(uri);
        }
        if !concerned.is_empty() {
            self.refresh();
        }
    }

    /// Asks the client to ask again for what depends on settings.
    fn refresh(&self) {
        let (client, session) = (self.client.clone(), self.session());
        tokio::spawn(async move {
            // A client that does not answer is as good as one that does not want to.
            if session.refreshes_findings {
                let _ = client.workspace_diagnostic_refresh().await;
            }
            if session.refreshes_hints {
                let _ = client.inlay_hint_refresh().await;
            }
            if session.refreshes_lenses {
                let _ = client.code_lens_refresh().await;
            }
        });
    }

    /// The uris of all open documents, in order.
    pub(super) fn uris(&self) -> Vec<Uri> {
        locked(&self.shared.open).keys().cloned().collect()
    }

    /// What was understood of the newest text; `None` for a document that is not open. The text is that
    /// of now, even where other changes come while it is read. `complete` waits for all there is to say.
    pub(super) fn snapshot(
        &self,
        uri: &Uri,
        complete: bool,
    ) -> impl Future<Output = Option<Arc<Snapshot>>> + Send + use<> {
        let wanted = locked(&self.shared.open).get(uri).map(|it| {
            let newest = |known: &Snapshot| known.edition >= it.edition && known.complete;
            if complete && !it.snapshot.borrow().as_deref().is_some_and(newest) {
                it.asked.notify_one();
            }
            (it.edition, it.snapshot.subscribe())
        });
        async move {
            let (edition, mut snapshots) = wanted?;
            let is_it = |it: &Snapshot| it.edition >= edition && (it.complete || !complete);
            let ready = snapshots.wait_for(|it| it.as_deref().is_some_and(is_it)).await.ok()?;
            ready.clone()
        }
    }

    fn pages(&self) -> Option<Arc<Pages>> {
        locked(&self.shared.pages).clone()
    }

    /// Reads the newest text of a document, beside the loop.
    fn read(&self, uri: &Uri) {
        let mut open = locked(&self.shared.open);
        let Some(document) = open.get_mut(uri) else { return };
        if std::mem::replace(&mut document.busy, true) {
            return;
        }
        tokio::spawn(self.clone().keep_reading(uri.clone()));
    }

    /// Sends a message that is bytes already.
    async fn send(&self, message: Option<Vec<u8>>) {
        if let (Some(message), Some(outgoing)) = (message, self.outgoing.upgrade()) {
            // An error means that the client is gone.
            let _ = outgoing.send(message).await;
        }
    }

    async fn keep_reading(self, uri: Uri) {
        while let Some(job) = self.next_job(&uri) {
            let Ok(done) = tokio::task::spawn_blocking(move || job.run()).await else {
                // A bug of ours; the next text may not meet it.
                if let Some(document) = locked(&self.shared.open).get_mut(&uri) {
                    document.busy = false;
                }
                return;
            };
            let Done { snapshot, findings, resolved } = done;
            if let Some(resolved) = resolved {
                self.take_settings(&uri, &snapshot, resolved).await;
            }
            let newest = self.tell(&uri, Arc::clone(&snapshot), findings).await;
            if newest && !snapshot.complete && self.may_complete(&uri) {
                tokio::spawn(self.clone().complete(uri.clone(), snapshot));
            }
        }
    }

    /// Keeps what was understood, and tells the findings where there are any to tell; says whether it is
    /// that of the newest text.
    async fn tell(&self, uri: &Uri, snapshot: Arc<Snapshot>, findings: Option<Vec<u8>>) -> bool {
        let (old, newest) = {
            let open = locked(&self.shared.open);
            let Some(document) = open.get(uri) else { return false };
            let known = document.snapshot.borrow().as_ref().map(|it| it.edition);
            if known.is_some_and(|it| it > snapshot.edition) {
                return false;
            }
            let newest = document.edition == snapshot.edition;
            (document.snapshot.send_replace(Some(snapshot)), newest)
        };
        // A large one takes a moment to be taken apart.
        tokio::task::spawn_blocking(move || drop(old));
        self.send(findings.filter(|_| newest)).await;
        newest
    }

    /// Whether a text may be read again: one of a document at a time.
    fn may_complete(&self, uri: &Uri) -> bool {
        let mut open = locked(&self.shared.open);
        open.get_mut(uri).is_some_and(|it| !std::mem::replace(&mut it.completing, true))
    }

    /// Reads a text again, now for everything there is to say of it, once nobody types or somebody asks;
    /// then the newest, if it is another.
    async fn complete(self, uri: Uri, mut quick: Arc<Snapshot>) {
        let asked = locked(&self.shared.open).get(&uri).map(|it| Arc::clone(&it.asked));
        let Some(asked) = asked else { return };
        loop {
            let before = quick.edition;
            let hurried = tokio::time::timeout(PAUSE, asked.notified()).await.is_ok();
            let Some((newest, next)) = self.incomplete(&uri, |_| true) else { return };
            quick = next;
            if newest != before && !hurried {
                continue;
            }
            if newest != quick.edition {
                // Whoever asks means the newest text, which is still being read.
                self.snapshot(&uri, false).await;
                let Some((_, next)) = self.incomplete(&uri, |_| true) else { return };
                quick = next;
            }
            let edition = quick.edition;
            let pushes = self.session().pushes;
            let read = tokio::task::spawn_blocking(move || {
                let complete = quick.completed();
                // What was told of the text already is not told again.
                let findings = pushes.then(|| findings::told(&complete));
                let findings = findings.filter(|it| *it != findings::told(&quick));
                let message = findings.and_then(|it| complete.message(it));
                (complete, message)
            });
            if let Ok((complete, findings)) = read.await {
                self.tell(&uri, Arc::new(complete), findings).await;
            }
            match self.incomplete(&uri, |it| it.edition != edition) {
                Some((_, next)) => quick = next,
                None => return,
            }
        }
    }

    /// The newest text, and what was last understood where that is not complete and as wanted. Where it
    /// is, nothing is left to complete.
    fn incomplete(
        &self,
        uri: &Uri,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Option<(u64, Arc<Snapshot>)> {
        let mut open = locked(&self.shared.open);
        let document = open.get_mut(uri)?;
        let last = document.snapshot.borrow().clone();
        let incomplete = last.filter(|it| !it.complete && wanted(it));
        document.completing = incomplete.is_some();
        incomplete.map(|it| (document.edition, it))
    }

    /// The text to read next; `None`, and the document is no longer busy, where the newest is read.
    fn next_job(&self, uri: &Uri) -> Option<Job> {
        let mut open = locked(&self.shared.open);
        let document = open.get_mut(uri)?;
        let read = document.snapshot.borrow().as_ref().map(|it| it.edition);
        if read == Some(document.edition) {
            document.busy = false;
            return None;
        }
        Some(Job {
            uri: uri.clone(),
            text: document.text.clone(),
            version: document.version,
            edition: document.edition,
            settings: document.settings.clone(),
            shared: Arc::clone(&self.shared),
            before: document.snapshot.borrow().clone(),
        })
    }

    /// Keeps what was found out of settings, and tells what is wrong with their files.
    async fn take_settings(&self, uri: &Uri, snapshot: &Snapshot, resolved: settings::Resolved) {
        if let Some(document) = locked(&self.shared.open).get_mut(uri) {
            // They may have become others meanwhile; then the edition is another, too.
            if document.edition == snapshot.edition {
                document.settings = Some(Arc::clone(&resolved.settings));
            }
            document.sources = resolved.reports.iter().map(|it| it.path.clone()).collect();
        }
        for warning in resolved.warnings {
            self.client.show_message(tower_lsp::ls_types::MessageType::WARNING, warning).await;
        }
        for report in resolved.reports {
            if let Some(there) = Uri::from_file_path(&report.path) {
                let findings =
                    report.findings(self.session().encoding, &there, self.pages().as_deref());
                self.send(findings::message(&there, findings, None)).await;
            }
        }
    }
}

/// Whether a file that settings come from is another than it was.
fn sources_changed(inventories: &Inventories, sources: &[PathBuf]) -> bool {
    sources.iter().any(|it| inventories.is_stale(it))
}

impl Report {
    fn findings(&self, encoding: Encoding, uri: &Uri, pages: Option<&Pages>) -> Vec<Diagnostic> {
        let lines = Lines::new(&self.text, encoding);
        let range = |span: Span| lines.range(&self.text, span);
        self.diagnostics.iter().map(|it| convert::diagnostic(it, uri, &range, pages)).collect()
    }
}

/// A text to read.
struct Job {
    uri: Uri,
    text: Text,
    version: i32,
    edition: u64,
    settings: Option<Arc<Settings>>,
    shared: Arc<Shared>,
    /// What was understood of the text before.
    before: Option<Arc<Snapshot>>,
}

struct Done {
    snapshot: Arc<Snapshot>,
    /// The message that tells its findings, to a client that does not ask.
    findings: Option<Vec<u8>>,
    /// Where they had to be found out.
    resolved: Option<settings::Resolved>,
}

impl Job {
    fn run(self) -> Done {
        let resolved = self.settings.is_none().then(|| {
            let path = self.uri.to_file_path();
            let editor = locked(&self.shared.editor).clone();
            settings::resolve(path.as_deref(), &editor, &self.shared.inventories)
        });
        let found = resolved.as_ref().map(|it| Arc::clone(&it.settings));
        let settings = self.settings.or(found).unwrap_or_default();
        let text = self.text.as_str();
        // The first text of a document is read once: nobody is typing yet.
        let before = self.before.as_ref().filter(|_| text.len() > LONG && resolved.is_none());
        let analysis = match before {
            Some(before) => Analysis::quick(text, settings, Some(&before.analysis)),
            None => Analysis::new(text, settings),
        };
        let complete = before.is_none();
        let Job { uri, version, edition, text, shared, .. } = self;
        let lines = text.lines().clone();
        let pages = locked(&shared.pages).clone();
        let snapshot =
            Arc::new(Snapshot { uri, version, analysis, pages, lines, edition, complete });
        let pushes = locked(&shared.session).pushes;
        let findings = pushes.then(|| snapshot.message(findings::told(&snapshot))).flatten();
        Done { snapshot, findings, resolved }
    }
}
