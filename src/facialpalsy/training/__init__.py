"""Training: fitting one network to exams; torch and lightning are loaded when a file of it is imported."""
