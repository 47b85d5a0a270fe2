"""A small shop: catalogue, customers, orders, invoices, stock, and the jobs that run at night."""
