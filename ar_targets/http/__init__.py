"""What all views share: bodies, conditional requests, pages, tweens, and what is around them."""
