"""The bytes of images: the proof that they are a JPEG, base64, and work on their pixels."""
