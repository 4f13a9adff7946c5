//! Figures beside their budgets, as lines of text.

/// Prints each figure when it is known.
#[derive(Default)]
pub(crate) struct Report {
    missed: Vec<String>,
}

impl Report {
    pub(crate) fn head(&self, text: &str) {
        println!("\n{text}");
    }

    /// A figure without a budget.
    pub(crate) fn note(&self, name: &str, value: f64, unit: &str) {
        println!("  {name:44}{value:10.2} {unit}");
    }

    pub(crate) fn at_most(&mut self, name: &str, value: f64, budget: f64, unit: &str) {
        self.row(name, value, budget, unit, value <= budget, "at most");
    }

    pub(crate) fn at_least(&mut self, name: &str, value: f64, budget: f64, unit: &str) {
        self.row(name, value, budget, unit, value >= budget, "at least");
    }

    fn row(&mut self, name: &str, value: f64, budget: f64, unit: &str, met: bool, bound: &str) {
        let word = if met { "" } else { "  MISSED" };
        println!("  {name:44}{value:10.2} {unit:10} budget: {bound} {budget:.2}{word}");
        if !met {
            self.missed.push(format!("{name}: {value:.2} {unit}, budget {bound} {budget:.2}"));
        }
    }

    /// What was missed, once more, at the end.
    pub(crate) fn end(&self) {
        println!("\n{} budgets missed", self.missed.len());
        self.missed.iter().for_each(|it| println!("  {it}"));
    }
}
