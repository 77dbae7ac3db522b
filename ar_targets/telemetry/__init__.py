"""What the server tells about itself: log lines, and metrics for Prometheus.

::

    request_context  what is noted of a request meanwhile
    access_log       lines and metrics of those that have ended
    logs             how log lines look
    metrics          what is counted, by all workers together
"""
