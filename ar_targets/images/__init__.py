"""Images: validation of JPEGs, base64, and decoding in a subprocess."""
