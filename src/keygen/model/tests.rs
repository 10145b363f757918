use super::*;

/// A field that holds a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field that holds bytes: a string, or a message of these fields.
fn bytes(field: u64, parts: &[&[u8]]) -> Vec<u8> {
    let bytes = parts.concat();
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

fn tensor(name: &str, shape: &[u64], kind: u64, values: &[u8], more: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|size| number(1, *size)).collect();
    bytes(5, &[&shape, &number(2, kind), &bytes(8, &[name.as_bytes()]), &bytes(9, &[values]), more])
}

fn floats(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| (i as f32 / 7.0).sin().to_le_bytes()).collect()
}

fn integers(sizes: &[i64]) -> Vec<u8> {
    sizes.iter().flat_map(|size| size.to_le_bytes()).collect()
}

fn node(operation: &str, inputs: &[&str], output: &str, more: &[u8]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| bytes(1, &[input.as_bytes()])).collect();
    bytes(
        1,
        &[
            &inputs,
            &bytes(2, &[output.as_bytes()]),
            &bytes(3, &[b"node ", output.as_bytes()]),
            &bytes(4, &[operation.as_bytes()]),
            more,
        ],
    )
}

fn interface(field: u64, name: &str, kind: u64, shape: &[Option<u64>]) -> Vec<u8> {
    let axis = |size: &Option<u64>| bytes(1, &[&size.map_or_else(|| bytes(2, &[b"N"]), |size| number(1, size))]);
    let shape: Vec<u8> = shape.iter().flat_map(axis).collect();
    bytes(field, &[&bytes(1, &[name.as_bytes()]), &bytes(2, &[&bytes(1, &[&number(1, kind), &bytes(2, &[&shape])])])])
}

/// A model of one layer, in parts that a test may exchange.
struct Parts {
    weights: Vec<Vec<u8>>,
    nodes: Vec<Vec<u8>>,
    input: Vec<u8>,
    output: Vec<u8>,
    opset: Vec<u8>,
}

impl Parts {
    fn new() -> Self {
        Self {
            weights: vec![
                tensor("flat", &[2], 7, &integers(&[-1, 8192]), &[]),
                tensor("weight", &[8192, 8], 1, &floats(8192 * 8), &[]),
            ],
            nodes: vec![
                node("Reshape", &["tokens", "flat"], "line", &[]),
                node("MatMul", &["line", "weight"], "logits", &[]),
            ],
            input: interface(11, "tokens", 1, &[None, Some(64), Some(128)]),
            output: interface(12, "logits", 1, &[None, Some(8)]),
            opset: number(2, 17),
        }
    }

    fn file(&self) -> Vec<u8> {
        let graph = [self.nodes.concat(), self.weights.concat(), self.input.clone(), self.output.clone()].concat();
        [number(1, 8), bytes(7, &[&graph]), bytes(8, &[&self.opset])].concat()
    }
}

/// Reads a file that the operator listed.
fn listed(file: Vec<u8>) -> Result<Model, ModelError> {
    let digest = B256::from_slice(&Sha256::digest(&file));
    Model::from_bytes(file, &[B256::ZERO, digest])
}

/// The refusal of the model after a change.
#[track_caller]
fn refused(change: impl FnOnce(&mut Parts)) -> ModelError {
    let mut parts = Parts::new();
    change(&mut parts);
    listed(parts.file()).expect_err("it must be refused")
}

#[test]
fn file_card_and_digest_agree() {
    let model = Model::embedded().expect("the embedded model");
    assert_eq!((model.digest(), model.logits()), (MODEL_DIGEST, LOGITS));
    let card = include_str!("../../../onnx/README.md");
    assert!(card.contains(&format!("{MODEL_DIGEST:x}")), "onnx/README.md names another model");
}

