"""How log lines look. The ini files name a formatter: `JsonFormatter`, or `PlainFormatter`.

Both know the request that a line is about. The handler is the standard
library's: it writes each message at once, so that processes which share a
terminal, a file or a pipe do not write into each other's lines.
"""

import copy
import json
import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from .event import Event, Report
from .trace import current


class PlainFormatter(logging.Formatter):
    """Lines for people; ``%(request_id)s`` is ``-`` outside of a request."""

    def format(self, record: logging.LogRecord) -> str:
        """Called in the thread of the request, but for reports."""
        if not isinstance(record.msg, Report):
            record.request_id = current.get().request_id
            return super().format(record)
        lines = []
        for moment, request_id, event in record.msg.lines:
            line = copy.copy(record)
            line.msg, line.created, line.request_id = event, moment, request_id
            line.msecs = moment % 1 * 1000
            lines.append(super().format(line))
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """Lines for machines, one JSON object each. Takes no format of the ini file's."""

    def format(self, record: logging.LogRecord) -> str:
        """Called in the thread of the request, but for reports."""
        message = record.msg
        if isinstance(message, Report):
            return "\n".join(
                _json(record, moment, request_id, event.message, event.fields)
                for moment, request_id, event in message.lines
            )
        fields: dict[str, object] = {}
        if isinstance(message, Event):
            text, fields = message.message, message.fields
        else:
            text = record.getMessage()
        if record.exc_info:
            fields = fields | {"exception": self.formatException(record.exc_info)}
        return _json(record, record.created, current.get().request_id, text, fields)


def _json(
    record: logging.LogRecord, moment: float, request_id: str, text: str, fields: dict[str, Any]
) -> str:
    line = {
        "time": datetime.fromtimestamp(moment, UTC),
        "level": record.levelname,
        "logger": record.name,
        "process": record.process,
        "request_id": request_id,
        "message": text,
        **fields,
    }
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z).decode()
    except orjson.JSONEncodeError:
        # A text that is no Unicode, a number past 64 bits: slower, but takes anything.
        return json.dumps(line, default=str)
