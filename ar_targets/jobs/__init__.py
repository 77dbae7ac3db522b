"""What works between requests: `ar_targets_worker`, and how workers share rows.

::

    lease      takes rows for some time, for all that works between requests
    analysis   examines the picture of a leased row, and stores what is found out
    backfill   queues targets that no server has queued
    worker     the loop of the process
    outage     what a worker waits for, said once
    metrics    what a worker shows to Prometheus
"""
