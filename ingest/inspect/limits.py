"""What one file may cost at most: bytes, pixels, pages, seconds and memory."""

KIB = 1024
MIB = 1024 * KIB

MAX_FILE_BYTES = 1024 * MIB
"""A PDF or TIFF of a whole stack; larger stacks are split by the scanner program."""

MAX_IMAGE_FILE_BYTES = 200 * MIB
"""A single picture (JPEG, PNG, HEIC, WebP) is held in the child's memory as a whole."""

MAX_PIXELS = 300_000_000
"""One page. An A0 drawing at 400 dpi has 248 million; more than this is a bomb or a mistake."""

MAX_SIDE = 65_500
"""Pixels of one side: what a JPEG can express."""

MAX_DECODED_BYTES = 640 * MIB
"""Pixels that have to be unpacked in memory for re-encoding, out of the child's 1 GiB."""

MAX_RENDER_PIXELS = 80_000_000
"""A PDF page is drawn at a lower resolution rather than beyond this (A1 at 300 dpi has 70 million)."""

RENDER_DPI = 300

MAX_PAGES = 1_000
MAX_TIFF_DIRECTORIES = 2 * MAX_PAGES
MAX_PDF_OBJECTS = 1_000_000
MAX_CONTENT_BYTES = 64 * MIB
"""One page's drawing instructions after unpacking."""

MAX_METADATA_BYTES = MIB
"""A text or profile chunk after unpacking."""

LOSSLESS_PIXELS = 6_000_000
"""A photo from a lossy format larger than this becomes JPEG (quality 95, full colour) instead of
PNG: twelve million pixels of sensor noise take 20 MB as PNG and 5 MB as JPEG."""

JPEG_QUALITY = 95

CHILD_MEMORY_BYTES = 1024 * MIB
CHILD_CPU_SECONDS = 8
"""Per page (renewed with each finished page)."""

STEP_SECONDS = 8.5
"""Wall time until the next finished page; a file with one page has no more than this."""

SECONDS_PER_PAGE = 1.5
"""A long file may take STEP_SECONDS plus this much for each page it has finished."""

MOST_CODES = 50
LONGEST_CODE = 8_000
"""Codes that are told of one page, and characters of one: a QR code holds 7,089 digits at most."""

MATCH_SECONDS = 60.0
"""Wall time for holding a page against signed ones: nobody waits at a counter for it, and CPU time is limited anyway."""

MOST_SIGNED = 3
"""Signed pages that one rescanned picture is held against in one request."""

MOST_PLACES = 200
"""Places of difference that are told of one page, the largest; of the others their number."""

FILES_PER_CHILD = 100
MAX_ANSWER_BYTES = 16 * MIB

VIEW = "view.jpg"
"""A picture of a page for the screen, in the work folder."""

BESIDE = "beside.pdf"
"""A stranger's PDF with a sheet of ours beside it, in the work folder."""

MOST_BESIDE = 100
"""Pages of a stranger's PDF that are set so; a longer one is refused, none of its pages is left out in silence."""

PIXELS = "pixels"
"""A kept page's pixels, row by row, in the work folder."""

MAX_UNPACKED_BYTES = 288 * MIB
"""What one decoded page may take when it is to be read; the largest sound scan (A3 at 600 dpi, colour) needs 280 MB."""

STRIP_PIXELS = 4 * MIB
"""Decoded pixels are made gray or coloured, flattened on paper and made smaller so many at a time."""

CODED = "coded"
"""A kept page's picture as the bytes of a PDF stream, in the work folder."""

PATIENT_SECONDS = 60.0
"""Wall time for a kept page that nobody waits for at a counter; CPU time is limited anyway."""

VECTORS = "vectors.pdf"
"""The file of pages that may stay what they are, in the work folder and beside the pages."""
