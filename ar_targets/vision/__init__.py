"""What a computer sees in a picture: pure functions, which know no request and no database."""
