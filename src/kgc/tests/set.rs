//! Several key centers that hold an image's key together, some of them dead, slow or bad.

use std::time::Instant;

use super::*;
use crate::envelope::capsules::{Stanza, seal_shares};

/// What a key center does.
#[derive(Clone)]
enum Habit {
    Honest,
    /// Nobody answers.
    Dead,
    /// Each answer takes so long.
    Slow(Duration),
    /// It gives this instead of its share.
    Gives([u8; 32]),
    /// It answers with what another one gave.
    Rubbish,
}

struct Odd(Arc<Center>, Habit);

impl Odd {
    async fn habit(&self) -> Result<(), KgcError> {
        match self.1 {
            Habit::Dead => Err(KgcError::NoAnswer { url: "http://nobody".to_owned(), reason: "refused".to_owned() }),
            Habit::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn change<R: KgcRequest>(&self, answer: Answer, request: &SignedRequest<R>) -> Answer {
        let recipient = X25519Public::from_bytes(request.request.terms().recipient_public_key.0).expect("a key");
        let sealed = match self.1 {
            Habit::Gives(other) => {
                SealedAnswer(seal_secret(&other, &recipient, request.digest(&HOME).as_slice(), &mut os_random()))
            }
            Habit::Rubbish => SealedAnswer([7; 80]),
            _ => answer.sealed,
        };
        Answer { sealed, ..answer }
    }
}

impl KeyCenter for Odd {
    fn identity(&self) -> KgcIdentity {
        self.0.identity()
    }

    async fn challenge(&self) -> Result<B256, KgcError> {
        self.habit().await?;
        self.0.challenge().await
    }

    async fn issue(&self, request: &SignedRequest<IssueRequest>) -> Result<Answer, Refusal> {
        Ok(self.change(self.0.issue(request).await?, request))
    }

    async fn release(
        &self,
        request: &SignedRequest<KeyRequest>,
        header: &[u8],
        capsules: &[u8],
    ) -> Result<Answer, Refusal> {
        Ok(self.change(self.0.release(request, header, capsules).await?, request))
    }
}

/// Three key centers on one chain, and an image that two of them open.
struct Three {
    scene: Scene,
    centers: Vec<Arc<Center>>,
    image: Sealed,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Three {
    fn new() -> Self {
        let scene = Scene::new();
        let mut centers: Vec<Arc<Center>> = (0..3)
            .map(|number| {
                let log = ReleaseLog::open(&scene.folder.path().join(format!("log-{number}"))).expect("a log");
                let keys = KgcKeys::generate(&mut os_random());
                Arc::new(LocalKeyCenter::new(keys, HOME, scene.chain.clone(), scene.clock.clone(), log))
            })
            .collect();
        centers.sort_by_key(|center| center.identity().id);
        let image = Self::shared(&scene, &centers, 9);
        scene.register(&image, scene.sender.address());
        scene.grant(image.context.image_id, scene.reader.address(), NOW + 1000);
        Self { scene, centers, image, notes: Arc::default() }
    }

    fn shared(scene: &Scene, centers: &[Arc<Center>], salt: u8) -> Sealed {
        let whole = sealed(HOME, scene.sender.address(), salt, &centers[0].identity());
        let kgcs: Vec<_> = centers
            .iter()
            .map(|center| center.identity())
            .map(|KgcIdentity { id, epoch, public, .. }| (id, epoch, public))
            .collect();
        let (key, commitment) = (ImageKey::from_bytes(CANARY), whole.commitment);
        let capsules = seal_shares(&key, 2, &kgcs, &whole.context, &commitment, &mut os_random()).expect("2 of 3");
        Sealed { capsules: capsules.encode(), ..whole }
    }

    fn set(&self, habits: [Habit; 3]) -> KeyCenters<Odd> {
        let members = self.centers.iter().zip(habits).enumerate();
        let members = members
            .map(|(number, (center, habit))| Member::here(&format!("place-{number}"), Odd(center.clone(), habit)));
        self.of(members.collect(), Some(2))
    }

    fn of(&self, members: Vec<Member<Odd>>, threshold: Option<u8>) -> KeyCenters<Odd> {
        let notes = self.notes.clone();
        let tell = move |note: &SetNote<'_>| notes.lock().expect("no panic").push(note.to_string());
        KeyCenters::several(members, threshold, tell).expect("a threshold of three")
    }

    fn asking(&self) -> Asking<'static> {
        Asking { home: &HOME, image_id: self.image.context.image_id, now: NOW }
    }

    async fn open(&self, set: &KeyCenters<Odd>) -> Result<[u8; 32], KgcSetError> {
        let (header, _) = PublicHeader::decode(&self.image.header).expect("a header");
        let key = set.release(self.asking(), &self.scene.reader, &header, &self.image.capsules).await;
        key.map(|key| *key.as_bytes())
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().expect("no panic"))
    }
}

use Habit::{Dead, Gives, Honest, Rubbish, Slow};

/// Longer than anybody should wait who has enough.
const LONG: Duration = Duration::from_secs(6);

#[tokio::test]
async fn one_bad_key_center_of_three_does_no_harm_and_is_named() {
    let three = Three::new();
    assert_eq!(three.open(&three.set([Honest, Honest, Honest])).await.expect("all"), CANARY);
    assert_eq!(three.notes(), [""; 0]);
    for (bad, words) in [
        (Dead, "unreachable (the key center at http://nobody does not answer: refused)"),
        (Slow(LONG), "slow (no answer within"),
        (Gives([9; 32]), "wrong (what the key center gave is not what the image's sender committed to"),
        (Rubbish, "wrong (the key center's answer does not open"),
    ] {
        for place in 0..3 {
            let mut habits = [Honest, Honest, Honest];
            habits[place] = bad.clone();
            let begun = Instant::now();
            assert_eq!(three.open(&three.set(habits)).await.expect("two of three"), CANARY, "{words}");
            assert!(begun.elapsed() < LONG, "{words}: {:?}", begun.elapsed());
            let (notes, id) = (three.notes(), three.centers[place].identity().id);
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].starts_with(&format!("note: key center {id} at place-{place}: {words}")), "{notes:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_key_center_is_waited_for_where_another_lies() {
    let three = Three::new();
    let set = three.set([Gives([9; 32]), Slow(Duration::from_millis(1500)), Honest]);
    assert_eq!(three.open(&set).await.expect("the slow one answers in time"), CANARY);
    let notes = three.notes();
    assert!(notes.len() == 1 && notes[0].contains("place-0: wrong"), "{notes:?}");
}

#[tokio::test]
async fn too_few_is_an_error_that_names_each() {
    let three = Three::new();
    let begun = Instant::now();
    let error = three.open(&three.set([Dead, Honest, Gives([9; 32])])).await.expect_err("one of two");
    assert!(begun.elapsed() < LONG, "nobody is waited for who cannot help");
    let KgcSetError::TooFew { needed, number, answered, members } = &error else { panic!("{error}") };
    assert_eq!((*needed, *number, *answered), (2, 3, 1));
    assert_eq!(members.each_how(), ["unreachable", "answered", "wrong"]);
    let text = error.to_string();
    assert!(text.contains("it takes 2 of 3 key centers, and 1 answered"), "{text}");
    for (center, how) in three.centers.iter().zip(["unreachable (", "answered", "wrong ("]) {
        assert!(text.contains(&center.identity().id.to_string()) && text.contains(how), "{text}");
    }

    // A wallet without access is refused by each, each for its own reason.
    let (header, _) = PublicHeader::decode(&three.image.header).expect("a header");
    let set = three.set([Honest, Honest, Honest]);
    let refused = set.release(three.asking(), &three.scene.stranger, &header, &three.image.capsules).await;
    let Err(KgcSetError::TooFew { members, .. }) = refused else { panic!("a stranger opened it") };
    assert!(members.iter().all(|member| member.to_string().contains("refused (not-authorised: ")), "{members:?}");
    assert!(members.len() >= 2);
}

trait EachHow {
    fn each_how(&self) -> Vec<&'static str>;
}

impl EachHow for Vec<KgcOutcome> {
    fn each_how(&self) -> Vec<&'static str> {
        self.iter().map(|outcome| outcome.how.name()).collect()
    }
}

#[tokio::test]
async fn one_that_never_answers_is_given_up() {
    let three = Three::new();
    let begun = Instant::now();
    let never = Duration::from_secs(3600);
    let error = three.open(&three.set([Dead, Honest, Slow(never)])).await.expect_err("one of two");
    let KgcSetError::TooFew { members, .. } = &error else { panic!("{error}") };
    assert_eq!(members.each_how(), ["unreachable", "answered", "slow"]);
    assert!((7..12).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn places_that_lead_elsewhere_and_parts_without_a_place_are_named() {
    let three = Three::new();
    let honest = |number: usize| Odd(three.centers[number].clone(), Honest);
    let other = Odd(three.scene.center.clone(), Honest);
    // One place leads to the key center of another, one to a key center that has no share.
    let members = vec![Member::here("a", honest(1)), Member::here("b", honest(1)), Member::here("c", other)];
    let error = three.open(&three.of(members, None)).await.expect_err("one share");
    let KgcSetError::TooFew { members, .. } = &error else { panic!("{error}") };
    let how: Vec<_> = members.each_how();
    assert!(how.contains(&"not of this image") && how.contains(&"the same as another"), "{error}");
    assert_eq!(how.iter().filter(|how| **how == "no address").count(), 2, "{error}");
    // One that says it is another keeps nobody from the one that is.
    let liar = Odd(three.centers[1].clone(), Rubbish);
    let members = vec![Member::here("a", liar), Member::here("b", honest(1)), Member::here("c", honest(2))];
    assert_eq!(three.open(&three.of(members, None)).await.expect("two of three"), CANARY);
    let notes = three.notes();
    assert!(notes.len() == 1 && notes[0].contains("at a: wrong ("), "{notes:?}");
    // It is found however late it is reached.
    let center = three.centers[0].clone();
    let members = vec![
        Member::at("late", move || {
            let center = center.clone();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(Odd(center, Honest))
            })
        }),
        Member::here("b", honest(2)),
    ];
    assert_eq!(three.open(&three.of(members, None)).await.expect("two of three"), CANARY);
}

#[tokio::test]
async fn partials_come_from_all_that_answer() {
    let three = Three::new();
    let issue = async |habits| {
        let set = three.set(habits);
        set.issue(three.asking(), &three.scene.sender)
            .await
            .map(|given| given.into_iter().map(|given| (given.identity.id, *given.partial)).collect::<Vec<_>>())
    };
    let all = issue([Honest, Honest, Honest]).await.expect("three");
    assert_eq!(three.notes(), [""; 0]);
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted() && all[0].1 != all[1].1);
    // The same partials, whoever else answers.
    assert_eq!(issue([Honest, Dead, Honest]).await.expect("two"), [all[0], all[2]]);
    let notes = three.notes();
    assert!(notes[0].contains("place-1: unreachable"), "{notes:?}");
    assert_eq!(notes[1], "note: sealed to 2 of the 3 key centers, of which it takes 2 to open");
    assert!(notes[2].starts_with("warning: sealed to 2 key centers and it takes all of them"), "{notes:?}");
    let refused = issue([Dead, Dead, Honest]).await;
    assert!(matches!(refused, Err(KgcSetError::TooFew { needed: 2, number: 3, answered: 1, .. })), "{refused:?}");
    assert!(matches!(three.of(Vec::new(), None).threshold(), Ok(1)));
    let two = || {
        vec![
            Member::here("a", Odd(three.centers[0].clone(), Honest)),
            Member::here("b", Odd(three.centers[1].clone(), Honest)),
        ]
    };
    assert!(matches!(three.of(two(), None).threshold(), Err(KgcSetError::NoThreshold { number: 2 })));
    for threshold in [0, 3] {
        let set = KeyCenters::several(two(), Some(threshold), |_| {});
        assert!(matches!(set.err(), Some(KgcSetError::Threshold { number: 2, .. })));
    }
}

