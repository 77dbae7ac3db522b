"""TLS to the database: one way to write it in the URL, whatever each driver makes of it.

``?ssl_ca=/path/ca.pem`` verifies the server's certificate and its name, and refuses a server
without TLS; with ``&ssl_verify_cert=false`` the driver decides. By itself, MariaDB's connector
1.1.14 does not look at the name, and sends the password in clear to a server without TLS. PyMySQL
1.2.4 verifies by ``ssl_ca`` alone, but forgets the file where ``ssl_verify_cert`` is there, too.
"""

from sqlalchemy.engine import URL

CA, VERIFY = "ssl_ca", "ssl_verify_cert"
PYMYSQL, CONNECTOR = "pymysql", "mariadbconnector"
FALSE = ("", "0", "false", "no")


def is_verified(url: URL) -> bool:
    """Whether the URL asks for a verified server: with a CA it does, unless it says no."""
    said = url.query.get(VERIFY)
    return CA in url.query if said is None else str(said).lower() not in FALSE


def for_driver(url: URL) -> URL:
    """The URL in the words of its driver."""
    if CA in url.query and is_verified(url):
        if url.get_driver_name() == PYMYSQL:
            return url.difference_update_query([VERIFY])
        if url.get_driver_name() == CONNECTOR:
            return url.update_query_dict({VERIFY: "true"})
    return url
