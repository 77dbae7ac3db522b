"""Prints OpenTelemetry's spans as JSON: ``python -m tests.addons.tracing URL``."""

import json
import sys

from opentelemetry import trace
from opentelemetry.instrumentation.pyramid import PyramidInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from .calls import call

if __name__ == "__main__":
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    PyramidInstrumentor().instrument()
    call(sys.argv[1])
    json.dump([json.loads(span.to_json()) for span in kept.get_finished_spans()], sys.stdout)
