"""The parts of the double of WhatsApp's Cloud API: see graph.py."""
