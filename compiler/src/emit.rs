//! Other forms of what the stages know, one file for each; made from the same tables that checking
//! reads.

pub mod access;
pub mod changes;
pub mod neutral;
pub mod graph;
pub mod reach;
pub mod schema;
pub mod why;
