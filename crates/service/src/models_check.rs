//! `recuse models check`: prices that are old, and names that tell no family.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use models::Catalogue;
use review::Families;
use review::engine::{Engine, LineageSource};

/// After so many days a price is not to be relied on: vendors change theirs every few months.
const OLD_AFTER_DAYS: i64 = 60;

/// Something that should be looked up again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The model.
    pub subject: String,
    /// What is wrong.
    pub finding: String,
    /// What helps.
    pub remedy: &'static str,
}

/// Looks at the operator's models and at the built-in table. `now` is in seconds since 1970.
pub fn check(engines: &[Engine], catalogue: &Catalogue, families: &Families, now: i64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(days) = days_since(families.as_of(), now).filter(|days| *days > OLD_AFTER_DAYS) {
        warnings.push(Warning {
            subject: "families".to_owned(),
            finding: format!(
                "the table of families was looked at {days} days ago: newer models may be missing"
            ),
            remedy: "take a newer recuse, or add what is missing to a table of your own ([lineage])",
        });
    }
    for engine in engines {
        if engine.lineage_source == LineageSource::Unknown {
            warnings.push(Warning {
                subject: engine.id.clone(),
                finding: "its name tells no family, so it is never counted as independent".to_owned(),
                remedy: "declare it with `families = […]` in its [[model]], or in a table of your own ([lineage])",
            });
        } else if !engine.lineage.is_known() {
            warnings.push(Warning {
                subject: engine.id.clone(),
                finding: "not all that it descends from is known, so it is never counted as independent"
                    .to_owned(),
                remedy: "seat another model, or declare it with `families = […]` if you know",
            });
        }
        if engine.price.is_none() {
            warnings.push(Warning {
                subject: engine.id.clone(),
                finding: "nobody knows its price, so under a cap it is not asked".to_owned(),
                remedy: "give `input_usd` and `output_usd` in its [[model]]",
            });
        }
        if let Some(days) = engine.price_as_of.as_deref().and_then(|month| days_since(month, now)) {
            warnings.extend(old(&engine.id, days));
        }
    }
    for entry in &catalogue.models {
        let id = format!("{}/{}", entry.provider, entry.name);
        if engines.iter().any(|engine| engine.id == id) {
            continue;
        }
        warnings.extend(days_since(&entry.as_of, now).and_then(|days| old(&id, days)));
        if families.resolve(entry.name.trim_end_matches('*')).lineage.families.is_empty() && entry.name != "*"
        {
            warnings.push(Warning {
                subject: id,
                finding: "the built-in table of families does not know its name".to_owned(),
                remedy: "declare it with `families = […]` where you use it",
            });
        }
    }
    warnings
}

fn old(id: &str, days: i64) -> Option<Warning> {
    (days > OLD_AFTER_DAYS).then(|| Warning {
        subject: id.to_owned(),
        finding: format!("its price may be {days} days old"),
        remedy: "compare it with the vendor's list; `input_usd` and `output_usd` in its [[model]] stand before ours",
    })
}

/// The days since a day `2026-11-21`, or since the first of a month `2026-11`: nobody knows on which of its days a price
/// was looked up. `None` if it is neither.
fn days_since(date: &str, now: i64) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let day = parts.next().map_or(Ok(1), str::parse).ok()?;
    let then = Date::new(year, month, day).ok()?;
    let today = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::UTC).date();
    Some(i64::from((today - then).get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use review::Lineage;
    use review::engine::Price;

    /// Seconds of a day.
    const DAY: i64 = 86_400;

    fn engine(id: &str, as_of: Option<&str>) -> Engine {
        Engine {
            id: id.to_owned(),
            preference: 0,
            provider: "local".to_owned(),
            model: id.to_owned(),
            lineage: Lineage::of(["qwen"]),
            lineage_source: LineageSource::Table,
            edges: Vec::new(),
            context_tokens: 1,
            max_output_tokens: 1,
            price: Some(Price::flat(1, 1)),
            price_as_of: as_of.map(str::to_owned),
        }
    }

    fn warned(engines: &[Engine], now: i64) -> Vec<String> {
        let mut catalogue = Catalogue::embedded();
        catalogue.models.clear();
        let warnings = check(engines, &catalogue, &Families::embedded(), now);
        warnings.into_iter().map(|warning| format!("{}: {}", warning.subject, warning.finding)).collect()
    }

    fn on_day(as_of: Option<&str>, day: i64) -> Vec<String> {
        warned(&[engine("a", as_of)], day * DAY)
    }

    #[test]
    fn a_price_is_old_sixty_days_after_its_month_began() {
        // The first of November 2026 is day 20,758.
        let on = |days_after: i64| warned(&[engine("a", Some("2026-11"))], (20_758 + days_after) * DAY);
        assert!(on(-20).is_empty() && on(60).is_empty());
        assert_eq!(on(61), ["a: its price may be 61 days old"]);
        assert!(on_day(None, 20_758 + 70).is_empty() && on_day(Some("soon"), 20_758 + 70).is_empty());
    }

    #[test]
    fn a_table_of_families_is_old_sixty_days_after_its_day() {
        let table = "as_of = \"2026-11-21\"\n[[family]]\nname = \"oak\"\nmaker = \"Oak\"\ndisplay = \"Oak\"\npatterns = []\n";
        let families = Families::parse(table).expect("a right table");
        let mut catalogue = Catalogue::embedded();
        catalogue.models.clear();
        let on = |days_after: i64| check(&[], &catalogue, &families, (20_778 + days_after) * DAY);
        assert!(on(60).is_empty());
        assert!(on(61)[0].finding.starts_with("the table of families was looked at 61 days ago"));
    }

    #[test]
    fn names_and_prices_that_nobody_knows_are_told() {
        let unknown = Engine {
            lineage: Lineage::unknown(),
            lineage_source: LineageSource::Unknown,
            price: None,
            ..engine("a", None)
        };
        assert_eq!(warned(&[unknown], 0).len(), 2);
        let partly =
            Engine { lineage: Lineage { complete: false, ..Lineage::of(["qwen"]) }, ..engine("a", None) };
        assert_eq!(warned(&[partly], 0).len(), 1);
    }

    #[test]
    fn the_built_in_tables_know_each_others_names() {
        let warnings = check(&[], &Catalogue::embedded(), &Families::embedded(), 0);
        assert_eq!(warnings, []);
    }
}
