"""What the Hugging Face Hub says: listings, headers, and its circuit breaker."""
