"""Log formatters, named by the ini files: `JsonFormatter`, or `PlainFormatter`.

Both add the request id. The handler is the standard library's: it writes each message in one
call, so that processes which share a terminal, a file or a pipe do not mix their lines.
"""

import copy
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from .request_context import Event, current


class PlainFormatter(logging.Formatter):
    """Lines for people; ``%(request_id)s`` is ``-`` outside of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Called in the thread of the request."""
        event: object = record.msg
        if isinstance(event, Event) and event.message == "request":
            record = copy.copy(record)
            record.msg = short(event.fields)
        record.request_id = current.get().request_id
        return super().format(record)


def short(request: Mapping[str, object]) -> str:
    """The line of a request for people: method, route, status, milliseconds, and the caller."""
    line = "{method} {route} {status} {ms} ms".format_map(request)
    return f"{line} {request['caller']}" if request["caller"] else line


class JsonFormatter(logging.Formatter):
    """Lines for machines, one JSON object each. Ignores the ini file's format."""

    def format(self, record: logging.LogRecord) -> str:
        """Called in the thread of the request."""
        fields: dict[str, object] = {}
        if isinstance(record.msg, Event):
            text, fields = record.msg.message, record.msg.fields
        else:
            text = record.getMessage()
        if record.exc_info:
            fields = fields | {"exception": self.formatException(record.exc_info)}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "request_id": current.get().request_id,
            "message": text,
            **fields,
        }
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()
        except orjson.JSONEncodeError:
            # A lone surrogate, or an integer above 64 bits: json is slower, but accepts them.
            return json.dumps(line, default=str)
