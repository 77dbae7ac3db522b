"""What request bodies may hold: colander alone, no request and no database."""
