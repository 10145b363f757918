use super::*;

fn image(
    [height, width, channels]: [u32; 3],
    sample_type: SampleType,
    order: (ByteOrder, ChannelOrder),
    bits: u8,
    samples: Vec<u8>,
) -> Subject {
    let channels = u16::try_from(channels).expect("few");
    let geometry = Geometry { depth: 1, height, width, channels };
    Subject::Image(Image::new(geometry, sample_type, order.0, order.1, bits, samples).expect("a possible image"))
}

const LITTLE: (ByteOrder, ChannelOrder) = (ByteOrder::Little, ChannelOrder::Interleaved);
const BIG: (ByteOrder, ChannelOrder) = (ByteOrder::Big, ChannelOrder::Interleaved);

fn row(sample_type: SampleType, bits: u8, values: &[i16]) -> Subject {
    let samples = values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(sample_type.bytes()));
    let width = u32::try_from(values.len()).expect("few");
    image([1, width, 1], sample_type, LITTLE, bits, samples.collect())
}

/// Both neighbours of a level, drawn often enough to see them.
fn levels(subject: &Subject, bits: u64) -> Vec<u64> {
    let mut draws = Draws::new(1);
    let mut found: Vec<u64> = (0..32).map(|_| subject.next_level(bits, &mut draws)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_level_goes_up_or_down_and_stays_within_its_bits() {
    let unsigned = row(SampleType::U16, 12, &[0]);
    assert_eq!(levels(&unsigned, 7), [6, 8]);
    assert_eq!((levels(&unsigned, 0), levels(&unsigned, 4095)), (vec![1], vec![4094]));
    let signed = row(SampleType::I16, 12, &[0]);
    let bits = |value: i16| u64::from(value.cast_unsigned());
    assert_eq!(levels(&signed, bits(0)), [1, bits(-1)]);
    assert_eq!((levels(&signed, bits(2047)), levels(&signed, bits(-2048))), (vec![2046], vec![bits(-2047)]));
    let bytes = Subject::Bytes(vec![9].into());
    assert_eq!((levels(&bytes, 0), levels(&bytes, 255), levels(&bytes, 1)), (vec![1], vec![254], vec![0, 2]));
    assert_eq!(levels(&row(SampleType::I8, 8, &[0]), 0x7f), [0x7e]);
}

#[test]
fn a_changed_sample_is_put_back() {
    for (sample_type, order) in [(SampleType::U16, LITTLE), (SampleType::U16, BIG), (SampleType::F32, BIG)] {
        let samples: Vec<u8> = (0..32).collect();
        let width = u32::try_from(32 / sample_type.bytes()).expect("few");
        let mut subject = image(
            [1, width, 1],
            sample_type,
            order,
            u8::try_from(8 * sample_type.bytes()).expect("few"),
            samples.clone(),
        );
        let (before, mut draws) = (subject.fold(), Draws::new(7));
        assert_ne!(subject.with_level_changed(2, &mut draws), before);
        assert_ne!(subject.with_two_swapped(&mut draws).expect("unlike samples"), before);
        assert_eq!(subject.bytes(), samples);
        // Sample 1 is bytes 2 and 3, in either order.
        let expected = if order == BIG { 0x0203 } else { 0x0302 };
        assert!(sample_type != SampleType::U16 || subject.bits(1) == expected);
        subject.set_bits(1, subject.bits(1));
        assert_eq!(subject.bytes(), samples);
    }
}

#[test]
fn samples_move_to_the_other_depth_highest_bits_first() {
    let moved = |subject: &Subject| {
        let Subject::Image(image) = subject.at_other_depth() else { panic!("an image") };
        (image.sample_type(), image.bits_stored(), image.samples().to_vec())
    };
    let eight = row(SampleType::U8, 8, &[0, 1, 255]);
    assert_eq!(moved(&eight), (SampleType::U16, 16, vec![0, 0, 0, 1, 0, 255]));
    let twelve = row(SampleType::U16, 12, &[0, 15, 16, 4095]);
    assert_eq!(moved(&twelve), (SampleType::U8, 8, vec![0, 0, 1, 255]));
    let signed = row(SampleType::I16, 12, &[-2048, -16, -1, 0, 2047]);
    assert_eq!(moved(&signed), (SampleType::I8, 8, vec![0x80, 0xff, 0xff, 0, 0x7f]));
    let signed = row(SampleType::I8, 8, &[-2, 3]);
    assert_eq!(moved(&signed), (SampleType::I16, 16, vec![0, 0xfe, 0, 3]));
}

#[test]
fn rows_are_shifted_pixel_by_pixel() {
    let samples = || (0..12).collect::<Vec<u8>>();
    let shifted = |subject: Subject| subject.shifted().expect("it moves").bytes().to_vec();
    let interleaved = image([2, 2, 3], SampleType::U8, LITTLE, 8, samples());
    assert_eq!(shifted(interleaved), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    let planar = image([2, 2, 3], SampleType::U8, (ByteOrder::Little, ChannelOrder::Planar), 8, samples());
    assert_eq!(shifted(planar), [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]);
    let words = image([1, 3, 1], SampleType::U16, BIG, 16, samples()[..6].to_vec());
    assert_eq!(shifted(words), [4, 5, 0, 1, 2, 3]);
    assert_eq!(shifted(Subject::Bytes(vec![1, 2, 3].into())), [3, 1, 2]);
    assert!(row(SampleType::U8, 8, &[5, 5]).shifted().is_none());
}

#[test]
fn places_lie_where_their_names_say() {
    let subject = image([64, 80, 1], SampleType::U8, LITTLE, 8, vec![1; 64 * 80]);
    let mut draws = Draws::new(3);
    let mut places = |place| -> Vec<(usize, usize)> {
        (0..400).map(|_| subject.pick(place, &mut draws)).map(|at| (at / 80, at % 80)).collect()
    };
    for (y, x) in places(ChangedSamples::Corner) {
        assert!(!(8..56).contains(&y) && !(10..70).contains(&x), "{y} {x}");
    }
    for (y, x) in places(ChangedSamples::Centre) {
        assert!((28..36).contains(&y) && (35..45).contains(&x), "{y} {x}");
    }
    for place in [ChangedSamples::Anywhere, ChangedSamples::Background] {
        let found = places(place);
        let spread = |of: fn(&(usize, usize)) -> usize| {
            let values: Vec<usize> = found.iter().map(of).collect();
            (*values.iter().min().expect("some"), *values.iter().max().expect("some"))
        };
        assert!(spread(|(y, _)| *y) == (0, 63) && spread(|(_, x)| *x) == (0, 79), "{place:?}");
    }
    let signed = row(SampleType::I16, 16, &[3, -7, 9, -7, 0]);
    let dark: Vec<usize> = (0..50).map(|_| signed.pick(ChangedSamples::Background, &mut draws)).collect();
    assert!(dark.contains(&1) && dark.contains(&3) && dark.iter().all(|at| [1, 3].contains(at)), "{dark:?}");
}

#[test]
fn constants_are_a_level_apart() {
    let (one, other) = row(SampleType::U8, 8, &[0, 0, 255]).constants(&mut Draws::new(1));
    let (one, other) = (one.bytes(), other.bytes());
    assert!(one.iter().all(|level| *level == one[0]) && other.iter().all(|level| *level == other[0]));
    assert_eq!(one[0].abs_diff(other[0]), 1);
}
