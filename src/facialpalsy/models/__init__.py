"""Models: the networks. They know no picture file, path or corpus; torch is loaded when one of them is imported."""
