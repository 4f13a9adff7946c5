//! A folder → its fragments in their order, and its contracts.

use std::path::{Path, PathBuf};

use compiler::bundle::{Fragment, contracts};
use compiler::configuration::MAX_BYTES;
use compiler::cst;

use super::super::failure::{Failure, shown};
use super::super::input;
use super::source_map::Origin;

/// Reads every fragment of a folder, in the order of their paths.
pub(super) fn read(folder: &Path) -> Result<(Vec<Origin>, Vec<Fragment>), Failure> {
    let (mut origins, mut fragments, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (name, path) in list(folder)? {
        let text = input::policy(&path)?;
        bytes += text.len();
        if bytes > cst::MAX_BYTES {
            return Err(Failure::usage(
                format!("the fragments of `{}` are larger than a policy may be", shown(folder)),
                "a policy has at most 32 MiB",
            ));
        }
        let fragment = Fragment::new(name, &text);
        origins.push(super::origin(&path, &fragment));
        fragments.push(fragment);
    }
    if fragments.is_empty() {
        return Err(Failure::usage(
            format!("there is no fragment in `{}`", shown(folder)),
            "fragments are files whose names end in `.hujson`, in the folder or below it",
        ));
    }
    Ok((origins, fragments))
}

/// The fragments below a folder: their names as contracts know them, and their paths. Hidden files and
/// folders are none, nor is what a link to a folder leads to: it may lead back.
fn list(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((above, path)) = open.pop() {
        let failed = |error| Failure::Read(path.clone(), error);
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.starts_with('.') {
                continue;
            }
            let name = format!("{above}{file}");
            if entry.file_type().map_err(failed)?.is_dir() {
                open.push((format!("{name}/"), entry.path()));
            } else if is_fragment(&entry.path()) && entry.path().is_file() {
                found.push((name, entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_fragment(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "hujson")
}

/// Whether a file would be read as a fragment of the folder the next time.
pub(super) fn is_one(file: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    let parent = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (whole(parent), whole(folder)) {
        (Some(parent), Some(folder)) => is_fragment(file) && parent.starts_with(folder),
        _ => false,
    }
}

/// The contracts of a folder, where it has some: the name as shown, and the text.
pub(super) fn contracts(folder: &Path) -> Result<Option<(String, String)>, Failure> {
    let path = folder.join(contracts::FILE_NAME);
    // A link that leads nowhere is a mistake, not a folder without contracts.
    if std::fs::symlink_metadata(&path).is_err() {
        return Ok(None);
    }
    let bytes = input::bytes(&path, MAX_BYTES as u64 + 1)?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::usage(
            format!("`{}` is too large for contracts", shown(&path)),
            "contracts take a few lines; is this another file?",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(format!("`{}` is not UTF-8", shown(&path)), "save it as UTF-8")
    })?;
    Ok(Some((shown(&path), text)))
}
