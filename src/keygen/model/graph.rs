//! An ONNX file as weights and nodes. Whatever is not known here is refused, so that no engine sees
//! what was not looked at.

use super::ModelError;
use super::protobuf::{Value, damaged, fields};

/// Most weights, and most nodes: the embedded model has about 60 of each.
const MAX_ITEMS: usize = 1024;
/// Most axes of a tensor.
const MAX_RANK: usize = 6;
/// Versions of ONNX's operations in which those of this module are the same.
const OPSETS: std::ops::RangeInclusive<u64> = 13..=23;

/// A model's graph.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    pub(super) weights: Vec<Weight<'a>>,
    pub(super) nodes: Vec<GraphNode<'a>>,
    pub(super) inputs: Vec<Interface<'a>>,
    pub(super) outputs: Vec<Interface<'a>>,
}

/// A tensor of the file, its values little-endian.
#[derive(Debug)]
pub(super) struct Weight<'a> {
    pub(super) name: &'a str,
    pub(super) shape: Vec<u64>,
    pub(super) kind: ValueKind,
    pub(super) values: &'a [u8],
}

/// What a tensor's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Float,
    Int64,
}

/// An operation on tensors.
#[derive(Debug)]
pub(super) struct GraphNode<'a> {
    pub(super) name: &'a str,
    pub(super) operation: Operation,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    MatMul,
    /// Add, Sub, Mul, Div: two tensors, broadcast.
    Pairwise,
    /// Floor, Sin, Tanh, Relu: every value by itself.
    Each,
    Softmax {
        axis: i64,
    },
    Reshape,
    Transpose {
        order: Vec<u64>,
    },
}

/// A named input or output: its type, and its sizes, `None` where the file leaves them open.
#[derive(Debug)]
pub(super) struct Interface<'a> {
    pub(super) name: &'a str,
    pub(super) kind: u64,
    pub(super) shape: Vec<Option<u64>>,
}

impl<'a> Graph<'a> {
    /// Reads a ModelProto.
    pub(super) fn read(model: &'a [u8]) -> Result<Self, ModelError> {
        let (mut graph, mut opset) = (None, None);
        for field in fields(model) {
            match field? {
                (1..=6 | 14, _) => {} // versions, names, notes
                (7, value) if graph.is_none() => graph = Some(read_graph(value.bytes()?)?),
                (8, value) if opset.is_none() => opset = Some(read_opset(value.bytes()?)?),
                (7, _) => return Err(damaged("it has two graphs")),
                (8, _) => return Err(unsupported("operations of two origins")),
                (25, _) => return Err(unsupported("functions")),
                (number, _) => return Err(unsupported(format!("field {number} of the model"))),
            }
        }
        let graph = graph.ok_or_else(|| damaged("it has no graph"))?;
        match opset {
            Some(version) if OPSETS.contains(&version) => Ok(graph),
            Some(version) => Err(unsupported(format!("opset {version}"))),
            None => Err(damaged("it has no opset")),
        }
    }
}

fn read_opset(message: &[u8]) -> Result<u64, ModelError> {
    let mut version = 0;
    for field in fields(message) {
        match field? {
            (1, value) if matches!(value.text()?, "" | "ai.onnx") => {}
            (2, value) => version = value.number()?,
            _ => return Err(unsupported("operations of an unknown origin")),
        }
    }
    Ok(version)
}

fn read_graph(message: &[u8]) -> Result<Graph<'_>, ModelError> {
    let mut graph = Graph::default();
    for field in fields(message) {
        match field? {
            (1, value) => graph.nodes.push(read_node(value.bytes()?)?),
            (2 | 10 | 16, _) => {} // name and notes
            (5, value) => graph.weights.push(read_weight(value.bytes()?)?),
            (11, value) => graph.inputs.push(read_interface(value.bytes()?)?),
            (12, value) => graph.outputs.push(read_interface(value.bytes()?)?),
            (15, _) => return Err(unsupported("sparse weights")),
            (number, _) => return Err(unsupported(format!("field {number} of the graph"))),
        }
        let items = [graph.nodes.len(), graph.weights.len(), graph.inputs.len(), graph.outputs.len()];
        if items.into_iter().any(|count| count > MAX_ITEMS) {
            return Err(unsupported(format!("more than {MAX_ITEMS} nodes or weights")));
        }
    }
    Ok(graph)
}

fn read_weight(message: &[u8]) -> Result<Weight<'_>, ModelError> {
    let (mut weight, mut kind, mut external) =
        (Weight { name: "", shape: Vec::new(), kind: ValueKind::Float, values: &[] }, 0, false);
    for field in fields(message) {
        match field? {
            (1, value) => push_numbers(&mut weight.shape, value)?,
            (2, value) => kind = value.number()?,
            (8, value) => weight.name = value.text()?,
            (9, value) => weight.values = value.bytes()?,
            (12, _) => {}
            (13, _) => external = true,
            (14, value) => external |= value.number()? != 0,
            (number, _) => return Err(unsupported(format!("field {number} of a tensor"))),
        }
    }
    if external {
        return Err(ModelError::ExternalData { tensor: shown(weight.name) });
    }
    weight.kind = match kind {
        1 => ValueKind::Float,
        7 => ValueKind::Int64,
        _ => return Err(unsupported(format!("{} of data type {kind}", shown(weight.name)))),
    };
    Ok(weight)
}

