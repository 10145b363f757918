//! Which block several nodes have, chosen from their headers. Pure: who asks them is elsewhere.

use crate::chain::head::Profile;
use alloy::primitives::B256;
use alloy::rpc::types::Header;
use std::collections::BTreeMap;

/// So many blocks below the highest possible one are looked at, where nodes are on different
/// branches.
const DEPTH: u64 = 8;
/// On a network no block is taken for safe that is nearer than this to the newest one: Geth before
/// 1.17.6 names head-32 after a restart, whatever the chain says.
const SAFE_DEPTH: u64 = 32;

/// What is wrong with a header by itself.
pub(super) fn fault_of(header: &Header) -> Option<String> {
    let (number, said, found) = (header.number, header.hash, header.inner.hash_slow());
    (said != found).then(|| format!("its block {number} hashes to {found}, it says {said}"))
}

/// The highest number that as many nodes have reached as are needed.
pub(super) fn reached(named: impl IntoIterator<Item = u64>, quorum: usize) -> Option<u64> {
    let mut named: Vec<u64> = named.into_iter().collect();
    named.sort_unstable_by(|a, b| b.cmp(a));
    named.get(quorum.checked_sub(1)?).copied()
}

/// The block up to which grants count, where enough nodes name one: with `head` the newest that
/// they agree on.
pub(super) fn safe(named: impl IntoIterator<Item = u64>, quorum: usize, head: u64, profile: Profile) -> Option<u64> {
    match profile {
        Profile::Development => Some(head),
        Profile::Network { .. } => {
            let deep = head.checked_sub(SAFE_DEPTH)?;
            reached(named, quorum).map(|safe| safe.min(deep)).filter(|safe| *safe > 0)
        }
    }
}

/// A block of one number that enough nodes have.
#[derive(Debug, Clone)]
pub(super) struct Vote {
    pub(super) header: Header,
    /// The nodes that have it.
    pub(super) by: Vec<usize>,
    /// The nodes that have another one under its number.
    pub(super) others: Vec<(usize, B256)>,
}

/// What nodes say of one number.
#[derive(Debug)]
pub(super) enum Counted {
    /// One block has enough of them.
    Block(Box<Vote>),
    /// None has.
    None,
    /// Two have: as many nodes as are needed contradict as many others.
    Split,
}

/// Counts the nodes behind each block of this number. A header that does not hash to its name, or
/// of another number, counts for nothing.
pub(super) fn count(number: u64, blocks: &[(usize, Header)], quorum: usize) -> Counted {
    let mut behind: BTreeMap<B256, Vec<usize>> = BTreeMap::new();
    let genuine = |header: &&(usize, Header)| header.1.number == number && fault_of(&header.1).is_none();
    for (node, header) in blocks.iter().filter(genuine) {
        behind.entry(header.hash).or_default().push(*node);
    }
    let mut enough = behind.iter().filter(|(_, nodes)| nodes.len() >= quorum);
    let Some((hash, by)) = enough.next() else { return Counted::None };
    if enough.next().is_some() {
        return Counted::Split;
    }
    let others = behind.iter().filter(|(other, _)| *other != hash);
    let others = others.flat_map(|(hash, nodes)| nodes.iter().map(|node| (*node, *hash))).collect();
    // One of those that were counted: another may only bear the same name.
    let header = blocks.iter().filter(genuine).find(|(_, header)| header.hash == *hash);
    match header {
        Some((_, header)) => Counted::Block(Box::new(Vote { header: header.clone(), by: by.clone(), others })),
        None => Counted::None,
    }
}

/// The search for the highest block that enough nodes have.
#[derive(Debug)]
pub(super) struct Search {
    quorum: usize,
    /// How many nodes there are, those that do not answer included.
    nodes: usize,
    heads: Vec<(usize, Header)>,
    number: u64,
    lowest: u64,
}

/// What a step of the search comes to.
#[derive(Debug)]
pub(super) enum Step {
    /// It was found.
    Found(Box<Vote>),
    /// It can only be a lower one.
    Lower(Search),
    /// There is none near.
    Nowhere,
}

impl Search {
    /// The search among nodes with these newest blocks; none where too few have answered.
    pub(super) fn new(heads: Vec<(usize, Header)>, nodes: usize, quorum: usize) -> Option<Self> {
        let heads: Vec<_> = heads.into_iter().filter(|(_, header)| fault_of(header).is_none()).collect();
        // No block above this one can have enough nodes behind it; block 0 proves nothing.
        let number = reached(heads.iter().map(|(_, header)| header.number), quorum).filter(|number| *number > 0)?;
        Some(Self { quorum, nodes, heads, number, lowest: number.saturating_sub(DEPTH).max(1) })
    }

