//! Computes the size of every tensor and the work of a run, before any engine loads the model.

use std::collections::HashMap;

use super::ModelError;
use super::graph::{Graph, GraphNode, Operation, ValueKind, Weight, shown};

/// Most values of a tensor for one image: 4 MiB. The embedded model has at most 16,384.
const MAX_VALUES: u64 = 1 << 20;
/// Most multiplications and other steps for one image: about a second. The embedded model does with
/// 11 million.
const MAX_WORK: u64 = 1 << 28;

/// What a node may take.
enum Tensor<'a> {
    Weight(&'a Weight<'a>),
    Made(Vec<u64>),
}

impl Graph<'_> {
    /// Returns the shape of the output for so many images, after every weight and every node was
    /// looked at.
    pub(super) fn output_shape(&self, input: &str, input_shape: &[u64], output: &str) -> Result<Vec<u64>, ModelError> {
        let images = input_shape[0];
        let mut known = HashMap::from([(input, Tensor::Made(input_shape.to_vec()))]);
        for weight in &self.weights {
            check_weight(weight)?;
            if known.insert(weight.name, Tensor::Weight(weight)).is_some() {
                return Err(ModelError::Order { node: shown(""), value: shown(weight.name) });
            }
        }
        let mut work = 0_u64;
        for node in &self.nodes {
            let out_of_order = |value| ModelError::Order { node: shown(node.name), value: shown(value) };
            let [made] = node.outputs[..] else { return Err(out_of_order("")) };
            let taken = node.inputs.iter().map(|name| known.get(name).ok_or_else(|| out_of_order(name)));
            let (shape, steps) = given(node, &taken.collect::<Result<Vec<_>, _>>()?)?;
            check_size(made, &shape, MAX_VALUES * images)?;
            work = work.saturating_add(steps);
            let limit = MAX_WORK * images;
            if work > limit {
                return Err(ModelError::Work { found: work / images, limit: MAX_WORK });
            }
            if known.insert(made, Tensor::Made(shape)).is_some() {
                return Err(out_of_order(made));
            }
        }
        match known.remove(output) {
            Some(Tensor::Made(shape)) => Ok(shape),
            _ => Err(ModelError::Order { node: shown(""), value: shown(output) }),
        }
    }
}

fn check_weight(weight: &Weight<'_>) -> Result<(), ModelError> {
    let values = check_size(weight.name, &weight.shape, MAX_VALUES)?;
    let (expected, found) = (values * if weight.kind == ValueKind::Float { 4 } else { 8 }, weight.values.len() as u64);
    if expected != found {
        return Err(ModelError::WeightBytes { tensor: shown(weight.name), expected, found });
    }
    let (floats, _) = weight.values.as_chunks::<4>();
    let not_finite = |bytes: &[u8; 4]| !f32::from_le_bytes(*bytes).is_finite();
    match floats.iter().position(not_finite).filter(|_| weight.kind == ValueKind::Float) {
        Some(index) => Err(ModelError::NotFinite { tensor: shown(weight.name), index }),
        None => Ok(()),
    }
}

/// The number of values, if it is within the limit and not 0.
fn check_size(name: &str, shape: &[u64], limit: u64) -> Result<u64, ModelError> {
    let values = shape.iter().try_fold(1_u64, |values, size| values.checked_mul(*size));
    let wrong = || ModelError::TensorSize { tensor: shown(name), shape: shape.to_vec(), limit };
    values.filter(|values| (1..=limit).contains(values)).ok_or_else(wrong)
}

/// The shape of what a node makes, and how many steps that takes.
fn given(node: &GraphNode<'_>, taken: &[&Tensor<'_>]) -> Result<(Vec<u64>, u64), ModelError> {
    let shapes: Vec<Vec<u64>> = taken.iter().map(|tensor| tensor.shape().to_vec()).collect();
    let floats = taken.iter().all(|tensor| tensor.is_float());
    let shape = match (&node.operation, taken) {
        (Operation::MatMul, [_, _]) if floats => product(&shapes[0], &shapes[1]),
        (Operation::Pairwise, [_, _]) if floats => broadcast(&shapes[0], &shapes[1]),
        (Operation::Each, [_]) if floats => Some(shapes[0].clone()),
        (Operation::Softmax { axis }, [_]) if floats => {
            let rank = i64::try_from(shapes[0].len()).unwrap_or(0);
            (-rank..rank).contains(axis).then(|| shapes[0].clone())
        }
        (Operation::Reshape, [from, Tensor::Weight(to)]) if from.is_float() => reshaped(&shapes[0], to),
        (Operation::Transpose { order }, [_]) if floats => transposed(&shapes[0], order),
        _ => None,
    };
    let shape = shape.ok_or_else(|| ModelError::Shapes { node: shown(node.name), shapes: shapes.clone() })?;
    let values = shape.iter().fold(1_u64, |values, size| values.saturating_mul(*size));
    let each = if node.operation == Operation::MatMul { shapes[0].last().copied().unwrap_or(1) } else { 1 };
    Ok((shape, values.saturating_mul(each)))
}

impl Tensor<'_> {
    fn shape(&self) -> &[u64] {
        match self {
            Self::Weight(weight) => &weight.shape,
            Self::Made(shape) => shape,
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::Made(_) | Self::Weight(Weight { kind: ValueKind::Float, .. }))
    }
}

/// (.., R, K) by (.., K, C) gives (.., R, C).
fn product(left: &[u64], right: &[u64]) -> Option<Vec<u64>> {
    let ([outer_left @ .., rows, inner], [outer_right @ .., inner_right, columns]) = (left, right) else { return None };
    let mut shape = broadcast(outer_left, outer_right).filter(|_| inner == inner_right)?;
    shape.extend([rows, columns]);
    Some(shape)
}

/// Sizes from the last axis on must be equal, or one of them 1 or missing.
fn broadcast(left: &[u64], right: &[u64]) -> Option<Vec<u64>> {
    let rank = left.len().max(right.len());
    let size = |shape: &[u64], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    (0..rank)
        .map(|axis| match (size(left, axis), size(right, axis)) {
            (1, size) | (size, 1) => Some(size),
            (left, right) => Some(left).filter(|_| left == right),
        })
        .collect()
}

/// A list of sizes, one of which may be -1: what is left.
fn reshaped(from: &[u64], to: &Weight<'_>) -> Option<Vec<u64>> {
    if to.kind != ValueKind::Int64 || to.shape.len() != 1 {
        return None;
    }
    let values = from.iter().try_fold(1_u64, |values, size| values.checked_mul(*size))?;
    let sizes: Vec<i64> = to.values.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
    let fixed = sizes.iter().filter(|size| **size != -1);
    let known = fixed.clone().try_fold(1_u64, |known, size| known.checked_mul(u64::try_from(*size).ok()?))?;
    let left = values.checked_div(known).filter(|left| left * known == values)?;
    match sizes.len() - fixed.count() {
        0 if left == 1 => {}
        1 => {}
        _ => return None,
    }
    Some(sizes.into_iter().map(|size| u64::try_from(size).unwrap_or(left)).collect())
}

fn transposed(from: &[u64], order: &[u64]) -> Option<Vec<u64>> {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..from.len() as u64) {
        return None;
    }
    order.iter().map(|axis| from.get(usize::try_from(*axis).ok()?).copied()).collect()
}
