//! Random bytes of the system, for seeds, salts, nonces and secrets.

use zeroize::Zeroizing;

use super::failure::Failure;

/// As many as are asked for; wiped when they go, because most become secrets.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes)
        .map_err(|it| Failure::plain(format!("the system gives no random bytes: {it}")))?;
    Ok(bytes)
}
