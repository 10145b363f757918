//! What `safe` and `finalized` are on `geth --dev`: the newest block, and the last whose number 32
//! divides.

use super::{Geth, wallet};
use medseal::chain::outbox::State;
use medseal::chain::{Outbox, OutboxError, Profile, Wait, deploy};
use medseal::contract::ConstructorArguments;
use std::time::Duration;

const NETWORK: Profile = Profile::Network { block_time_secs: 1 };

#[test]
fn a_transaction_becomes_final_when_geth_says_so() {
    let Some(geth) = Geth::start() else { return };
    let (rpc, admin) = (&geth.rpc, wallet(0));
    geth.runtime.block_on(async {
        let outbox = Outbox::open(geth.folder.path(), admin.address(), rpc, NETWORK).await.unwrap();
        let mut outbox = outbox.waiting_for(Wait::Safe);
        let arguments = ConstructorArguments { admin: admin.address(), roles: vec![] };
        let deployment =
            deploy(rpc, &mut outbox, &admin, arguments.clone()).await.expect("safe at once").mined().expect("sent");
        let job = outbox.resume(rpc, &admin).await.unwrap();
        assert!(job.is_empty(), "{job:?}");

        let outbox = outbox.waiting_for(Wait::Finalized).with_final_deadline(Duration::from_millis(50));
        let mut outbox = outbox;
        match deploy(rpc, &mut outbox, &admin, arguments.clone()).await {
            // Unless its block was the very last before one that is final.
            Ok(_) => {}
            Err(medseal::chain::DeploymentError::Outbox(OutboxError::NotFinal { block, wanted, reached, .. })) => {
                assert_eq!((block, wanted), (deployment.block, Wait::Finalized));
                assert!(reached < block, "{reached} of {block}");
            }
            Err(other) => panic!("{other}"),
        }
        let mut outbox = outbox.with_final_deadline(Duration::from_secs(120));
        let again = deploy(rpc, &mut outbox, &admin, arguments).await.expect("final").mined().expect("sent");
        assert_eq!(again, deployment);
        let settled = rpc.settled(alloy::eips::BlockNumberOrTag::Finalized).await.unwrap().expect("a final block");
        assert!(settled.number >= deployment.block && settled.number % 32 == 0, "{}", settled.number);
        let name = format!("deploy:{}", alloy::primitives::keccak256(init_code(&deployment.arguments)));
        assert_eq!(outbox.job(&name).unwrap().expect("known").state, State::Final);
    });
}

fn init_code(arguments: &ConstructorArguments) -> Vec<u8> {
    medseal::contract::Artifact::embedded().expect("the build").init_code(arguments).to_vec()
}
