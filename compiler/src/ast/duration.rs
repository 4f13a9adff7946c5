//! Durations as Go writes them (`1h30m`), because the control plane reads and quotes them so.

use std::fmt;

/// A length of time, perhaps negative, in nanoseconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Duration(pub i64);

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Duration {
    /// 168 hours.
    pub const WEEK: Duration = Duration(168 * 3_600_000_000_000);

    /// Reads a signed sequence of decimal numbers, each with a unit; `0` alone needs none.
    ///
    /// `None` for any other text and for more than 292 years.
    pub fn read(text: &str) -> Option<Duration> {
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Duration(0));
        }
        let mut total: i64 = 0;
        while !rest.is_empty() || total == 0 {
            let digits = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
            let (number, tail) = rest.split_at_checked(digits)?;
            let letters =
                tail.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at_checked(letters)?;
            let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
                return None;
            }
            let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            total = total.checked_add(whole.checked_mul(*scale)?)?;
            let mut place = *scale;
            for digit in fraction.bytes() {
                place /= 10;
                total = total.checked_add(i64::from(digit - b'0').checked_mul(place)?)?;
            }
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        Some(Duration(sign * total))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let decimal = |nanos: u64, unit: u64| {
            let fraction = format!("{:0width$}", nanos % unit, width = unit.ilog10() as usize);
            let fraction = fraction.trim_end_matches('0');
            let dot = if fraction.is_empty() { "" } else { "." };
            format!("{}{dot}{fraction}", nanos / unit)
        };
        match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{sign}{nanos}ns"),
            1_000..1_000_000 => return write!(f, "{sign}{}µs", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => return write!(f, "{sign}{}ms", decimal(nanos, 1_000_000)),
            _ => {}
        }
        let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let seconds = if rest == 0 { "0".to_owned() } else { decimal(rest, 1_000_000_000) };
        match (hours, minutes) {
            (0, 0) => write!(f, "{sign}{seconds}s"),
            (0, _) => write!(f, "{sign}{minutes}m{seconds}s"),
            _ => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
        }
    }
}
