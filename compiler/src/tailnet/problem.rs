//! What can be wrong with an inventory: family E07xx.
