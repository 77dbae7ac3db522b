-- The user as whom HAProxy asks for a node's state: no password, and no rights.
CREATE USER IF NOT EXISTS haproxy@'%';
