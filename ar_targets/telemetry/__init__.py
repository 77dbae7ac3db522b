"""What the server tells about itself: log lines, and metrics for Prometheus.

::

    trace    what is noted of a request meanwhile    logs     how log lines look
    journal  lines and metrics of those that ended   event    lines that have fields
    metrics  what is counted, by all workers together
"""
