//! Keeps an issuer's keys: fetched at the start and again and again, at once for a key that is not known, and kept while
//! the issuer can't be reached.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::compact::UnverifiedToken;
use super::issuer_rules::IssuerRules;
use super::key_set::{KeySet, SigningKey};
use super::key_source::{KeyFetchFault, KeySource, KeySourceFault};
use crate::booking::SourceSystem;
use crate::clock::{Clock, Timestamp};

/// How often the keys are fetched again. Providers publish a key long before they sign with it, and a key that they take back
/// is refused after this time.
const REFRESH_INTERVAL: Duration = Duration::from_mins(10);
/// How soon it is tried again after the first failure, and at most after many.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Keys that are not known are fetched for this often at most, however many tokens name one.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(15);
/// Longest that a request waits for a fetch.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long keys are trusted that could not be fetched again. An issuer that is away issues no tokens, and those that it
/// has issued have ended by then.
const KEPT_MAX: Duration = Duration::from_hours(24);

/// The keys of one issuer.
#[derive(Debug)]
pub struct IssuerKeys {
    /// What is believed of its tokens.
    pub(super) rules: IssuerRules,
    source: KeySource,
    clock: Arc<dyn Clock>,
    /// A token named a key that is not known.
    wanted: Notify,
    kept: watch::Sender<Kept>,
}

/// What is known of the keys.
#[derive(Debug, Clone, Default)]
struct Kept {
    keys: Option<FetchedKeys>,
    /// Why the latest fetch failed; `None` after one that did not.
    failure: Option<KeyFetchFault>,
    /// Whether one is under way.
    is_fetching: bool,
    /// How many fetches have ended.
    fetches: u64,
    /// Until then no fetch is made for a key that is not known.
    rests_until: Option<Instant>,
}

#[derive(Debug, Clone)]
struct FetchedKeys {
    set: Arc<KeySet>,
    fetched_at: Timestamp,
}

/// How an issuer's keys are, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerCondition {
    /// The issuer's name.
    pub name: String,
    /// How many keys are in force.
    pub keys: usize,
    /// How long ago they were fetched; `None` while none are in force.
    pub age: Option<Duration>,
    /// Why the latest fetch failed, if it did.
    pub failure: Option<String>,
}

/// What became of the search for a key.
#[derive(Debug)]
pub(super) enum FoundKey {
    /// It is this one.
    Known(SigningKey),
    /// The issuer has no such key, by its own word of a moment ago.
    Unknown,
    /// That can't be known now: the issuer gives no answer.
    Unavailable,
}

impl IssuerKeys {
    /// No keys yet; [`Self::keep`] fetches them.
    pub(super) fn of(rules: IssuerRules, clock: Arc<dyn Clock>) -> Result<Self, KeySourceFault> {
        let source = KeySource::of(&rules.issuer)?;
        // The first fetch is the first thing that is done.
        let kept = watch::Sender::new(Kept { is_fetching: true, ..Kept::default() });
        Ok(Self { rules, source, clock, wanted: Notify::new(), kept })
    }

    /// The key that a token names. Where it is not known, waits for a fetch, if one may be made now.
    pub(super) async fn find(&self, token: &UnverifiedToken<'_>) -> FoundKey {
        timeout(WAIT_MAX, self.find_or_fetch(token)).await.unwrap_or(FoundKey::Unavailable)
    }

    async fn find_or_fetch(&self, token: &UnverifiedToken<'_>) -> FoundKey {
        let is_known = |kept: &Kept| matches!(self.find_in(kept, token), FoundKey::Known(_));
        let mut changes = self.kept.subscribe();
        // A fetch that is under way may have asked before the key was published: what it brings is not the last word.
        let (fetches, may_fetch) = match changes.wait_for(|kept| !kept.is_fetching || is_known(kept)).await {
            Ok(kept) if is_known(&kept) => return self.find_in(&kept, token),
            Ok(kept) => (kept.fetches, kept.rests_until.is_none_or(|until| Instant::now() >= until)),
            Err(_) => return FoundKey::Unavailable,
        };
        self.wanted.notify_one();
        if !may_fetch {
            return self.find_in(&self.kept.borrow(), token);
        }
        match changes.wait_for(|kept| kept.fetches > fetches).await {
            Ok(kept) => self.find_in(&kept, token),
            Err(_) => FoundKey::Unavailable,
        }
    }