    /// The number whose block is asked about.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    fn known(&self) -> Vec<(usize, Header)> {
        self.heads.iter().filter(|(_, header)| header.number == self.number).cloned().collect()
    }

    /// The nodes that are to be asked for their block of this number: those ahead, which may be on
    /// another branch, and those behind, which may have got it meanwhile. None where their newest
    /// blocks say enough and nobody else's word could change it.
    pub(super) fn to_ask(&self) -> Vec<usize> {
        let clear = 2 * self.quorum > self.nodes && matches!(self.count(&[]), Counted::Block(_));
        let unknown = self.heads.iter().filter(|(_, header)| header.number != self.number);
        if clear { Vec::new() } else { unknown.map(|(node, _)| *node).collect() }
    }

    fn count(&self, asked: &[(usize, Header)]) -> Counted {
        count(self.number, &[&self.known()[..], asked].concat(), self.quorum)
    }

    /// Goes on with what those nodes said.
    pub(super) fn take(self, asked: &[(usize, Header)]) -> Step {
        match self.count(asked) {
            Counted::Block(vote) => Step::Found(vote),
            Counted::None if self.number > self.lowest => Step::Lower(Self { number: self.number - 1, ..self }),
            Counted::None | Counted::Split => Step::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of each node; none of one that does not answer.
    type Chains = Vec<Vec<Header>>;

    /// Blocks 0 to `last`; from `fork` on those of a branch of this name.
    fn chain(last: u64, fork: u64, branch: u8) -> Vec<Header> {
        let mut parent = B256::ZERO;
        (0..=last)
            .map(|number| {
                let extra = if number >= fork { vec![branch] } else { vec![] };
                let inner = alloy::consensus::Header {
                    number,
                    parent_hash: parent,
                    extra_data: extra.into(),
                    ..Default::default()
                };
                let header = Header::new(inner);
                parent = header.hash;
                header
            })
            .collect()
    }

    fn main_chain(last: u64) -> Vec<Header> {
        chain(last, u64::MAX, 0)
    }

    /// Asks nodes with these chains, an empty one for a node that does not answer; the number and
    /// hash that are found, who has it, and how often somebody was asked.
    fn found(nodes: &[Vec<Header>], quorum: usize) -> Option<(u64, B256, Vec<usize>, usize)> {
        let heads = nodes.iter().enumerate().filter_map(|(node, chain)| Some((node, chain.last()?.clone())));
        let mut search = Search::new(heads.collect(), nodes.len(), quorum)?;
        let mut questions = 0;
        loop {
            let at = usize::try_from(search.number()).expect("small");
            let ask = search.to_ask();
            questions += ask.len();
            let said: Vec<_> = ask.into_iter().filter_map(|node| Some((node, nodes[node].get(at)?.clone()))).collect();
            match search.take(&said) {
                Step::Found(vote) => return Some((vote.header.number, vote.header.hash, vote.by, questions)),
                Step::Lower(next) => search = next,
                Step::Nowhere => return None,
            }
        }
    }

    #[test]
    fn the_highest_block_that_enough_nodes_have() {
        let main = main_chain(110);
        let at = |last: usize| main[..=last].to_vec();
        let other = |last, fork| chain(last, fork, 7);
        let third = |last, fork| chain(last, fork, 8);
        // Nodes, how many are needed, the block that is expected on the main chain.
        let cases: [(&str, Chains, usize, Option<u64>); 16] = [
            ("all have it", vec![at(105), at(105), at(105)], 2, Some(105)),
            ("one is ahead", vec![at(106), at(105), at(105)], 2, Some(105)),
            ("one is behind", vec![at(105), at(105), at(60)], 2, Some(105)),
            ("each has another height", vec![at(105), at(104), at(103)], 2, Some(104)),
            ("each has another height, all are needed", vec![at(105), at(104), at(103)], 3, Some(103)),
            ("one is dead", vec![at(105), vec![], at(104)], 2, Some(104)),
            ("two are dead", vec![at(105), vec![], vec![]], 2, None),
            ("one leaps ahead", vec![other(110, 90), at(105), at(105)], 2, Some(105)),
            ("one is on a branch of the same height", vec![other(105, 105), at(105), at(104)], 2, Some(104)),
            ("one is on a long branch", vec![at(105), at(103), other(105, 90)], 2, Some(103)),
            ("each is on a branch", vec![at(105), other(105, 104), third(104, 104)], 2, Some(103)),
            ("branches that part too deep", vec![at(105), other(105, 90), third(105, 90)], 2, None),
            ("two against two", vec![at(105), at(105), other(105, 105), other(105, 105)], 2, None),
            ("two ahead against two behind", vec![other(106, 105), other(106, 105), at(105), at(105)], 2, Some(106)),
            ("three of four", vec![at(105), at(105), at(105), other(106, 105)], 3, Some(105)),
            ("block 0 alone", vec![at(0), at(0), at(0)], 2, None),
        ];
        let mut checked = 0;
        for (what, nodes, quorum, expected) in cases {
            let found = found(&nodes, quorum);
            assert_eq!(found.as_ref().map(|found| found.0), expected, "{what}");
            if let Some((number, hash, by, _)) = found {
                let has = |node: &usize| nodes[*node].iter().any(|block| (block.number, block.hash) == (number, hash));
                assert!(by.len() >= quorum && by.iter().all(has), "{what}: {by:?}");
            }
            checked += 1;
        }
        assert_eq!(checked, 16);
    }

    /// Every placing of three nodes on two branches: what is found is what a look at all blocks
    /// finds.
    #[test]
    fn it_is_found_wherever_nodes_are() {
        let (main, branch) = (main_chain(12), chain(12, 9, 7));
        let mut nodes: Vec<Vec<Header>> = vec![vec![]];
        for last in 6..=12 {
            nodes.extend([main[..=last].to_vec(), branch[..=last].to_vec()]);
        }
        let mut checked = 0;
        for (a, b, c, quorum) in placings(nodes.len()) {
            let three = [nodes[a].clone(), nodes[b].clone(), nodes[c].clone()];
            let has = |number: usize, hash| {
                three.iter().filter(|chain| chain.get(number).is_some_and(|block| block.hash == hash)).count()
            };
            let expected = (1..=12).rev().find_map(|number: usize| {
                let hash = [&main, &branch].map(|chain| chain[number].hash);
                hash.into_iter().find(|hash| has(number, *hash) >= quorum).map(|hash| (number as u64, hash))
            });
            let answered = three.iter().filter(|chain| !chain.is_empty()).count();
            let expected = expected.filter(|_| answered >= quorum);
            assert_eq!(found(&three, quorum).map(|found| (found.0, found.1)), expected, "{a} {b} {c} {quorum}");
            checked += 1;
        }
        assert_eq!(checked, 15 * 15 * 15 * 2);
    }

    fn placings(count: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        (0..count * count * count * 2)
            .map(move |at| (at / 2 % count, at / 2 / count % count, at / 2 / count / count, 2 + at % 2))
    }

    #[test]
    fn nobody_is_asked_again_where_heads_say_enough() {
        let main = main_chain(105);
        assert_eq!(found(&[main.clone(), main.clone(), main[..=100].to_vec()], 2).expect("found").3, 0);
        // Two of four may be contradicted by the two others.
        assert_eq!(found(&[main.clone(), main.clone(), main.clone(), main[..=100].to_vec()], 2).expect("found").3, 1);
    }

    #[test]
    fn a_header_that_was_touched_counts_for_nothing() {
        let main = main_chain(105);
        let mut touched = main.clone();
        touched[105].inner.state_root = B256::repeat_byte(1);
        assert!(fault_of(&touched[105]).expect("touched").contains("hashes to"));
        // Under the name of the block that all have: its state root would be believed.
        assert_eq!(found(&[touched.clone(), main.clone(), main[..=104].to_vec()], 2).expect("found").0, 104);
        assert_eq!(found(&[touched.clone(), touched.clone(), main.clone()], 2), None);
        let Counted::Block(vote) = count(105, &[(0, touched[105].clone()), (1, main[105].clone())], 1) else {
            panic!("one has it")
        };
        assert_eq!((vote.by, vote.header.inner.state_root), (vec![1], main[105].inner.state_root));
        let of_another_number = count(104, &[(0, main[105].clone()), (1, main[105].clone())], 2);
        assert!(matches!(of_another_number, Counted::None));
    }

    #[test]
    fn what_is_safe_enough_nodes_must_say_and_it_is_deep() {
        let network = Profile::Network { block_time_secs: 12 };
        let safe = |named: &[u64], quorum, head| safe(named.iter().copied(), quorum, head, network);
        // Named, needed, newest block, expected.
        let cases: [(&[u64], usize, u64, Option<u64>); 9] = [
            (&[900, 900, 900], 2, 1000, Some(900)),
            (&[968, 900, 900], 2, 1000, Some(900)),
            (&[968, 968, 900], 2, 1000, Some(968)),
            (&[999, 999, 999], 2, 1000, Some(968)),
            (&[1, 900, 901], 2, 1000, Some(900)),
            (&[900], 2, 1000, None),
            (&[], 2, 1000, None),
            (&[20, 20], 2, 31, None),
            (&[0, 0], 2, 1000, None),
        ];
        for (named, quorum, head, expected) in cases {
            assert_eq!(safe(named, quorum, head), expected, "{named:?}");
        }
        assert_eq!(super::safe([], 2, 7, Profile::Development), Some(7));
    }
}
