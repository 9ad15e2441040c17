//! What the calls to each provider and model share, for as long as a process runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::Model;
use crate::circuit::{Circuit, Guarded};
use crate::pace::{Pace, PaceLimits, Paced};

/// A pace for each provider and a circuit for each of its models, made when they are first asked for.
#[derive(Default)]
pub struct Traffic {
    paces: Mutex<BTreeMap<String, Arc<Pace>>>,
    circuits: Mutex<BTreeMap<(String, String), Arc<Circuit>>>,
}

impl Traffic {
    /// Makes a model keep its provider's pace and stay behind its circuit. Whoever comes with the same names shares
    /// both; limits that changed begin anew.
    pub fn regulate(
        &self,
        provider: &str,
        name: &str,
        limits: PaceLimits,
        model: Arc<dyn Model>,
    ) -> Arc<dyn Model> {
        let mut paces = self.paces.lock().expect("nobody panics while holding it");
        let pace = match paces.get(provider).filter(|pace| pace.limits() == limits) {
            Some(pace) => pace.clone(),
            None => {
                let pace = Arc::new(Pace::new(limits));
                paces.insert(provider.to_owned(), pace.clone());
                pace
            }
        };
        let mut circuits = self.circuits.lock().expect("nobody panics while holding it");
        let circuit = circuits.entry((provider.to_owned(), name.to_owned())).or_default().clone();
        // A circuit that is open answers at once, without a turn.
        Arc::new(Guarded::new(circuit, Arc::new(Paced::new(pace, model))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;
    use crate::error::ModelError;
    use crate::testing::{Step, Steps, ask, failed};

    #[tokio::test(start_paused = true)]
    async fn models_of_one_provider_share_its_pace_and_each_has_its_own_circuit() {
        let traffic = Traffic::default();
        let limits = PaceLimits { requests_per_minute: Some(4), ..PaceLimits::default() };
        let inner = [vec![failed(), failed(), failed()], vec![], vec![]].map(|s| Arc::new(Steps::new(s)));
        let [ill, well, elsewhere] = [("oak", "sol"), ("oak", "terra"), ("elm", "sol")];
        let regulate =
            |(provider, name), inner: &Arc<Steps>| traffic.regulate(provider, name, limits, inner.clone());
        let first = regulate(ill, &inner[0]);
        for _ in 0..3 {
            advance(Duration::from_secs(1)).await;
            assert!(ask(&*first).await.is_err());
        }
        // Made anew, as for the next review, it is still the same circuit.
        let again = regulate(ill, &inner[0]);
        assert!(matches!(ask(&*again).await, Err(ModelError::CircuitOpen { .. })));
        let (other, free) = (regulate(well, &inner[1]), regulate(elsewhere, &inner[2]));
        for _ in 0..2 {
            assert!(ask(&*other).await.is_ok());
            assert!(ask(&*free).await.is_ok());
        }
        assert_eq!(inner[1].asked_at_seconds(), [3, 61]);
        assert_eq!(inner[2].asked_at_seconds(), [3, 61]);
        assert_eq!(inner[0].asked(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn limits_that_changed_begin_anew() {
        let traffic = Traffic::default();
        let inner = Arc::new(Steps::new([Step::Answer, Step::Answer]));
        for requests in [1, 2] {
            let limits = PaceLimits { requests_per_minute: Some(requests), ..PaceLimits::default() };
            assert!(ask(&*traffic.regulate("oak", "sol", limits, inner.clone())).await.is_ok());
        }
        assert_eq!(inner.asked_at_seconds(), [0, 0]);
    }
}
