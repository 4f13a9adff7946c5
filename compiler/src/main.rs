//! The command `aclc`.

fn main() {}
