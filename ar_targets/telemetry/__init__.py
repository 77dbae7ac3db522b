"""What the server tells about itself: log lines, and metrics for Prometheus.

::

    request_context  what is noted of a request meanwhile
    access_log       lines and metrics of those that have ended
    logs, log_event  how log lines look, and lines that have fields
    metrics          what is counted, by all workers together
"""
