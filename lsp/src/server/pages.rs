//! The page of each code, where an editor can open it: at an address that the settings name, else as a
//! file of the user's cache folder.
//!
//! The program has the pages within itself. One is written when a finding first needs it, whole or not
//! at all, into a folder that is another for other pages; so two versions never share one. Where nothing
//! can be written, findings have no link.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use compiler::diagnostic::Code;
use tower_lsp::ls_types::{CodeDescription, Uri};

/// Each page of `docs/diagnostics` by the name of its code; made by `build.rs`.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// What stands for the code in an address.
const CODE: &str = "{code}";

/// Where pages are.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// The address of all of them, with [`CODE`] in it.
    address: Option<String>,
    /// The folder that they are written into.
    folder: Option<PathBuf>,
    /// What was found out of a code.
    known: Mutex<BTreeMap<&'static str, Option<Uri>>>,
}

impl Pages {
    /// Pages at an address; else of the cache folder.
    pub(super) fn new(address: Option<String>) -> Self {
        let folder = if address.is_some() { None } else { cache_folder() };
        Self { address, folder, known: Mutex::default() }
    }

    /// Where the page of a code is.
    pub(super) fn of(&self, code: Code) -> Option<CodeDescription> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let name = code.name();
        let uri = known.entry(name).or_insert_with(|| self.find(name));
        uri.clone().map(|href| CodeDescription { href })
    }

    fn find(&self, name: &str) -> Option<Uri> {
        if let Some(address) = &self.address {
            return address.replace(CODE, name).parse().ok();
        }
        let page = PAGES.iter().find(|(code, _)| *code == name)?.1;
        Uri::from_file_path(written(self.folder.as_deref()?, name, page)?)
    }
}

/// The address of a setting, with a place for the code; `None` for what is none.
pub(super) fn address(written: &str) -> Option<String> {
    let known = ["https://", "http://", "file://"].iter().any(|it| written.starts_with(it));
    let address = if written.contains(CODE) {
        written.to_owned()
    } else {
        format!("{}/acl-{CODE}.md", written.trim_end_matches('/'))
    };
    let reads = address.replace(CODE, "E0101").parse::<Uri>().is_ok();
    (known && reads).then_some(address)
}

/// The file of a page, which is there afterwards.
fn written(folder: &Path, name: &str, page: &str) -> Option<PathBuf> {
    let path = folder.join(format!("acl-{name}.md"));
    // One that somebody has changed is written again.
    if holds(&path, page) {
        return Some(path);
    }
    std::fs::create_dir_all(folder).ok()?;
    let mut file = tempfile::Builder::new().prefix(".aclc-").tempfile_in(folder).ok()?;
    file.write_all(page.as_bytes()).ok()?;
    // Where another program keeps the place, it may have the page there.
    (file.persist(&path).is_ok() || holds(&path, page)).then_some(path)
}

/// Whether a file is there and is this page. What is no file, or a longer one, is not read: it may have
/// no end.
fn holds(path: &Path, page: &str) -> bool {
    let found = std::fs::symlink_metadata(path);
    found.is_ok_and(|it| it.is_file() && it.len() == page.len() as u64)
        && std::fs::read(path).is_ok_and(|it| it == page.as_bytes())
}

/// The folder of these pages in the cache folder of the user, as the system calls it.
fn cache_folder() -> Option<PathBuf> {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || variable("HOME");
    let cache = variable("XDG_CACHE_HOME").or_else(|| {
        if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|it| it.join("Library/Caches"))
        } else {
            home().map(|it| it.join(".cache"))
        }
    })?;
    let version = concat!("diagnostics-", env!("CARGO_PKG_VERSION"), "-", env!("ACLC_PAGES"));
    Some(cache.join("aclc").join(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_place_for_the_code() {
        let read = |it: &str| address(it);
        assert_eq!(
            read("https://example.com/codes/").as_deref(),
            Some("https://example.com/codes/acl-{code}.md")
        );
        assert_eq!(
            read("https://example.com/{code}.html").as_deref(),
            Some("https://example.com/{code}.html")
        );
        assert_eq!(read("javascript:{code}"), None);
        assert_eq!(read("https://exa mple/"), None);
    }

    #[test]
    fn a_page_is_written_once_and_mended() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let path = written(&folder, "E0101", "page").unwrap();
        std::fs::write(&path, "other").unwrap();
        assert_eq!(written(&folder, "E0101", "page").as_ref(), Some(&path));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "page");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        // Where a file stands in the way nothing is written, and nothing fails.
        assert_eq!(written(&path, "E0101", "page"), None);
    }
}
