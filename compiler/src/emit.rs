//! Other forms of what the stages know, one file for each; made from the same tables that checking
//! reads.

pub mod access;
pub mod changes;
pub mod graph;
pub mod neutral;
pub mod reach;
pub mod schema;
pub mod why;
pub mod xml;