#[test]
fn another_model_needs_to_be_listed() {
    let file = Parts::new().file();
    let digest = B256::from_slice(&Sha256::digest(&file));
    let refused = |file: &[u8], listed: &[B256]| Model::from_bytes(file.to_vec(), listed).expect_err("not listed");
    assert_eq!(refused(&file, &[]), ModelError::NotListed { found: digest, listed: 0 });
    assert_eq!(refused(&file, &[MODEL_DIGEST, B256::ZERO]), ModelError::NotListed { found: digest, listed: 2 });
    let model = Model::from_bytes(file.clone(), &[digest]).expect("listed");
    assert_eq!((model.digest(), model.logits()), (digest, 8));
    // Cut, changed, swapped: another digest.
    let mut changed = file.clone();
    changed[1000] ^= 1;
    for other in [&file[1..], &file[..file.len() - 1], &changed, b"", b"PK\x03\x04"] {
        assert!(matches!(refused(other, &[digest]), ModelError::NotListed { listed: 1, .. }));
    }
    assert!(Model::from_bytes(EMBEDDED.to_vec(), &[]).is_ok(), "the embedded one never has to be");
}

#[test]
fn a_listed_model_runs() {
    let model = listed(Parts::new().file()).expect("a model");
    let mut vit = crate::keygen::Vit::load(&model, None).expect("it loads");
    assert_eq!(vit.model_digest(), model.digest());
    let folds = [b"a", b"b"].map(|bytes| crate::keygen::fold_bytes(bytes));
    let touts = vit.touts(&folds).expect("it runs");
    assert_eq!(touts.iter().map(|tout| tout.as_bytes().len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn weights_that_blow_up_are_found_when_the_model_is_loaded() {
    let mut parts = Parts::new();
    parts.weights[1] = tensor("weight", &[8192, 8], 1, &f32::MAX.to_le_bytes().repeat(8192 * 8), &[]);
    let model = listed(parts.file()).expect("each weight is finite");
    let loaded = crate::keygen::Vit::load(&model, None);
    assert!(matches!(loaded, Err(crate::keygen::KeygenError::NotFinite { index: 0 })), "{loaded:?}");
}

#[test]
fn a_file_that_is_too_large_is_not_even_hashed() {
    let found = Model::from_bytes(vec![0; MAX_BYTES + 1], &[]).expect_err("too large");
    assert_eq!(found, ModelError::TooLarge { found: MAX_BYTES + 1, limit: MAX_BYTES });
    assert!(matches!(Model::from_bytes(vec![0; MAX_BYTES], &[]), Err(ModelError::NotListed { .. })));
}

#[test]
fn damaged_files_are_no_onnx() {
    for file in [&b""[..], b"\x08", b"not a model", b"\x89PNG\r\n\x1a\n"] {
        let found = listed(file.to_vec()).expect_err("no model");
        assert!(matches!(found, ModelError::NotOnnx { .. } | ModelError::Unsupported { .. }), "{found}");
    }
    let file = Parts::new().file();
    for cut in (0..file.len()).step_by(997).chain([file.len() - 1]) {
        let found = listed(file[..cut].to_vec()).expect_err("cut");
        assert!(matches!(found, ModelError::NotOnnx { .. }), "{cut} bytes: {found}");
    }
    let twice = [file.clone(), file].concat();
    assert_eq!(listed(twice).expect_err("two graphs"), ModelError::NotOnnx { what: "it has two graphs" });
}

#[test]
fn any_changed_byte_is_refused_or_a_model() {
    // What stands around the weights: every byte with every bit changed; it must never panic.
    let file = Parts::new().file();
    let (start, end) = (file.len() - 200, file.len());
    let mut models = 0;
    for at in (0..200).chain(start..end) {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            models += usize::from(listed(changed).is_ok());
        }
    }
    assert!(models > 0 && models < 3200, "{models} of 3200"); // the values of weights may change, and notes
}

#[test]
fn values_outside_of_the_file_are_refused() {
    let location = bytes(13, &[&bytes(1, &[b"location"]), &bytes(2, &[b"../../etc/passwd"])]);
    for more in [location.clone(), number(14, 1), [location, number(14, 1)].concat()] {
        let found = refused(|parts| parts.weights[1] = tensor("weight", &[8192, 8], 1, &[], &more));
        assert_eq!(found, ModelError::ExternalData { tensor: "\"weight\"".to_owned() });
    }
}

#[test]
fn huge_tensors_are_refused_by_their_shapes() {
    let size = |found| matches!(found, ModelError::TensorSize { limit: 1_048_576, .. });
    for shape in [&[1 << 40, 8][..], &[u64::MAX, u64::MAX], &[1 << 20, 2], &[0, 8]] {
        assert!(size(refused(|parts| parts.weights[1] = tensor("weight", shape, 1, &floats(8), &[]))), "{shape:?}");
    }
    // Small weights whose sum is huge: what an engine would compute while it loads.
    let found = refused(|parts| {
        parts.weights.push(tensor("row", &[1, 2048], 1, &floats(2048), &[]));
        parts.weights.push(tensor("column", &[2048, 1], 1, &floats(2048), &[]));
        parts.nodes.insert(0, node("Add", &["row", "column"], "huge", &[]));
    });
    assert!(matches!(found, ModelError::TensorSize { ref shape, .. } if shape[..] == [2048, 2048]), "{found}");
}

#[test]
fn weights_with_more_or_fewer_values_than_their_shape_are_refused() {
    for count in [8192 * 8 - 1, 8192 * 8 + 1, 0] {
        let found = refused(|parts| parts.weights[1] = tensor("weight", &[8192, 8], 1, &floats(count), &[]));
        let expected =
            ModelError::WeightBytes { tensor: "\"weight\"".to_owned(), expected: 262_144, found: 4 * count as u64 };
        assert_eq!(found, expected);
    }
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = floats(8192 * 8);
        values[4 * 77..][..4].copy_from_slice(&value.to_le_bytes());
        let found = refused(|parts| parts.weights[1] = tensor("weight", &[8192, 8], 1, &values, &[]));
        assert_eq!(found, ModelError::NotFinite { tensor: "\"weight\"".to_owned(), index: 77 }, "{value}");
    }
}

#[test]
fn too_much_work_is_refused() {
    let found = refused(|parts| {
        parts.weights.push(tensor("square", &[128, 128], 1, &floats(128 * 128), &[]));
        let step = |i: usize| node("MatMul", &[&format!("x{i}"), "square"], &format!("x{}", i + 1), &[]);
        parts.nodes.push(node("MatMul", &["tokens", "square"], "x0", &[]));
        parts.nodes.extend((0..300).map(step));
    });
    assert!(matches!(found, ModelError::Work { limit: 268_435_456, .. }), "{found}");
}

#[test]
fn other_operations_are_refused() {
    for operation in ["Loop", "If", "ConstantOfShape", "Expand", "matmul", "", "Resize"] {
        let found = refused(|parts| parts.nodes[1] = node(operation, &["line", "weight"], "logits", &[]));
        let expected =
            ModelError::Operation { node: "\"node logits\"".to_owned(), operation: format!("\"{operation}\"") };
        assert_eq!(found, expected);
    }
    let graph_inside = bytes(5, &[&bytes(1, &[b"body"]), &bytes(6, &[b""])]);
    type Change = Box<dyn FnOnce(&mut Parts)>;
    let unsupported: [(&str, Change); 8] = [
        (
            "a graph in a node",
            Box::new(move |p| p.nodes[1] = node("MatMul", &["line", "weight"], "logits", &graph_inside)),
        ),
        (
            "MatMul with other settings",
            Box::new(|p| {
                p.nodes[1] = node("MatMul", &["line", "weight"], "logits", &bytes(5, &[&bytes(1, &[b"alpha"])]));
            }),
        ),
        ("operations of an unknown origin", Box::new(|p| p.opset = [bytes(1, &[b"com.evil"]), number(2, 17)].concat())),
        ("opset 7", Box::new(|p| p.opset = number(2, 7))),
        (
            "\"weight\" of data type 11",
            Box::new(|p| p.weights[1] = tensor("weight", &[8192, 8], 11, &floats(8192 * 16), &[])),
        ),
        (
            "field 4 of a tensor",
            Box::new(|p| p.weights[1] = tensor("weight", &[8192, 8], 1, &[], &bytes(4, &[&floats(8)]))),
        ),
        ("sparse weights", Box::new(|p| p.weights[1] = bytes(15, &[b""]))),
        ("a tensor of more than 6 axes", Box::new(|p| p.weights[1] = tensor("weight", &[1; 7], 1, &floats(1), &[]))),
    ];
    for (what, change) in unsupported {
        assert_eq!(refused(change), ModelError::Unsupported { what: what.to_owned() });
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let shapes = |found| matches!(found, ModelError::Shapes { .. });
    for nodes in [
        node("MatMul", &["weight", "line"], "logits", &[]),
        node("Add", &["line", "weight"], "logits", &[]),
        node("Reshape", &["line", "weight"], "logits", &[]),
        node("Reshape", &["flat", "flat"], "logits", &[]),
        node("MatMul", &["line", "flat"], "logits", &[]),
        node("Sin", &["flat"], "logits", &[]),
        node("MatMul", &["line"], "logits", &[]),
        node("Softmax", &["line"], "logits", &bytes(5, &[&bytes(1, &[b"axis"]), &number(3, 2)])),
        node("Transpose", &["line"], "logits", &bytes(5, &[&bytes(1, &[b"perm"]), &number(8, 1), &number(8, 1)])),
    ] {
        assert!(shapes(refused(|parts| parts.nodes[1] = nodes)));
    }
    for sizes in [&[-1, -1][..], &[-1, 8191], &[8192], &[-2, 8192], &[0, -1], &[i64::MAX, 2]] {
        let found = refused(|p| p.weights[0] = tensor("flat", &[sizes.len() as u64], 7, &integers(sizes), &[]));
        assert!(shapes(found), "{sizes:?}");
    }
    let order = |found| matches!(found, ModelError::Order { .. });
    assert!(order(refused(|parts| parts.nodes.swap(0, 1))));
    assert!(order(refused(|parts| parts.nodes[1] = node("MatMul", &["line", "absent"], "logits", &[]))));
    assert!(order(refused(|parts| parts.nodes[1] = node("MatMul", &["line", "weight"], "tokens", &[]))));
    assert!(order(refused(|parts| parts.weights.push(tensor("weight", &[1], 1, &floats(1), &[])))));
    assert!(order(refused(|parts| parts.nodes.truncate(1))));
}

#[test]
fn other_inputs_and_outputs_are_refused() {
    let other = |found| matches!(found, ModelError::Interface { .. });
    for input in [
        interface(11, "pixels", 1, &[None, Some(64), Some(128)]),
        interface(11, "tokens", 7, &[None, Some(64), Some(128)]),
        interface(11, "tokens", 1, &[Some(1), Some(64), Some(128)]),
        interface(11, "tokens", 1, &[None, Some(64), Some(64)]),
        interface(11, "tokens", 1, &[None, None, None]),
        Vec::new(),
    ] {
        assert!(other(refused(|parts| parts.input = input)));
    }
    for (name, shape) in [
        ("key", [None, Some(8)]),
        ("logits", [None, Some(9)]),
        ("logits", [None, Some(16)]),
        ("logits", [Some(1), Some(8)]),
        ("logits", [None, None]),
    ] {
        assert!(other(refused(|parts| parts.output = interface(12, name, 1, &shape))), "{name} {shape:?}");
    }
    // 8 logits, whatever the number of images: one image's key would depend on the others.
    let found = refused(|parts| {
        parts.weights.push(tensor("one", &[2], 7, &integers(&[1, -1]), &[]));
        parts.weights[1] = tensor("weight", &[1, 8], 1, &floats(8), &[]);
        parts.weights[0] = tensor("flat", &[2], 7, &integers(&[-1, 1]), &[]);
    });
    assert!(other(found));
}
