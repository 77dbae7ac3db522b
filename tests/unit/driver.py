"""The driver's connection, on a socket that speaks no protocol."""

import pymysql


class Driver(pymysql.connections.Connection):
    """A connection that has been made by somebody else."""

    def __init__(self, connected):
        super().__init__(defer_connect=True)
        self._sock = connected
        self._current_timeout = self._write_timeout = connected.gettimeout()