fn read_node(message: &[u8]) -> Result<GraphNode<'_>, ModelError> {
    let (mut name, mut operation, mut inputs, mut outputs, mut attributes) =
        ("", "", Vec::new(), Vec::new(), Vec::new());
    for field in fields(message) {
        match field? {
            (1, value) if inputs.len() < 2 => inputs.push(value.text()?),
            (2, value) if outputs.is_empty() => outputs.push(value.text()?),
            (3, value) => name = value.text()?,
            (4, value) => operation = value.text()?,
            (5, value) if attributes.is_empty() => attributes.push(read_attribute(value.bytes()?)?),
            (6 | 9, _) => {}
            (7, value) if matches!(value.text()?, "" | "ai.onnx") => {}
            (1 | 2 | 5, _) => return Err(unsupported(format!("more of {} than its operation takes", shown(name)))),
            (number, _) => return Err(unsupported(format!("field {number} of a node"))),
        }
    }
    let operation = match (operation, attributes.pop()) {
        ("MatMul", None) => Operation::MatMul,
        ("Add" | "Sub" | "Mul" | "Div", None) => Operation::Pairwise,
        ("Floor" | "Sin" | "Tanh" | "Relu", None) => Operation::Each,
        ("Softmax", None) => Operation::Softmax { axis: -1 },
        ("Softmax", Some(Attribute { name: "axis", number: Some(axis), .. })) => {
            Operation::Softmax { axis: axis.cast_signed() }
        }
        ("Reshape", None) => Operation::Reshape,
        ("Transpose", Some(Attribute { name: "perm", number: None, numbers })) => {
            Operation::Transpose { order: numbers }
        }
        (
            "MatMul" | "Add" | "Sub" | "Mul" | "Div" | "Floor" | "Sin" | "Tanh" | "Relu" | "Softmax" | "Reshape"
            | "Transpose",
            _,
        ) => {
            return Err(unsupported(format!("{operation} with other settings")));
        }
        _ => return Err(ModelError::Operation { node: shown(name), operation: shown(operation) }),
    };
    Ok(GraphNode { name, operation, inputs, outputs })
}

/// A setting of a node: one number, or several.
struct Attribute<'a> {
    name: &'a str,
    number: Option<u64>,
    numbers: Vec<u64>,
}

fn read_attribute(message: &[u8]) -> Result<Attribute<'_>, ModelError> {
    let mut attribute = Attribute { name: "", number: None, numbers: Vec::new() };
    for field in fields(message) {
        match field? {
            (1, value) => attribute.name = value.text()?,
            (3, value) => attribute.number = Some(value.number()?),
            (8, value) => push_numbers(&mut attribute.numbers, value)?,
            (13 | 20, _) => {}
            (5 | 10, _) => return Err(unsupported("a tensor in a node")),
            (6 | 11, _) => return Err(unsupported("a graph in a node")),
            (number, _) => return Err(unsupported(format!("field {number} of a node's setting"))),
        }
    }
    Ok(attribute)
}

fn read_interface(message: &[u8]) -> Result<Interface<'_>, ModelError> {
    let mut interface = Interface { name: "", kind: 0, shape: Vec::new() };
    for field in fields(message) {
        match field? {
            (1, value) => interface.name = value.text()?,
            (2, value) => {
                for field in fields(value.bytes()?) {
                    match field? {
                        (1, tensor) => read_tensor_type(tensor.bytes()?, &mut interface)?,
                        _ => return Err(unsupported("an input or output that is no tensor")),
                    }
                }
            }
            (3 | 4, _) => {}
            (number, _) => return Err(unsupported(format!("field {number} of an input or output"))),
        }
    }
    Ok(interface)
}

fn read_tensor_type(message: &[u8], interface: &mut Interface<'_>) -> Result<(), ModelError> {
    for field in fields(message) {
        match field? {
            (1, value) => interface.kind = value.number()?,
            (2, value) => {
                for axis in fields(value.bytes()?) {
                    let (1, axis) = axis? else { return Err(unsupported("a shape of an unknown kind")) };
                    let mut size = None;
                    for field in fields(axis.bytes()?) {
                        match field? {
                            (1, value) => size = Some(value.number()?),
                            (2 | 3, _) => {}
                            _ => return Err(unsupported("a shape of an unknown kind")),
                        }
                    }
                    interface.shape.push(size);
                    check_rank(interface.shape.len())?;
                }
            }
            _ => return Err(unsupported("a tensor of an unknown kind")),
        }
    }
    Ok(())
}

fn push_numbers(list: &mut Vec<u64>, value: Value<'_>) -> Result<(), ModelError> {
    for number in value.numbers() {
        list.push(number?);
        check_rank(list.len())?;
    }
    Ok(())
}

fn check_rank(rank: usize) -> Result<(), ModelError> {
    if rank <= MAX_RANK { Ok(()) } else { Err(unsupported(format!("a tensor of more than {MAX_RANK} axes"))) }
}

fn unsupported(what: impl Into<String>) -> ModelError {
    ModelError::Unsupported { what: what.into() }
}

/// A name from the file, as it may be shown.
pub(super) fn shown(name: &str) -> String {
    let name: String = name.chars().take(64).collect();
    format!("\"{}\"", name.escape_debug())
}
