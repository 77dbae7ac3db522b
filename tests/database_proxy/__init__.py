"""A proxy in front of the database that understands what passes: it counts, and it breaks.

::

    proxy      the proxy itself: where to begin
    session    one connection through it
    packet     what both sides send, piece by piece
    greeting   the server's first words, without what the proxy does not understand
    command    what the client asks for
    statement  a command with SQL in it
    answer     what the server says to a command
    fault      what happens to a statement
    count      what has passed

::

    with DatabaseProxy(upstream_of(url)) as proxy:
        url = proxy.url_for(url)
        with proxy.counting() as count:
            ...
        assert count.trips <= 2, count
        with proxy.failing(fault.nth(3), fault.CUT_BEFORE) as struck:
            ...
        assert struck.statements

(MySQL Internals, "Client/Server Protocol"; MariaDB's "Clientserver Protocol".)
"""