    fn find_in(&self, kept: &Kept, token: &UnverifiedToken<'_>) -> FoundKey {
        let keys = kept.keys.as_ref().filter(|keys| self.age(keys) < KEPT_MAX);
        let key = keys.and_then(|keys| keys.set.find(&token.key_id, token.algorithm));
        match key {
            Some(key) => FoundKey::Known(key.clone()),
            None if keys.is_some() && kept.failure.is_none() => FoundKey::Unknown,
            None => FoundKey::Unavailable,
        }
    }

    fn age(&self, keys: &FetchedKeys) -> Duration {
        (self.clock.now() - keys.fetched_at).try_into().unwrap_or_default()
    }

    /// Fetches the keys, again and again; runs until it is dropped.
    pub async fn keep(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            failures = if self.fetch().await { 0 } else { failures + 1 };
            let pause = match failures {
                0 => REFRESH_INTERVAL,
                many => (RETRY_PAUSE * 2_u32.pow(many.min(8) - 1)).min(RETRY_PAUSE_MAX),
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.wanted_and_rested() => {
                    self.kept.send_modify(|kept| kept.rests_until = Some(Instant::now() + UNKNOWN_KEY_INTERVAL));
                }
            }
        }
    }

    async fn wanted_and_rested(&self) {
        self.wanted.notified().await;
        let rests_until = self.kept.borrow().rests_until;
        if let Some(until) = rests_until {
            sleep_until(until).await;
        }
    }

    /// Fetches once, and says whether that went well.
    async fn fetch(&self) -> bool {
        self.kept.send_modify(|kept| kept.is_fetching = true);
        let fetched = self.source.fetch().await;
        let name = self.rules.name.as_str();
        let failed = fetched.is_err();
        self.kept.send_modify(|kept| {
            kept.fetches += 1;
            kept.is_fetching = false;
            match fetched {
                Ok(set) => {
                    self.log_keys(kept, &set);
                    kept.keys = Some(FetchedKeys { set: Arc::new(set), fetched_at: self.clock.now() });
                    kept.failure = None;
                }
                Err(fault) => {
                    let is_news = kept.failure.as_ref() != Some(&fault);
                    let in_force = kept.keys.as_ref().is_some_and(|keys| self.age(keys) < KEPT_MAX);
                    if is_news && in_force {
                        tracing::warn!(issuer = name, error = %fault, "the issuer's keys can't be fetched; the known ones stay in force");
                    } else if is_news {
                        tracing::error!(issuer = name, error = %fault, "the issuer's keys can't be fetched, and none are known: its tokens are answered 503");
                    }
                    kept.failure = Some(fault);
                }
            }
        });
        !failed
    }

    fn log_keys(&self, before: &Kept, set: &KeySet) {
        let issuer = self.rules.name.as_str();
        let is_same = before.keys.as_ref().is_some_and(|keys| keys.set.has_same_ids(set));
        if !is_same || before.failure.is_some() {
            let unusable = set.unusable.join("; ");
            tracing::info!(issuer, keys = set.count(), unusable, "the issuer's keys were fetched");
        }
    }

    /// The source systems that its block lists.
    pub fn source_systems(&self) -> impl Iterator<Item = &SourceSystem> {
        self.rules.source_systems()
    }

    /// How the keys are now.
    #[must_use]
    pub fn condition(&self) -> IssuerCondition {
        let kept = self.kept.borrow();
        let keys = kept.keys.as_ref().filter(|keys| self.age(keys) < KEPT_MAX);
        IssuerCondition {
            name: self.rules.name.clone(),
            keys: keys.map_or(0, |keys| keys.set.count()),
            age: keys.map(|keys| self.age(keys)),
            failure: kept.failure.as_ref().map(ToString::to_string),
        }
    }
}
