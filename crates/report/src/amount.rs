//! Numbers with their units, shown in one way.

use std::fmt;

/// A number with its unit, in the one way in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// `48,211`.
    Count(u64),
    /// `1` for an exit code; may be negative.
    Code(i32),
    /// `0.1234 USD`, from micro-USD, rounded up to four digits.
    MicroUsd(u64),
    /// `41.2 s`, from milliseconds.
    Millis(u64),
    /// `2026-11-01 09:30:12 UTC`, from seconds since 1970.
    UnixSeconds(i64),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => f.write_str(&thousands(count)),
            Self::Code(code) => write!(f, "{code}"),
            Self::MicroUsd(micro) => {
                let tenths_of_a_mill = micro.div_ceil(100);
                write!(f, "{}.{:04} USD", thousands(tenths_of_a_mill / 10_000), tenths_of_a_mill % 10_000)
            }
            Self::Millis(millis) => write!(f, "{}.{} s", thousands(millis / 1_000), millis % 1_000 / 100),
            Self::UnixSeconds(seconds) => {
                let (year, month, day) = civil(seconds.div_euclid(86_400));
                let second = seconds.rem_euclid(86_400);
                let (hour, minute) = (second / 3_600, second / 60 % 60);
                write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", second % 60)
            }
        }
    }
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years that begin on a first of March, so that a leap day is always the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `one` for 1, `many` for all else.
pub(crate) fn one_or_many(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// "1 file", "2,345 files".
pub(crate) fn plural(count: usize, one: &'static str, many: &'static str) -> String {
    format!("{} {}", Amount::Count(count as u64), one_or_many(count, one, many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_in_one_way() {
        for (amount, expect) in [
            (Amount::Count(0), "0"),
            (Amount::Count(999), "999"),
            (Amount::Count(1_000), "1,000"),
            (Amount::Count(1_234_567), "1,234,567"),
            (Amount::Code(-1), "-1"),
            (Amount::MicroUsd(0), "0.0000 USD"),
            (Amount::MicroUsd(1), "0.0001 USD"),
            (Amount::MicroUsd(88_310), "0.0884 USD"),
            (Amount::MicroUsd(1_234_000_000), "1,234.0000 USD"),
            (Amount::Millis(999), "0.9 s"),
            (Amount::Millis(61_250), "61.2 s"),
            (Amount::UnixSeconds(0), "1970-01-01 00:00:00 UTC"),
            (Amount::UnixSeconds(-1), "1969-12-31 23:59:59 UTC"),
            (Amount::UnixSeconds(951_782_399), "2000-02-28 23:59:59 UTC"),
            (Amount::UnixSeconds(951_782_400), "2000-02-29 00:00:00 UTC"),
            (Amount::UnixSeconds(951_868_800), "2000-03-01 00:00:00 UTC"),
            (Amount::UnixSeconds(4_107_542_400), "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(amount.to_string(), expect);
        }
        // No number of a packet is too large or too small to be shown.
        for amount in
            [Amount::MicroUsd(u64::MAX), Amount::UnixSeconds(i64::MIN), Amount::UnixSeconds(i64::MAX)]
        {
            assert!(!amount.to_string().is_empty());
        }
    }
}