#[tokio::test]
async fn no_key_center_can_spend_anothers_challenge() {
    let three = Three::new();
    let secret = X25519Secret::generate(&mut os_random());
    let mut challenges = Vec::new();
    for center in &three.centers {
        challenges.push((center.identity().id, center.challenge().await.expect("a challenge")));
    }
    let image_id = three.image.context.image_id;
    let ask = UnsignedRequest { image_id, challenges, recipient: secret.public(), issued_at: NOW, deadline: NOW + 300 };
    let requests = ask.sign::<KeyRequest>(&HOME, &three.scene.reader).await.expect("signed");
    let Sealed { header, capsules, .. } = &three.image;
    // The first brings what it was sent to the second, with each challenge that it can think of.
    let mut brought = requests[0].clone();
    for challenge in [brought.challenge, brought.challenge_hashes[1], three.centers[1].challenge().await.expect("one")]
    {
        brought.challenge = challenge;
        let refused = three.centers[1].release(&brought, header, capsules).await.map_err(|refusal| refusal.error);
        assert!(matches!(refused, Err(KgcError::Request(KeyRequestError::Challenge { .. }))), "{refused:?}");
    }
    for (center, request) in three.centers.iter().zip(&requests) {
        assert!(center.release(request, header, capsules).await.is_ok(), "the reader is served");
    }
}

