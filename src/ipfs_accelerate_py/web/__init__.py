"""The page on which people see their fleet, and its figures in Prometheus' format: static files, and their routes."""
