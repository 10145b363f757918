//! The one door to code of others that reads or writes files: its panic is an error of that file.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::{Format, ImagingError};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}
static HOOK: Once = Once::new();

/// Returns what `work` comes to; a panic inside is [`ImagingError::DecoderFailed`], and prints
/// nothing. Other threads, and this one outside, panic as they did.
pub(super) fn enter<T>(format: Format, work: impl FnOnce() -> Result<T, ImagingError>) -> Result<T, ImagingError> {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                usual(info);
            }
        }));
    });
    let outside = INSIDE.replace(true);
    // Nothing that `work` holds is used after its panic.
    let done = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(outside);
    done.unwrap_or_else(|panic| Err(ImagingError::DecoderFailed { format, panic: message(&*panic) }))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_is_an_error_of_the_file() {
        let failed = enter(Format::Png, || -> Result<(), _> { panic!("row {}", 7) }).expect_err("it panicked");
        assert!(
            matches!(&failed, ImagingError::DecoderFailed { format: Format::Png, panic } if panic == "row 7"),
            "{failed:?}"
        );
        assert!(!INSIDE.get());
        // One door inside another leaves the outer one closed.
        let kept = enter(Format::Tiff, || {
            let inner = enter(Format::Png, || -> Result<(), _> { panic!("inner") });
            assert!(inner.is_err() && INSIDE.get());
            Ok(5)
        });
        assert_eq!(kept.expect("no panic"), 5);
    }
}
