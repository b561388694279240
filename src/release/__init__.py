"""What a release is: promoted, published, listed, rolled back, deployed."""
