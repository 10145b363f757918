//! Times as people write them: `2026-11-28T21:05:00Z`, or unix seconds.

const DAY: u64 = 86_400;

/// Unix seconds, in words; "-" for none.
pub(in crate::cli) fn spelled(time: u64) -> String {
    if time == 0 {
        return "-".to_owned();
    }
    let (year, month, day) = date(time / DAY);
    let second = time % DAY;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Reads unix seconds, a date, or a date and a time of UTC.
///
/// # Errors
/// What was expected.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected unix seconds, 2026-11-28 or 2026-11-28T21:05:00Z, found \"{text}\"");
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let (day, time) = text.trim_end_matches('Z').split_once('T').unwrap_or((text, "00:00:00"));
    let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
        let parts = text.split(by).map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        parts.try_into().ok()
    };
    let [year, month, day] = numbers(day, '-').ok_or_else(wrong)?;
    let [hour, minute, second] = numbers(time, ':').ok_or_else(wrong)?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return Err(wrong());
    }
    let days = days(year, month, day);
    // A 31st of April is a first of May.
    if date(days) != (year, month, day) {
        return Err(wrong());
    }
    Ok(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Days since 1970-01-01; years begin in March, so that a leap day is the last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.saturating_sub(1);
    era * 146_097 + year * 365 + year / 4 - year / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-02", 86_400),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2024-12-31T23:59:59Z", 1_735_689_599),
            ("2026-11-28", 1_795_824_000),
            ("2100-03-01", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
            assert!(spelled(seconds).starts_with(text.trim_end_matches('Z')), "{text}");
        }
        assert_eq!(parse("1795824000"), Ok(1_795_824_000));
        for day in 0..200_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
        for bad in ["", "soon", "2026-11", "2026-02-29", "2026-04-31", "2026-13-01", "2026-11-28T24:00:00Z", "-1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(spelled(0), "-");
    }
}
