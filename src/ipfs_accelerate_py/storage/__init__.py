"""The verified store and where its bytes come from. Knows neither the hook nor transformers."""
