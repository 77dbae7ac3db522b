"""Telemetry: log lines, and metrics for Prometheus.

::

    request_context  data about a request, collected while it runs
    access_log       a log line and metrics for each finished request
    logs             formatters of log lines
    metrics          counters, shared by all workers
"""
