"""A request body that is a form (multipart/form-data) with a file, the JPEG, and other fields.

So that ``curl -F`` and a page's own form can upload an image.
"""

from io import BytesIO

from multipart import MultipartError, MultipartParser, parse_options_header
from pyramid.request import Request

from ..images import base64_jpeg
from ..schemas.body import Body
from ..settings import OTHER_FIELDS, Settings
from .body import add_errors, bad_body, body_of, require_size, too_large

MEDIA_TYPE = "multipart/form-data"
# The part that is a file.
FIELD = "image"
# Maximum of parts: there are six fields.
PARTS_MAX = 32


def load_form(request: Request, schema: Body, settings: Settings) -> None:
    """Put the `Jpeg` and the other fields into ``request.validated``.

    Adds to ``request.errors`` what is wrong with fields. Raises 413 or 400 for the body as a
    whole, and base64_jpeg.ImageError, or ImageTooLargeError.
    """
    require_size(request, settings.image_max_bytes + OTHER_FIELDS)
    if not request.content_length:
        raise bad_body("send a form with the file 'image'; the body is empty")
    parts = parts_of(request, schema)
    data = parts.pop(FIELD, None)
    # Before they are decoded, which may take four times the memory.
    if sum(map(len, parts.values())) > OTHER_FIELDS:
        raise too_large(f"all but the image must have at most {OTHER_FIELDS} bytes")
    texts = {name: part.decode(errors="surrogateescape") for name, part in parts.items()}
    image = {} if data is None else {FIELD: memoryview(data)}
    fields, wrong = schema.load_texts(texts | image)
    add_errors(request, wrong)
    if data is not None:
        fields[FIELD] = base64_jpeg.accept(data, settings)
    request.validated.update(fields)


def parts_of(request: Request, schema: Body) -> dict[str, bytes]:
    """The content of each part of the form, by name, without read-only fields. Raises 400."""
    body = body_of(request)
    boundary = parse_options_header(request.headers["Content-Type"])[1].get("boundary")
    if not boundary:
        raise bad_body("the Content-Type of a form must name its boundary")
    parser = MultipartParser(
        BytesIO(body),
        boundary,
        strict=True,
        part_limit=PARTS_MAX,
        # Nothing goes to a temporary file: the body is in memory already.
        spool_limit=len(body),
        memory_limit=len(body),
    )
    found: dict[str, bytes] = {}
    try:
        for part in parser:
            if part.name in found:
                raise bad_body(f"the form has {part.name!r} twice; send it once")
            found[part.name] = part.raw
    except MultipartError as wrong:
        # Other arguments are for programmers.
        raise bad_body(f"the form cannot be read: {wrong.args[0]}") from None
    return {name: data for name, data in found.items() if name not in schema.read_only}
