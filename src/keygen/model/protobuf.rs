//! The part of protobuf that ONNX files need: fields are borrowed and nothing is allocated, so that
//! no file can use up memory.

use super::ModelError;

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A number.
    Number(u64),
    /// Four bytes, which nothing here asks for.
    Fixed,
    /// A string, a message, or packed numbers.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn number(self) -> Result<u64, ModelError> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(damaged("a field is not a number")),
        }
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], ModelError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(damaged("a field is a number")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, ModelError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("a name is not UTF-8"))
    }

    /// The numbers of a repeated field, which may be packed.
    pub(super) fn numbers(self) -> Numbers<'a> {
        match self {
            Self::Number(number) => Numbers { one: Some(number), rest: &[] },
            Self::Bytes(rest) => Numbers { one: None, rest },
            Self::Fixed => Numbers { one: None, rest: &[0x80] }, // a damaged one
        }
    }
}

/// Packed numbers.
pub(super) struct Numbers<'a> {
    one: Option<u64>,
    rest: &'a [u8],
}

impl Iterator for Numbers<'_> {
    type Item = Result<u64, ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.one.take() {
            Some(number) => Some(Ok(number)),
            None if self.rest.is_empty() => None,
            None => Some(varint(&mut self.rest).inspect_err(|_| self.rest = &[])),
        }
    }
}

/// The fields of a message: number and value. It ends after the first error.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Result<(u64, Value<'_>), ModelError>> {
    let mut rest = message;
    std::iter::from_fn(move || match rest {
        [] => None,
        _ => Some(field(&mut rest).inspect_err(|_| rest = &[])),
    })
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Value<'a>), ModelError> {
    let tag = varint(rest)?;
    let value = match tag & 7 {
        0 => Value::Number(varint(rest)?),
        2 => {
            let length = usize::try_from(varint(rest)?).ok().filter(|length| *length <= rest.len());
            let (bytes, after) = rest.split_at(length.ok_or_else(|| damaged("it ends inside a field"))?);
            *rest = after;
            Value::Bytes(bytes)
        }
        5 => {
            *rest = rest.get(4..).ok_or_else(|| damaged("it ends inside a field"))?;
            Value::Fixed
        }
        _ => return Err(damaged("a field has an unknown wire type")),
    };
    Ok((tag >> 3, value))
}

fn varint(rest: &mut &[u8]) -> Result<u64, ModelError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().ok_or_else(|| damaged("it ends inside a number"))?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damaged("a number is longer than 64 bits"))
}

pub(super) fn damaged(what: &'static str) -> ModelError {
    ModelError::NotOnnx { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(message: &[u8]) -> Result<Vec<(u64, String)>, ModelError> {
        fields(message).map(|field| field.map(|(number, value)| (number, format!("{value:?}")))).collect()
    }

    #[test]
    fn fields_of_each_kind() {
        // From the protobuf documentation: field 1 = 150, field 2 = "testing"; and a float.
        let message = [&[0x08, 0x96, 0x01, 0x12, 0x07][..], b"testing", &[0x1d, 1, 2, 3, 4]].concat();
        let expected = [(1, "Number(150)"), (2, "Bytes([116, 101, 115, 116, 105, 110, 103])"), (3, "Fixed")];
        assert_eq!(all(&message), Ok(expected.map(|(number, value)| (number, value.to_owned())).to_vec()));
        for cut in 1..message.len() {
            assert!(all(&message[..cut]).map_or(true, |found| found.len() < 3), "{cut} bytes");
        }
    }

    #[test]
    fn damaged_fields() {
        for (message, what) in [
            (&[0x08][..], "it ends inside a number"),
            (&[0x12, 0x02, 0x00], "it ends inside a field"),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "it ends inside a field"),
            (&[0x1d, 0x00], "it ends inside a field"),
            (&[0x0b], "a field has an unknown wire type"),
            (
                &[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
                "a number is longer than 64 bits",
            ),
        ] {
            assert_eq!(all(message), Err(damaged(what)), "{message:x?}");
        }
    }

    #[test]
    fn numbers_packed_or_not() {
        let all = |value: Value<'_>| value.numbers().collect::<Result<Vec<_>, _>>();
        assert_eq!(all(Value::Number(7)), Ok(vec![7]));
        assert_eq!(all(Value::Bytes(&[1, 0x96, 1, 0])), Ok(vec![1, 150, 0]));
        assert_eq!(all(Value::Bytes(&[])), Ok(vec![]));
        assert_eq!(all(Value::Bytes(&[1, 0x80])), Err(damaged("it ends inside a number")));
        assert!(all(Value::Fixed).is_err());
    }
}
