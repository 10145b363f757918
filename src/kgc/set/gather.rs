//! Asking several KGCs at once.
//!
//! Each is reached and asked for a challenge; one signature serves those whose challenge came in
//! time, a later one gets a signature of its own, so that a slow KGC holds up none. A KGC that is
//! not asked by a signature stands in its set with a random challenge, which nobody can use.

use std::time::Duration;

use alloy::primitives::B256;
use alloy::signers::Signer;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::outcome::{How, KgcOutcome};
use super::{Asking, Member};
use crate::envelope::capsules::X25519Secret;
use crate::kgc::inputs::os_random;
use crate::kgc::requests::{KgcRequest, REQUEST_SECS, SignedRequest, UnsignedRequest};
use crate::kgc::{Answer, KeyCenter, KeyRequestError, KgcError, Refusal};

/// How long one KGC may take to be reached and give a challenge, and then to answer.
const EACH: Duration = Duration::from_secs(8);
/// How long all together may take.
const ALL: Duration = Duration::from_secs(15);
/// How long others are waited for: before a signature that could serve them too, and after they can
/// change nothing any more, so that it can be said what came of them.
const GRACE: Duration = Duration::from_millis(250);

/// What is sent with a request for a key: header and capsules.
pub(super) type Sent<'a> = (&'a [u8], &'a [u8]);
/// An answer on its way.
pub(super) type Sending<'a> = BoxFuture<'a, Result<Answer, Refusal>>;

/// What is asked of a set.
pub(super) struct Round<'a, K> {
    pub(super) members: &'a [Member<K>],
    pub(super) asking: Asking<'a>,
    /// Ids of the set that are named besides those that are asked.
    pub(super) whole: &'a [B256],
    /// Ids that are asked; all where there are none.
    pub(super) only: Option<&'a [B256]>,
    /// How many must answer.
    pub(super) needed: usize,
    /// Whether more than those are of use.
    pub(super) more: bool,
}

/// What a set gave.
pub(super) struct Gathered<T> {
    /// What was given and fits, once by each KGC.
    pub(super) given: Vec<T>,
    /// What came of each member.
    pub(super) outcomes: Vec<KgcOutcome>,
}

enum Event<'a, K> {
    Ready(&'a K, B256),
    Answered(Box<Answer>, Opener),
    Failed(KgcError),
    Slow,
}

/// What opens an answer: the request's key, its digest.
struct Opener(X25519Secret, B256);

enum State<'a, K> {
    /// It is reached and asked for a challenge.
    Waiting,
    Ready(&'a K, B256),
    Asked(&'a K),
    Done(How),
}

struct Running<'a, 'r, K, T> {
    round: &'r Round<'a, K>,
    events: FuturesUnordered<BoxFuture<'a, (usize, Event<'a, K>)>>,
    states: Vec<State<'a, K>>,
    given: Vec<T>,
    begun: Instant,
    sign_at: Instant,
    end: Instant,
}

impl<'a, K: KeyCenter> Round<'a, K> {
    /// Asks all members, and judges each answer.
    ///
    /// # Errors
    /// The wallet cannot sign.
    pub(super) async fn run<R: KgcRequest + Clone, T>(
        &self,
        signer: &(impl Signer + Sync),
        send: fn(&'a K, SignedRequest<R>, Sent<'a>) -> Sending<'a>,
        sent: Sent<'a>,
        judge: impl Fn(&K, &[u8; 32]) -> Result<T, KgcError>,
    ) -> Result<Gathered<T>, KeyRequestError> {
        let begun = Instant::now();
        let mut running = Running {
            round: self,
            events: self.members.iter().enumerate().map(|(at, member)| reach(at, member, begun + EACH)).collect(),
            states: self.members.iter().map(|_| State::Waiting).collect(),
            given: Vec::new(),
            begun,
            sign_at: begun + ALL,
            end: begun + ALL,
        };
        while running.goes_on() {
            let ready = running.count(|state| matches!(state, State::Ready(..)));
            if ready > 0 && running.is_time_to_sign() {
                let send = |center, request| send(center, request, sent);
                running.sign(signer, send).await?;
                continue;
            }
            tokio::select! {
                event = running.events.next() => {
                    if let Some((at, event)) = event {
                        running.take(at, event, &judge);
                    }
                }
                () = sleep_until(running.sign_at), if ready > 0 => {}
                () = sleep_until(running.end) => break,
            }
        }
        Ok(running.gathered())
    }
}

