//! Nothing here: the tests beside this file are the crate.
