//! Days and moments: as much of the calendar as inventories and expiry comments need.
//!
//! Read as RFC 3339 has them, and a little more freely, as ISO 8601 lets people write. A moment keeps
//! nanoseconds, because they decide elections of routers.

use std::fmt;
use std::str::FromStr;

/// The furthest year in either direction.
const MAX_YEAR: i32 = 9999;

const DAY: i64 = 86_400;

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

/// A moment, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    /// Since 1970; of a moment between two seconds the earlier.
    seconds: i64,
    nanos: u32,
}

/// A text that is no day, or no moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("write it as in {0}")]
pub struct NoTime(&'static str);

impl Date {
    /// A day; `None` for one that the calendar has not.
    pub const fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let known = year >= -MAX_YEAR && year <= MAX_YEAR && month >= 1 && month <= 12;
        if known && day >= 1 && day <= days_in(year, month) {
            Some(Self { year, month, day })
        } else {
            None
        }
    }

    /// How many days after 1970-01-01 it is.
    ///
    /// Years start in March here, so that the day that some have more is their last.
    pub const fn number(self) -> i64 {
        let year = self.year as i64 - (self.month <= 2) as i64;
        let month = (self.month as i64 + 9) % 12;
        let (era, in_era) = (year.div_euclid(400), year.rem_euclid(400));
        let in_year = (153 * month + 2) / 5 + self.day as i64 - 1;
        era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
    }

    /// The day so many days after 1970-01-01.
    const fn numbered(number: i64) -> Self {
        let shifted = number + 719_468;
        let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year + year / 4 - year / 100);
        let month = (5 * in_year + 2) / 153;
        let day = in_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + (month <= 2) as i64;
        Self { year: year as i32, month: month as u8, day: day as u8 }
    }
}

const fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Timestamp {
    /// From -9999-01-02T01:59:59Z, so that it has a date at every offset.
    const FIRST: i64 = -377_705_023_201;
    /// To 9999-12-30T22:00:00.999999999Z.
    const LAST: i64 = 253_402_207_200;

    /// So many seconds and nanoseconds after 1970; `None` beyond the years that we know.
    pub fn new(seconds: i64, nanos: i32) -> Option<Self> {
        if nanos.unsigned_abs() >= 1_000_000_000 {
            return None;
        }
        let seconds = seconds.checked_sub((nanos < 0).into())?;
        let nanos = nanos.rem_euclid(1_000_000_000) as u32;
        (Self::FIRST..=Self::LAST).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// So many milliseconds after 1970.
    pub fn from_millisecond(milliseconds: i64) -> Option<Self> {
        let nanos = milliseconds.rem_euclid(1000) as i32 * 1_000_000;
        Self::new(milliseconds.div_euclid(1000), nanos)
    }

    /// Whole seconds after 1970, or before.
    pub fn as_second(self) -> i64 {
        self.seconds + i64::from(self.seconds < 0 && self.nanos > 0)
    }

    /// The day in UTC.
    pub fn date(self) -> Date {
        Date::numbered(self.seconds.div_euclid(DAY))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        if *year < 0 {
            write!(f, "-{:06}-{month:02}-{day:02}", -year)
        } else {
            write!(f, "{year:04}-{month:02}-{day:02}")
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
        if self.nanos > 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Date {
    type Err = NoTime;

    /// A day, with or without a time of day behind it, which must not be one of UTC: that may be
    /// another day where somebody reads it.
    fn from_str(text: &str) -> Result<Self, NoTime> {
        let read = Reader(text.as_bytes()).whole().filter(|it| it.offset != Some(Offset::Zulu));
        read.map(|it| it.date).ok_or(NoTime("2026-12-31"))
    }
}

impl FromStr for Timestamp {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        Reader(text.as_bytes())
            .whole()
            .and_then(Read::timestamp)
            .ok_or(NoTime("2026-12-31T23:59:59Z"))
    }
}

/// What a text says.
struct Read {
    date: Date,
    /// Seconds and nanoseconds of the day.
    time: Option<(i64, u32)>,
    offset: Option<Offset>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Offset {
    Zulu,
    /// Seconds east of UTC.
    East(i64),
}

impl Read {
    fn timestamp(self) -> Option<Timestamp> {
        let (of_day, nanos) = self.time?;
        let east = match self.offset? {
            Offset::Zulu => 0,
            Offset::East(east) => east,
        };
        Timestamp::new(self.date.number() * DAY + of_day - east, nanos as i32)
    }
}

/// What is left of a text.
struct Reader<'t>(&'t [u8]);

impl Reader<'_> {
    fn whole(mut self) -> Option<Read> {
        let date = self.date()?;
        let (mut time, mut offset) = (None, None);
        if self.takes(b" Tt").is_some() {
            time = Some(self.time()?);
            offset = match self.takes(b"Zz+-") {
                None => None,
                Some(b'Z' | b'z') => Some(Offset::Zulu),
                Some(sign) => {
                    let (hour, minute, second) = self.clock([25, 59, 59])?;
                    let east = hour * 3600 + minute * 60 + second;
                    Some(Offset::East(if sign == b'-' { -east } else { east }))
                }
            };
        }
        self.0.is_empty().then_some(Read { date, time, offset })
    }

    fn date(&mut self) -> Option<Date> {
        let year = match self.takes(b"+-") {
            None => self.number(4)?,
            Some(b'-') => Some(-self.number(6)?).filter(|it| *it != 0)?,
            Some(_) => self.number(6)?,
        };
        let extended = self.takes(b"-").is_some();
        let month = self.number(2)?;
        if extended {
            self.takes(b"-")?;
        }
        let day = self.number(2)?;
        Date::new(year as i32, month as u8, day as u8)
    }

    fn time(&mut self) -> Option<(i64, u32)> {
        let before = self.0.len();
        let (hour, minute, second) = self.clock([23, 59, 60])?;
        // A leap second is the second before it once more, as for nearly every clock.
        let of_day = hour * 3600 + minute * 60 + second.min(59);
        let has_seconds = before - self.0.len() >= "HHMMSS".len();
        let nanos = if has_seconds && self.takes(b".,").is_some() { self.fraction()? } else { 0 };
        Some((of_day, nanos))
    }

    /// Hours, and perhaps minutes and seconds, with colons or without.
    fn clock(&mut self, most: [i64; 3]) -> Option<(i64, i64, i64)> {
        let [most_hour, most_minute, most_second] = most;
        let up_to = |value: i64, most: i64| (value <= most).then_some(value);
        let hour = up_to(self.number(2)?, most_hour)?;
        let extended = self.0.starts_with(b":");
        let (mut minute, mut second) = (0, 0);
        if self.goes_on(extended) {
            minute = up_to(self.number(2)?, most_minute)?;
            if self.goes_on(extended) {
                second = up_to(self.number(2)?, most_second)?;
            }
        }
        Some((hour, minute, second))
    }

    fn goes_on(&mut self, extended: bool) -> bool {
        if extended {
            return self.takes(b":").is_some();
        }
        matches!(self.0, [one, two, ..] if one.is_ascii_digit() && two.is_ascii_digit())
    }

    /// Up to nine digits behind the point, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let (mut nanos, mut unit) = (0, 100_000_000);
        let first = self.0.len();
        while unit > 0 && self.0.first().is_some_and(u8::is_ascii_digit) {
            nanos += self.number(1)? as u32 * unit;
            unit /= 10;
        }
        (self.0.len() < first).then_some(nanos)
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let mut value = 0;
        for digit in number {
            value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        Some(value)
    }

    /// The next byte, if it is one of these.
    fn takes(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}