impl<'a, K: KeyCenter, T> Running<'a, '_, K, T> {
    fn count(&self, is: fn(&State<'a, K>) -> bool) -> usize {
        self.states.iter().filter(|state| is(state)).count()
    }

    /// Whether somebody is still to answer.
    fn goes_on(&self) -> bool {
        self.count(|state| !matches!(state, State::Done(_))) > 0
    }

    /// Whether those who have not answered yet can change nothing: enough have, or enough cannot.
    fn is_decided(&self) -> bool {
        let (given, needed) = (self.given.len(), self.round.needed);
        let open = self.count(|state| !matches!(state, State::Done(_)));
        given + open < needed || (given >= needed && !self.round.more)
    }

    fn is_time_to_sign(&self) -> bool {
        self.count(|state| matches!(state, State::Waiting)) == 0 || Instant::now() >= self.sign_at
    }

    fn take(&mut self, at: usize, event: Event<'a, K>, judge: &impl Fn(&K, &[u8; 32]) -> Result<T, KgcError>) {
        self.states[at] = match (event, &self.states[at]) {
            (Event::Ready(center, challenge), _) => self.found(center, challenge),
            (Event::Answered(answer, Opener(secret, digest)), State::Asked(center)) => {
                let opened = answer.sealed.open_partial(&secret, &digest);
                match opened.and_then(|opened| judge(center, &opened)) {
                    Ok(one) => match self.answered(center.identity().id) {
                        Some(other) => State::Done(How::SameAs { place: other.place.clone() }),
                        None => {
                            self.given.push(one);
                            State::Done(How::Answered)
                        }
                    },
                    Err(error) => State::Done(How::of(error)),
                }
            }
            (Event::Failed(error), _) => State::Done(How::of(error)),
            (Event::Answered(..) | Event::Slow, _) => State::Done(How::Slow { after: self.begun.elapsed() }),
        };
        if self.is_decided() {
            self.end = self.end.min(Instant::now() + GRACE);
        }
    }

    /// A KGC that was reached, by its own account: whether it is one that is meant.
    fn found(&mut self, center: &'a K, challenge: B256) -> State<'a, K> {
        let id = center.identity().id;
        if self.round.only.is_some_and(|ids| !ids.contains(&id)) {
            return State::Done(How::NotOfThisImage);
        }
        if self.count(|state| matches!(state, State::Ready(..))) == 0 {
            self.sign_at = Instant::now() + GRACE;
        }
        State::Ready(center, challenge)
    }

    /// Where this KGC has given what fits. Who only says that it is this one is not believed: both
    /// are asked.
    fn answered(&self, id: B256) -> Option<&'a Member<K>> {
        let of = |(member, state): (&'a Member<K>, &State<'a, K>)| {
            (matches!(state, State::Done(How::Answered)) && member.id() == Some(id)).then_some(member)
        };
        self.round.members.iter().zip(&self.states).find_map(of)
    }

    /// Those that have given a challenge, each id once: others of the same id wait for the next
    /// signature.
    fn ready(&self) -> Vec<(usize, &'a K, B256)> {
        let mut ready: Vec<(usize, &'a K, B256)> = Vec::new();
        for (at, state) in self.states.iter().enumerate() {
            if let State::Ready(center, challenge) = state
                && ready.iter().all(|(_, other, _)| other.identity().id != center.identity().id)
            {
                ready.push((at, center, *challenge));
            }
        }
        ready
    }

    /// Signs once for those that have given a challenge, and sends to each its own request.
    async fn sign<R: KgcRequest + Clone>(
        &mut self,
        signer: &(impl Signer + Sync),
        send: impl Fn(&'a K, SignedRequest<R>) -> Sending<'a>,
    ) -> Result<(), KeyRequestError> {
        let Asking { home, image_id, now } = self.round.asking;
        let ready = self.ready();
        let mut challenges: Vec<(B256, B256)> =
            ready.iter().map(|(_, center, challenge)| (center.identity().id, *challenge)).collect();
        for id in self.round.whole {
            if challenges.iter().all(|(asked, _)| asked != id) {
                let mut nobody = B256::ZERO;
                getrandom::fill(nobody.as_mut()).expect("the operating system gives randomness");
                challenges.push((*id, nobody));
            }
        }
        let secret = X25519Secret::generate(&mut os_random());
        let (recipient, deadline) = (secret.public(), now + REQUEST_SECS);
        let ask = UnsignedRequest { image_id, challenges, recipient, issued_at: now, deadline };
        let requests = ask.sign::<R>(home, signer).await?;
        for (at, center, challenge) in ready {
            let own = requests.iter().find(|request| request.challenge == challenge);
            let request = own.expect("one for each challenge").clone();
            let (opener, end) = (Opener(secret.clone(), request.digest(home)), Instant::now() + EACH);
            let answer = timeout_at(end, send(center, request));
            let event = async move {
                match answer.await {
                    Err(_) => Event::Slow,
                    Ok(Ok(answer)) => Event::Answered(Box::new(answer), opener),
                    Ok(Err(Refusal { error, .. })) => Event::Failed(error),
                }
            };
            self.states[at] = State::Asked(center);
            self.events.push(Box::pin(async move { (at, event.await) }));
        }
        Ok(())
    }

    fn gathered(self) -> Gathered<T> {
        let after = self.begun.elapsed();
        let outcome = |(member, state): (&'a Member<K>, State<'a, K>)| KgcOutcome {
            id: member.id(),
            place: Some(member.place.clone()),
            how: if let State::Done(how) = state { how } else { How::Slow { after } },
        };
        let outcomes = self.round.members.iter().zip(self.states).map(outcome).collect();
        Gathered { given: self.given, outcomes }
    }
}

/// Reaches a member and asks it for a challenge.
fn reach<'a, K: KeyCenter>(at: usize, member: &'a Member<K>, end: Instant) -> BoxFuture<'a, (usize, Event<'a, K>)> {
    let reached = async move {
        let center = member.center().await?;
        Ok((center, center.challenge().await?))
    };
    Box::pin(async move {
        match timeout_at(end, reached).await {
            Err(_) => (at, Event::Slow),
            Ok(Ok((center, challenge))) => (at, Event::Ready(center, challenge)),
            Ok(Err(error)) => (at, Event::Failed(error)),
        }
    })
}
