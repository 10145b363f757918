//! What is wrong with a model file.

use alloy::primitives::B256;

/// Why a model is not run. Names come from the file, and are shown escaped and cut.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file is larger than a model may be.
    #[error("expected a model of at most {limit} bytes, found {found}")]
    TooLarge {
        /// Its size.
        found: usize,
        /// [`MAX_BYTES`](super::MAX_BYTES).
        limit: usize,
    },
    /// The model is neither the embedded one nor on the operator's list: another file, or one that
    /// was cut, changed or swapped.
    #[error("expected the embedded model, or one of {listed} that are listed; found one with SHA-256 {found:x}")]
    NotListed {
        /// Its SHA-256.
        found: B256,
        /// How many the operator allows.
        listed: usize,
    },
    /// The bytes are no ONNX file, or a damaged one.
    #[error("not an ONNX model: {what}")]
    NotOnnx {
        /// What is wrong.
        what: &'static str,
    },
    /// The file holds something that a transformer of this kind has no need of: functions,
    /// subgraphs, sparse or quantised tensors, another data type.
    #[error("the model holds {what}, which is not supported")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// The operation is none of [`OPERATIONS`](super::OPERATIONS).
    #[error("node {node} is a {operation}, which is not supported")]
    Operation {
        /// The node.
        node: String,
        /// Its operation.
        operation: String,
    },
    /// A weight lies in another file. No path in a model is ever followed.
    #[error("the values of {tensor} lie outside of the model file")]
    ExternalData {
        /// The weight.
        tensor: String,
    },
    /// A weight's values are more or fewer than its shape says.
    #[error("expected {expected} bytes of values for {tensor}, found {found}")]
    WeightBytes {
        /// The weight.
        tensor: String,
        /// What its shape asks for.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// A weight is infinite or no number.
    #[error("value {index} of {tensor} is not finite")]
    NotFinite {
        /// The weight.
        tensor: String,
        /// The first such value.
        index: usize,
    },
    /// A weight, or what a node gives, is larger than allowed, or empty.
    #[error("{tensor} has the shape {shape:?}: expected 1 to {limit} values for each image")]
    TensorSize {
        /// The weight, or the node's output.
        tensor: String,
        /// Its shape.
        shape: Vec<u64>,
        /// Most values.
        limit: u64,
    },
    /// One run would take too long.
    #[error("expected at most {limit} multiplications for one image, found {found} or more")]
    Work {
        /// How many were counted.
        found: u64,
        /// Most of them.
        limit: u64,
    },
    /// A node takes what was not made before it, or makes what is there already.
    #[error("node {node} takes or makes {value} out of order")]
    Order {
        /// The node.
        node: String,
        /// The value's name.
        value: String,
    },
    /// A node's inputs do not fit its operation.
    #[error("the inputs of node {node} do not fit its operation: {shapes:?}")]
    Shapes {
        /// The node.
        node: String,
        /// Shapes of its inputs.
        shapes: Vec<Vec<u64>>,
    },
    /// The model takes or gives something else than the image key needs.
    #[error("expected {expected}, found {found}")]
    Interface {
        /// What is needed.
        expected: &'static str,
        /// What the model has.
        found: String,
    },
}
