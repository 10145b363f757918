use super::*;
use crate::contract::bindings::IImageRegistry::{Batch, Grant, Item, grantForCall, registerBatchCall};
use crate::contract::typed_data::{self, tests::stated_types};
use alloy::sol_types::SolCall;

const REGISTRY: Address = Address::repeat_byte(0x11);

fn grant() -> Grant {
    let (wallet, by) = (Address::repeat_byte(2), Address::repeat_byte(3));
    Grant { imageId: B256::repeat_byte(1), wallet, expiry: 7, accessSeq: 1, by, operatorSeq: 0, deadline: 9 }
}

fn of(call: &impl SolCall) -> (Request, Bytes) {
    Request::of_call(&Call::decode(&call.abi_encode()).expect("ours")).expect("it takes a signature")
}

fn batch() -> Batch {
    let item = |byte| Item { salt: B256::repeat_byte(byte), size: 5, ..Default::default() };
    Batch { sender: Address::repeat_byte(4), items: vec![item(1), item(2)], deadline: 9 }
}

#[test]
fn every_signed_struct_is_known_with_its_signer_and_deadline() {
    let mut strings: Vec<String> = calls::functions()
        .filter(|function| is_signed(function))
        .map(|function| encode_type(&function.inputs[0]))
        .collect();
    strings.sort();
    // The manual also states Item, which is signed as part of its Batch.
    let mut stated = stated_types();
    stated.retain(|string| !string.starts_with("Item("));
    assert_eq!(strings, stated);
    for function in calls::functions().filter(|function| is_signed(function)) {
        let names: Vec<&str> = function.inputs[0].components.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names.iter().filter(|name| SIGNERS.contains(name)).count(), 1, "{names:?}");
        assert!(names.contains(&"deadline"), "{names:?}");
    }
}

#[test]
fn digests_are_those_of_the_bindings() {
    let domain = signing_domain(5, REGISTRY);
    let (request, _) = of(&grantForCall { grant: grant(), signature: Bytes::new() });
    assert_eq!(request.digest(&domain), typed_data::digest(&grant(), &domain));
    assert_eq!((request.signer(), request.deadline(), request.nonce()), (grant().by, 9, None));
    let (request, _) = of(&registerBatchCall { batch: batch(), signature: Bytes::new() });
    assert_eq!(request.digest(&domain), typed_data::digest(&batch(), &domain));
}

#[test]
fn a_request_comes_back_from_its_typed_data_and_goes_into_the_same_call() {
    let domain = signing_domain(5, REGISTRY);
    let signature = Bytes::from_static(b"signed");
    for data in [
        grantForCall { grant: grant(), signature: signature.clone() }.abi_encode(),
        registerBatchCall { batch: batch(), signature: signature.clone() }.abi_encode(),
    ] {
        let (request, found) = Request::of_call(&Call::decode(&data).expect("ours")).expect("signed");
        assert_eq!(found, signature);
        let (again, with) = Request::of_typed_data(&request.typed_data(&domain)).expect("typed data");
        assert_eq!(with, domain);
        assert!(again.is_same_but_for_times(&request));
        assert_eq!(again.call(&signature).encode(), data);
    }
}

#[test]
fn typed_data_of_another_form_is_refused() {
    let (request, _) = of(&grantForCall { grant: grant(), signature: Bytes::new() });
    let good = request.typed_data(&signing_domain(5, REGISTRY));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        assert_ne!(value, good);
        Request::of_typed_data(&value).expect_err("changed")
    };
    let other = changed(&|value| value["types"]["Grant"][3]["name"] = "seq".into());
    assert!(matches!(other, RequestError::Malformed { .. } | RequestError::OtherType { .. }), "{other}");
    let renamed = changed(&|value| {
        value["types"]["Permit"] = value["types"]["Grant"].clone();
        value["primaryType"] = "Permit".into();
    });
    assert!(
        matches!(renamed, RequestError::OtherType { ref primary_type, .. } if primary_type == "Permit"),
        "{renamed}"
    );
    for name in ["message", "primaryType", "types"] {
        let gone = changed(&|value| drop(value.as_object_mut().and_then(|object| object.remove(name))));
        assert!(matches!(gone, RequestError::Malformed { .. }), "{name}: {gone}");
    }
    let long = changed(&|value| value["message"]["expiry"] = "18446744073709551616".into());
    assert!(matches!(long, RequestError::Malformed { .. }), "{long}");
}

#[test]
fn a_chain_id_may_be_written_as_wallets_do() {
    let (request, _) = of(&grantForCall { grant: grant(), signature: Bytes::new() });
    let domain = signing_domain(31337, REGISTRY);
    for chain_id in [json!(31337), json!("31337"), json!("0x7a69")] {
        let mut typed = request.typed_data(&domain);
        typed["domain"]["chainId"] = chain_id;
        assert_eq!(Request::of_typed_data(&typed).expect("typed data").1, domain, "{typed}");
    }
}

#[test]
fn a_domain_is_this_registrys_in_every_part() {
    let good = signing_domain(5, REGISTRY);
    check_domain(&good, 5, REGISTRY).expect("ours");
    let salted = Eip712Domain { salt: Some(B256::ZERO), ..good.clone() };
    let renamed = Eip712Domain { name: Some("Medseal".into()), ..good.clone() };
    let bare = Eip712Domain { version: None, ..good };
    for (domain, what) in [
        (signing_domain(6, REGISTRY), "chain id"),
        (signing_domain(5, Address::ZERO), "contract"),
        (salted, "salt"),
        (renamed, "name"),
        (bare, "version"),
    ] {
        let refused = check_domain(&domain, 5, REGISTRY).expect_err("another");
        assert!(matches!(refused, RequestError::OtherDomain { what: found, .. } if found == what), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::WrongChain);
    }
}

#[test]
fn what_was_printed_is_the_same_act_at_another_time() {
    let of_grant = |grant| of(&grantForCall { grant, signature: Bytes::new() }).0;
    let printed = of_grant(grant());
    assert!(printed.is_same_but_for_times(&of_grant(Grant { deadline: 10, expiry: 8, ..grant() })));
    assert!(!printed.is_same_but_for_times(&of_grant(Grant { accessSeq: 2, ..grant() })));
    assert!(!printed.is_same_but_for_times(&of_grant(Grant { wallet: REGISTRY, ..grant() })));
}

#[test]
fn an_overtaken_request_says_which_number_came_first() {
    let text = |what, named, current| {
        RequestError::Overtaken { what, named: U256::from(named), current: U256::from(current) }.to_string()
    };
    let expected = "the request comes too late: it is for access change 3, and the registry is at access change 5 now";
    assert_eq!(text("access change", 3, 5), expected);
    assert_eq!(text("flag", 2, 2), "the request comes too late: flag 2 was decided otherwise");
}
