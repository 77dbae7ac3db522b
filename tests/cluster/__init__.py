"""A cluster of MariaDB's, whose nodes break one after the other, under load.

- ``node``, ``cluster``: three nodes of Galera with docs/deploy/cluster/galera.cnf
- ``haproxy``: the way to them, with docs/deploy/cluster/haproxy.cfg
- ``replicas``: servers on them, behind nginx
- ``faults``: what happens to nodes and servers
- ``experiment``: clients of ``tests/soak`` at work meanwhile, the check, and ``report``
- ``contention``: many writers of one row
"""
