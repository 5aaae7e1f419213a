"""Embedded anime detector: nvxs (`animeface`), a cascade of small networks over Haar-like features; no torch.

The Python code of the package needs the memory layout of Pillow < 12. With a newer Pillow it finds no face and reports
no error. So the C library inside its wheel is called directly.
"""

import ctypes

import numpy as np

from ...errors import bad_value, unavailable
from ...files import package_folder
from ...images import resize
from .base import Detection, ImageDetector, largest_first

# SIDES: longer side in pixels of the resized pictures that are searched, up to twice its own. The search window grows
# from 42.6 px by 1.095 and moves by 2 window units. Faces far above 100 px are missed, so small copies come first.
SIDES = (128, 256, 512)
MIN_WINDOW, SCALE_FACTOR, STEP = 42.592, 1.095, 2.0
MAX_FACES = 64
#: DIM: grey level. A picture whose 99th percentile is below this is brightened before it is searched.
DIM = 128
PARTS = ("face", "left_eye", "right_eye", "nose", "mouth", "chin")


class _Rect(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("x", "y", "width", "height")]


class _Face(ctypes.Structure):
    _fields_ = [("likelihood", ctypes.c_float), *((part, _Rect) for part in PARTS)]


class _Matrix(ctypes.Structure):
    _fields_ = [
        ("list", ctypes.c_int),
        ("list_step", ctypes.c_uint),
        *((name, ctypes.c_int) for name in ("n", "m", "rows", "cols", "step", "alias")),
        ("values", ctypes.POINTER(ctypes.c_float)),
    ]


_MatrixP = ctypes.POINTER(_Matrix)


def create(face_detector: str | None, weights: str | None, device: str) -> "AnimefaceDetector":
    """Create the detector. It has no options: the library contains its networks."""
    for key, value in (("face_detector", face_detector), ("weights", weights)):
        if value:
            raise bad_value(key, value, "null for the detector animeface")
    return AnimefaceDetector()


def _library() -> ctypes.CDLL:
    package = package_folder("animeface")
    found = [*package.parent.glob("animeface.libs/libnvxs*"), *package.glob(".dylibs/libnvxs*")]
    if not found:
        raise unavailable(
            "the detector animeface",
            "the installed package has no compiled library, which exists for Linux x86-64 and macOS arm64 only",
            "Set landmarks.anime.detector to anime_face_detector on this machine",
        )
    library = ctypes.CDLL(str(found[0]))
    library.nv_matrix3d_alloc.restype = _MatrixP
    library.nv_matrix3d_alloc.argtypes = [ctypes.c_int] * 3
    library.nv_matrix_zero.argtypes = [_MatrixP]
    library.nv_matrix_free.argtypes = [ctypes.POINTER(_MatrixP)]
    library.nv_gray.argtypes = [_MatrixP, _MatrixP]
    library.nv_gaussian5x5.argtypes = [_MatrixP, ctypes.c_int, _MatrixP, ctypes.c_int]
    library.nv_laplacian1.argtypes = [_MatrixP, _MatrixP, ctypes.c_float]
    library.nv_integral.argtypes = [_MatrixP, _MatrixP, ctypes.c_int]
    library.nv_face_detect.restype = ctypes.c_int
    library.nv_face_detect.argtypes = [
        ctypes.POINTER(_Face),
        ctypes.c_int,
        _MatrixP,
        _MatrixP,
        ctypes.POINTER(_Rect),
        *[ctypes.c_void_p] * 3,
        ctypes.c_int,
        ctypes.c_void_p,
        *[ctypes.c_float] * 3,
    ]
    return library


class AnimefaceDetector(ImageDetector):
    """Boxes of face, eyes and mouth, and the points nose and chin. All points share the likelihood of the face."""

    def __init__(self) -> None:
        self._library = _library()

    def detect_one(self, image: np.ndarray) -> list[Detection]:
        """See `ImageDetector.detect_one`."""
        peak = float(np.percentile(image, 99))
        if 0 < peak < DIM:
            # The library needs edges above a fixed level, which dim pictures do not have.
            image = np.clip(image * (255 / peak), 0, 255).astype(np.uint8)
        longest = max(image.shape[:2])
        for side in SIDES:
            if side > SIDES[0] and side > 2 * longest:
                break
            scale = side / longest
            size = [max(1, round(length * scale)) for length in (image.shape[1], image.shape[0])]
            if faces := self._search(resize(image, *size)):
                stretch = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
                return largest_first([_detection(face, stretch) for face in faces])
        return []

    def _search(self, image: np.ndarray) -> list[_Face]:
        if min(image.shape[:2]) < MIN_WINDOW:
            return []
        library, (height, width) = self._library, image.shape[:2]
        shapes = [(3, height, width), *[(1, height, width)] * 3, *[(1, height + 1, width + 1)] * 2]
        matrices = [library.nv_matrix3d_alloc(*shape) for shape in shapes]
        try:
            for matrix in matrices:
                library.nv_matrix_zero(matrix)
            colour, gray, smooth, edge, gray_integral, edge_integral = matrices
            head = colour.contents
            values = np.ctypeslib.as_array(head.values, shape=(head.rows, head.cols, head.step))
            values[:, :, :3] = image[:, :, ::-1]
            library.nv_gray(gray, colour)
            library.nv_gaussian5x5(smooth, 0, gray, 0)
            library.nv_laplacian1(edge, smooth, 4.0)
            library.nv_integral(gray_integral, gray, 0)
            library.nv_integral(edge_integral, edge, 0)
            faces = (_Face * MAX_FACES)()
            bagged = (ctypes.c_void_p * 3)(self._network("face_01"), self._network("face_02"), None)
            count = library.nv_face_detect(
                faces,
                MAX_FACES,
                gray_integral,
                edge_integral,
                ctypes.byref(_Rect(0, 0, width, height)),
                self._network("dir"),
                self._network("face_00"),
                ctypes.addressof(bagged),
                2,
                self._network("parts"),
                STEP,
                SCALE_FACTOR,
                MIN_WINDOW,
            )
            return list(faces[:count])
        finally:
            for matrix in matrices:
                library.nv_matrix_free(ctypes.byref(matrix))

    def _network(self, name: str) -> int:
        return ctypes.addressof(ctypes.c_char.in_dll(self._library, f"nv_face_mlp_{name}"))


def _detection(face: _Face, stretch: np.ndarray) -> Detection:
    # In the library, the left eye of an upright face has the smaller x; in a rotated face the eyes may be swapped.
    eyes = sorted([face.left_eye, face.right_eye], key=lambda eye: eye.x + eye.width / 2)
    points = [point for box in (*eyes, face.mouth) for point in _edges(box)]
    points += [(part.x + part.width / 2, part.y + part.height / 2) for part in (face.nose, face.chin)]
    score = float(np.clip(face.likelihood, 0, 1))
    box = np.array([face.face.x, face.face.y, face.face.x + face.face.width, face.face.y + face.face.height])
    return Detection(
        box=box / np.tile(stretch, 2),
        score=score,
        keypoints=np.column_stack([np.array(points) / stretch, np.full(len(points), score)]),
        schema="animeface",
    )


def _edges(box: _Rect) -> list[tuple[float, float]]:
    right, bottom = box.x + box.width, box.y + box.height
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return [(box.x, y), (x, box.y), (right, y), (x, bottom)]
