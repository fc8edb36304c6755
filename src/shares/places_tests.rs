use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::FutureExt as _;

use super::*;

fn places(number: usize) -> Places {
    Places::new(number, Share::of_percent(80), Refusals::uncounted())
}

#[expect(clippy::unnecessary_wraps, reason = "as it is asked for everywhere")]
fn system(name: &str) -> Option<SourceSystem> {
    Some(SourceSystem::parse(name).unwrap())
}

fn take_all(places: &Places, name: &str) -> Vec<Place> {
    std::iter::from_fn(|| places.try_take(system(name)).ok()).collect()
}

/// A refusal says whether all are taken or the share is used up, and each is counted.
#[test]
fn a_refusal_says_why_and_is_counted() {
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let counted = Arc::clone(&counts);
    let refusals = Refusals::told_to(move |why| {
        counted[usize::from(why == NoPlace::ShareUsedUp)].fetch_add(1, Ordering::Relaxed);
    });
    let places = Places::new(5, Share::of_percent(80), refusals);
    let of_crm = take_all(&places, "crm");
    assert_eq!((of_crm.len(), places.taken()), (4, 4));
    let _other = places.try_take(system("rooms")).unwrap();
    assert_eq!(places.try_take(system("rooms")).unwrap_err(), NoPlace::AllTaken);
    assert_eq!(places.try_take(None).unwrap_err(), NoPlace::AllTaken);
    drop(of_crm);
    assert_eq!(places.taken(), 1);
    assert_eq!(counts.each_ref().map(|count| count.load(Ordering::Relaxed)), [2, 1]);
}

/// Who waits gets the place that comes back: in the order in which they came, but those whose share is used up let others
/// by. Who has left the line takes none.
#[tokio::test]
async fn those_in_line_come_by_turns_and_by_shares() {
    let places = places(2);
    let mut held = take_all(&places, "crm");
    held.push(places.try_take(system("rooms")).unwrap());
    let waits = |name: &'static str| {
        let places = places.clone();
        tokio::spawn(async move { places.take(system(name)).await })
    };
    let (left, first) = (waits("crm"), waits("crm"));
    tokio::task::yield_now().await;
    let other = waits("desk");
    tokio::task::yield_now().await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    drop(held.pop());
    let other = other.await.unwrap();
    assert!(!first.is_finished(), "the share of crm is used up");
    drop(held.pop());
    let first = first.await.unwrap();
    assert_eq!(places.taken(), 2);
    drop((other, first));
    assert_eq!(places.taken(), 0);
}

/// Many who have left the line in a row cost neither a place nor the stack.
#[tokio::test]
async fn a_line_of_those_who_left_is_passed_over() {
    let places = places(1);
    let held = places.try_take(None).unwrap();
    for _ in 0..20_000 {
        assert!(places.take(None).now_or_never().is_none());
    }
    let waits = tokio::spawn({
        let places = places.clone();
        async move { places.take(system("crm")).await }
    });
    tokio::task::yield_now().await;
    drop(held);
    drop(waits.await.unwrap());
    assert_eq!(places.taken(), 0);
}

/// A request that waits lends its place, and has it again afterwards even if another has it, too.
#[test]
fn who_stands_aside_comes_back() {
    let places = places(1);
    let crm = system("crm").unwrap();
    let place = places.try_take(system("crm")).unwrap();
    let aside = places.step_aside(crm.clone());
    let other = places.try_take(system("rooms")).unwrap();
    drop(aside);
    assert_eq!((places.taken(), places.try_take(system("desk")).unwrap_err()), (2, NoPlace::AllTaken));
    drop((place, other));
    assert_eq!(places.taken(), 0);
    let anyway = places.take_anyway(crm.clone());
    let second = places.take_anyway(crm.clone());
    assert_eq!(places.rooms(), (vec![(crm, 0)], 0));
    drop((anyway, second));
    assert_eq!(places.rooms(), (vec![], 1));
}
