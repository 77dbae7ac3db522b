"""Nothing lost: clients write, things break, and afterwards everything is held against their word.

- ``machine``: a database and a server, each behind a ``proxy``, that may be killed and restarted
- ``faults``: what happens to them, in an order that a seed decides
- ``client``: what the clients do, by ``caller``, and ``journal``: what they were told
- ``check``: what must be true at the end, over HTTP and in SQL
- ``experiment``: all of that put together, and ``report``: its figures
"""
