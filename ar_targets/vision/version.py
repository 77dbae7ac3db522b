"""The version of the algorithm; the API imports it, and so it imports nothing."""

# Raised by whatever changes a result or a feature: pictures of older versions are then examined
# anew, behind new ones.
VERSION = 1