#[tokio::test]
async fn a_share_that_the_sender_did_not_commit_to_is_refused_with_a_receipt() {
    let three = Three::new();
    let other = Three::shared(&three.scene, &three.centers, 9);
    // The shares of one polynomial under the commitments to another's: what the sender did.
    let (own, other) = (Capsules::decode(&three.image.capsules), Capsules::decode(&other.capsules));
    let (own, other) = (own.expect("capsules"), other.expect("capsules"));
    let stanzas: Vec<Stanza> = other.stanzas().to_vec();
    let mixed = Capsules::shared(stanzas, own.shares().expect("shared").clone()).expect("it parses").encode();
    let image = Sealed { capsules: mixed, ..Three::shared(&three.scene, &three.centers, 9) };
    let three = Three { image, ..three };
    three.scene.register(&three.image, three.scene.sender.address());
    let error = three.open(&three.set([Honest, Honest, Honest])).await.expect_err("no share fits");
    let KgcSetError::TooFew { members, .. } = &error else { panic!("{error}") };
    assert!(members.iter().all(|member| member.to_string().contains("refused (share-mismatch: ")), "{error}");
    let log = std::fs::read_to_string(three.scene.folder.path().join("log-0")).expect("a log");
    assert!(log.contains("share-mismatch"), "{log}");
}

#[tokio::test]
async fn where_each_has_the_whole_key_the_first_that_answers_will_do() {
    let three = Three::new();
    let whole = sealed(HOME, three.scene.sender.address(), 9, &three.centers[0].identity());
    let (key, commitment) = (ImageKey::from_bytes(CANARY), whole.commitment);
    let stanza = |center: &Arc<Center>| {
        let KgcIdentity { id, epoch, public, .. } = center.identity();
        seal_capsule(&key, &Recipient::Kgc { id, epoch, public }, &whole.context, &commitment, &mut os_random())
    };
    let stanzas = three.centers.iter().map(stanza).collect::<Result<_, _>>().expect("three");
    let image = Sealed { capsules: Capsules::new(stanzas).expect("three").encode(), ..whole };
    let three = Three { image, ..three };
    three.scene.register(&three.image, three.scene.sender.address());
    assert_eq!(three.open(&three.set([Dead, Gives([9; 32]), Honest])).await.expect("the third"), CANARY);
    assert_eq!(three.notes().len(), 2);
    let error = three.open(&three.set([Dead, Gives([9; 32]), Dead])).await.expect_err("nobody");
    assert!(matches!(error, KgcSetError::TooFew { needed: 1, number: 3, answered: 0, .. }), "{error}");
}
